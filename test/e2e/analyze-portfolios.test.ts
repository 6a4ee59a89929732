import { describe, expect, it } from '@jest/globals'
import {
  AnalyzePortfoliosRequest_MetricGroup as MetricGroup,
  PortfolioAnalysis_Outcome as Outcome,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { analyze, analyzeAll, atClose, ingestCloses } from '../support/analytics.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()
const NAMES = Object.fromEntries(Object.entries(Outcome).map(([name, value]) => [value, name]))
const PERIOD = { startDate: '2024-01-03', endDate: '2024-01-04' }

async function holder(quantity = 1): Promise<string> {
  const userId = newUser()
  await fixture.client.update({
    userId,
    transactions: [{ symbol: 'BATCH', quantity, price: 100, timestamp: atClose('2024-01-02') }],
  })
  return userId
}

/** So little time that no statement ends within it. */
const NO_TIME = { seconds: 0n, nanos: 1_000 }

describe('AnalyzePortfolios', () => {
  it('says of each user what became of it, and adds up those that are done', async () => {
    const { client } = fixture
    await ingestCloses(client, 'BATCH', { '2024-01-02': 100, '2024-01-03': 110, '2024-01-04': 121 })
    const [one, two] = [await holder(), await holder(2)]
    const answer = await analyzeAll(client, { userIds: [one, 'nobody', two, one], period: PERIOD })
    expect(answer.analyses.map(({ userId, outcome }) => `${userId} ${NAMES[outcome]}`)).toEqual([
      `${one} OK`,
      'nobody NOT_FOUND',
      `${two} OK`,
      `${one} OK`,
    ])
    const [first] = answer.analyses
    expect(first?.performance).toMatchObject({
      period: PERIOD,
      startValue: '100',
      endValue: '121',
      gain: '21',
    })
    expect(Number(first?.performance?.timeWeighted?.cumulative)).toBeCloseTo(0.21, 12)
    expect(first?.risk).toMatchObject({ observations: 2, concentrationHhi: '1', maxDrawdown: '0' })
    expect(first?.allocation).toMatchObject([
      { dimension: 'asset_class', key: 'UNSPECIFIED', value: '121', weight: '1' },
    ])
    expect(answer.totals).toMatchObject({
      requested: 4,
      ok: 3,
      totalValue: '484',
      reportingCurrency: 'USD',
    })
    expect(answer.incompleteUserIds).toEqual([])
  })

  it('answers in time with what is done, and names the rest', async () => {
    const { client } = fixture
    const userId = await holder()
    const answer = await analyze(client, { userIds: [userId], budget: NO_TIME })
    expect(answer.analyses[0]?.outcome).toBe(Outcome.TIMED_OUT)
    expect(answer.incompleteUserIds).toEqual([userId])
    expect(answer.totals).toMatchObject({ timedOut: 1, ok: 0, totalValue: '' })
  })

  it('gives an older result where that is allowed and there is one', async () => {
    const { client } = fixture
    const [known, unknown] = [await holder(3), await holder()]
    await analyzeAll(client, { userIds: [known], period: PERIOD })
    const request = { userIds: [known, unknown], period: PERIOD, budget: NO_TIME }
    const answer = await analyze(client, { ...request, allowStale: true })
    expect(answer.analyses.map(({ outcome }) => NAMES[outcome])).toEqual(['STALE', 'TIMED_OUT'])
    expect(answer.analyses[0]?.performance?.endValue).toBe('363')
    expect(answer.totals).toMatchObject({ stale: 1, timedOut: 1, totalValue: '363' })
    const strict = await analyze(client, request)
    expect(strict.analyses.map(({ outcome }) => NAMES[outcome])).toEqual(['TIMED_OUT', 'TIMED_OUT'])
  })

  it('sees what was written before it, and tells only what was asked', async () => {
    const { client } = fixture
    const userId = await holder()
    await analyzeAll(client, { userIds: [userId], period: PERIOD })
    await client.update({
      userId,
      transactions: [
        { symbol: 'BATCH', quantity: 1, price: 110, timestamp: atClose('2024-01-03') },
      ],
    })
    const metrics = [MetricGroup.VALUE]
    const { analyses } = await analyzeAll(client, { userIds: [userId], period: PERIOD, metrics })
    expect(analyses[0]?.performance).toMatchObject({
      inflows: '110',
      endValue: '242',
      simpleReturn: '',
    })
    expect(analyses[0]?.performance?.timeWeighted).toBeUndefined()
    expect(analyses[0]?.risk).toBeUndefined()
    expect(analyses[0]?.allocation).toEqual([])
  })

  it('converts to one currency, and totals no two', async () => {
    const { client } = fixture
    await ingestCloses(client, 'EURO', { '2024-01-02': 10, '2024-01-04': 12 }, 'EUR')
    await ingestCloses(client, 'EUR/USD', { '2024-01-02': '1.1', '2024-01-04': '1.2' })
    const userId = newUser()
    await client.update({
      userId,
      transactions: [{ symbol: 'EURO', quantity: 1, price: 11, timestamp: atClose('2024-01-02') }],
    })
    const [dollars] = (await analyzeAll(client, { userIds: [userId], period: PERIOD })).analyses
    expect(dollars?.performance).toMatchObject({ startValue: '11', endValue: '14.4' })
    const request = { userIds: [userId], period: PERIOD, reportingCurrency: 'EUR' }
    const [euros] = (await analyzeAll(client, request)).analyses
    expect(Number(euros?.performance?.startValue)).toBeCloseTo(10, 12)
    expect(Number(euros?.performance?.endValue)).toBeCloseTo(12, 12)
    const [yen] = (await analyzeAll(client, { ...request, reportingCurrency: 'JPY' })).analyses
    expect(yen?.performance?.endValue).toBe('')
    expect(yen?.quality?.issues.map(({ reason }) => reason)).toEqual(['FX_MISSING'])
  })

  it('fails the poisoned user alone, in time', async () => {
    const analysisWorker = new URL('../support/fixtures/poisoned.worker.ts', import.meta.url)
    const { client } = await fixture.start({ ANALYSIS_THREADS: '2' }, undefined, { analysisWorker })
    const users = [await holder(), await holder(666_001), await holder(), await holder(666_004)]
    await analyzeAll(client, { userIds: [users[0] ?? ''], period: PERIOD })
    const answer = await analyzeAll(client, { userIds: users, period: PERIOD })
    expect(
      answer.analyses.map(({ outcome, errorReason }) => `${NAMES[outcome]} ${errorReason}`),
    ).toEqual(['OK ', 'FAILED ANALYSIS_CRASHED', 'OK ', 'FAILED ANALYSIS_FAILED'])
    expect(answer.totals).toMatchObject({ ok: 2, failed: 2, totalValue: '242' })
  })

  it('takes new prices into what it has analysed before', async () => {
    const { client } = fixture
    await ingestCloses(client, 'MOVING', { '2024-01-02': 100, '2024-01-03': 101 })
    const userId = newUser()
    const transactions = [
      { symbol: 'MOVING', quantity: 1, price: 100, timestamp: atClose('2024-01-02') },
    ]
    await client.update({ userId, transactions })
    const valueOf = async () => {
      const { analyses } = await analyzeAll(client, { userIds: [userId], period: PERIOD })
      return analyses[0]?.performance?.endValue
    }
    expect([await valueOf(), await valueOf()]).toEqual(['101', '101'])
    await ingestCloses(client, 'MOVING', { '2024-01-04': 102 })
    expect(await valueOf()).toBe('102')
  })

  it('refuses what it cannot read', async () => {
    const { client } = fixture
    const failure = await failureOf(
      analyze(client, {
        userIds: ['a', ''],
        metrics: [9 as MetricGroup],
        budget: { seconds: 1n, nanos: 0 },
        period: { startDate: 'yesterday' },
        reportingCurrency: 'euro',
      }),
    )
    expect(failure.violations).toEqual([
      'user_ids[1] USER_ID_REQUIRED',
      'metrics SETTINGS_INVALID',
      'period.start_date DATE_INVALID',
      'budget BUDGET_INVALID',
      'reporting_currency CURRENCY_INVALID',
    ])
    const many = await failureOf(analyze(client, { userIds: Array<string>(1_001).fill('a') }))
    expect(many.reason).toBe('TOO_MANY_USERS')
    expect((await failureOf(analyze(client, {}))).reason).toBe('USER_ID_REQUIRED')
  })
})
