import { beforeAll, describe, expect, it } from '@jest/globals'
import { Benchmark_Rebalance as Rebalance } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { compare, atClose, ingestCloses } from '../support/analytics.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()
const PERIOD = { startDate: '2024-01-03', endDate: '2024-01-04' }

async function holder(): Promise<string> {
  const userId = newUser()
  await fixture.client.update({
    userId,
    transactions: [
      { symbol: 'HELD', quantity: 10, price: 100, timestamp: atClose('2024-01-02') },
      { symbol: 'HELD', quantity: 10, price: 110, timestamp: atClose('2024-01-03') },
    ],
  })
  return userId
}

const one = (symbol: string) => [{ symbol, weight: '1' }]

describe('CompareBenchmarks', () => {
  beforeAll(async () => {
    const { client } = fixture
    await ingestCloses(client, 'HELD', {
      '2024-01-02': 100,
      '2024-01-03': 110,
      '2024-01-04': 104.5,
    })
    await ingestCloses(client, 'INDEX', { '2024-01-02': 100, '2024-01-03': 101, '2024-01-04': 102 })
    await ingestCloses(client, 'OTHER', { '2024-01-02': 50, '2024-01-03': 52, '2024-01-04': 50 })
  })

  it('holds the same money, moved on the same days, against an index (V7)', async () => {
    const [comparison] = await compare(fixture.client, {
      userId: await holder(),
      period: PERIOD,
      benchmarks: [{ benchmarkId: 'index', components: one('INDEX') }],
    })
    const { sameCashFlows, benchmark } = comparison!
    expect(comparison?.benchmarkId).toBe('index')
    expect(Number(benchmark?.timeWeighted?.cumulative)).toBeCloseTo(0.02, 12)
    expect(Number(sameCashFlows?.endValue)).toBeCloseTo(2_130.891_089_108_911, 9)
    expect(Number(sameCashFlows?.difference)).toBeCloseTo(-40.891_089_108_911, 9)
  })

  it('blends indices by weights that are gone back to or not', async () => {
    const components = [
      { symbol: 'INDEX', weight: '0.6' },
      { symbol: 'OTHER', weight: '0.4' },
    ]
    const [kept, missing] = await compare(fixture.client, {
      userId: await holder(),
      period: PERIOD,
      benchmarks: [
        { benchmarkId: 'blend', components, rebalance: Rebalance.MONTHLY },
        { benchmarkId: 'unknown', components: one('NOBODY') },
      ],
    })
    expect(Number(kept?.benchmark?.timeWeighted?.cumulative)).toBeCloseTo(0.6 * 0.02, 12)
    const effects = kept!.attribution.reduce((sum, { amount }) => sum + Number(amount), 0)
    expect(effects).toBeCloseTo(Number(kept?.excessReturn), 12)
    expect(missing).toMatchObject({ excessReturn: '', beta: '', attribution: [] })
  })

  it('refuses benchmarks that are none', async () => {
    const failure = await failureOf(
      compare(fixture.client, {
        userId: 'somebody',
        benchmarks: [
          { benchmarkId: 'half', components: [{ symbol: 'INDEX', weight: '0.5' }] },
          { benchmarkId: 'none', rebalance: 9 as Rebalance },
          { benchmarkId: 'odd', components: one('!') },
        ],
      }),
    )
    expect(failure.violations).toEqual([
      'benchmarks[0] BENCHMARK_INVALID',
      'benchmarks[1].rebalance SETTINGS_INVALID',
      'benchmarks[1] BENCHMARK_INVALID',
      'benchmarks[1] BENCHMARK_INVALID',
      'benchmarks[2].components[0].symbol SYMBOL_INVALID',
    ])
    const none = await failureOf(compare(fixture.client, { userId: 'somebody' }))
    expect(none.reason).toBe('BENCHMARK_INVALID')
  })
})
