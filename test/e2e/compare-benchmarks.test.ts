import { beforeAll, describe, expect, it } from '@jest/globals'
import { Benchmark_Rebalance as Rebalance } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { compare, atClose, ingestCloses } from '../support/analytics.ts'
import { failureOf } from '../support/client.ts'
import { act, splitOn } from '../support/corporate-actions.ts'
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

  it('reinvests the dividends that are recorded of a benchmark, across its splits', async () => {
    const { client } = fixture
    const closes = { '2024-01-02': 100, '2024-01-03': 98, '2024-01-04': 80 }
    await ingestCloses(client, 'ETF', closes, 'USD')
    await ingestCloses(client, 'GIVER', closes, 'USD')
    const dividend = { amountPerUnit: '2', currencyCode: 'USD' }
    await act(client, {
      instrumentId: 'ETF',
      exDate: '2024-01-03',
      action: { case: 'cashDividend', value: dividend },
    })
    await act(client, splitOn('ETF', '2024-01-04', { numerator: 5n, denominator: 4n }))
    const spun = { newInstrumentId: 'GIVEN', ratio: '1', basisFraction: '0.1' }
    await act(client, {
      instrumentId: 'GIVER',
      exDate: '2024-01-03',
      action: { case: 'spinOff', value: spun },
    })
    const found = await compare(client, {
      userId: await holder(),
      period: PERIOD,
      benchmarks: ['ETF', 'INDEX', 'GIVER'].map((symbol) => ({
        benchmarkId: symbol,
        components: one(symbol),
      })),
    })
    // 2 buy 2 / 98 of a unit, and four units of then are five of 80.
    const growth = (1 + 2 / 98) * ((80 * 5) / 4 / 100)
    expect(Number(found[0]?.benchmark?.timeWeighted?.cumulative)).toBeCloseTo(growth - 1, 12)
    expect(found.map(({ totalReturn }) => totalReturn)).toEqual([true, false, false])
    expect(found.map(({ quality }) => quality?.issues.map(({ symbol }) => symbol))).toEqual([
      [],
      [],
      ['GIVER'],
    ])
  })

  it('believes an instrument that says that its prices have dividends in them', async () => {
    const { client } = fixture
    await ingestCloses(client, 'TRINDEX', { '2024-01-02': 100, '2024-01-04': 103 }, 'USD')
    const instruments = [
      {
        instrumentId: 'TRINDEX',
        symbol: 'TRINDEX',
        assetClass: AssetClass.EQUITY,
        currencyCode: 'USD',
        classifications: { price_history: 'TOTAL_RETURN' },
      },
    ]
    await client.unary(MarketDataService.method.upsertInstruments, { instruments })
    const value = { amountPerUnit: '2', currencyCode: 'USD' }
    await act(client, {
      instrumentId: 'TRINDEX',
      exDate: '2024-01-03',
      action: { case: 'cashDividend', value },
    })
    const [found] = await compare(client, {
      userId: await holder(),
      period: PERIOD,
      benchmarks: [{ benchmarkId: 'declared', components: one('TRINDEX') }],
    })
    expect(found?.totalReturn).toBe(true)
    expect(Number(found?.benchmark?.timeWeighted?.cumulative)).toBeCloseTo(0.03, 12)
  })

  it('names a benchmark that has no price to begin with, or an old one to end with', async () => {
    const { client } = fixture
    await ingestCloses(client, 'LATE', { '2024-01-03': 100, '2024-01-04': 102 })
    await ingestCloses(client, 'ENDED', { '2023-11-01': 100 })
    const found = await compare(client, {
      userId: await holder(),
      period: PERIOD,
      benchmarks: ['INDEX', 'LATE', 'ENDED', 'NEVER'].map((symbol) => ({
        benchmarkId: symbol,
        components: one(symbol),
      })),
    })
    const issues = found.map(({ quality }) => quality?.issues ?? [])
    expect(issues.map((all) => all.map(({ symbol, reason }) => [symbol, reason]))).toEqual([
      [],
      [['LATE', 'PRICE_MISSING']],
      [['ENDED', 'PRICE_STALE']],
      [['NEVER', 'PRICE_MISSING']],
    ])
    expect(found.map(({ excessReturn }) => excessReturn === '')).toEqual([false, true, false, true])
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

  it('refuses a period that begins after today', async () => {
    const userId = await holder()
    const benchmarks = [{ benchmarkId: 'index', components: one('INDEX') }]
    const period = { startDate: '2999-01-01' }
    const failure = await failureOf(compare(fixture.client, { userId, benchmarks, period }))
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'PERIOD_INVALID' })
    expect(failure.violations).toEqual(['period.start_date PERIOD_INVALID'])
  })
})
