import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { describe, expect, it } from '@jest/globals'
import {
  GetPerformanceRequest_Basis as Basis,
  GetPerformanceRequest_Interval as Interval,
  ReturnFigure_Status as Status,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { DataQuality_Completeness as Completeness } from '../../gen/portfolio/v1/common_pb.ts'
import {
  MarketDataService,
  Quote_Kind as QuoteKind,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { TransactionType } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { atClose, ingestCloses, performance } from '../support/analytics.ts'
import { failureOf } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { moment, portfolioLog } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()

const WEEK = { '2024-01-02': 100, '2024-01-03': 110, '2024-01-04': 99, '2024-01-05': 104.5 }
function at(day: string) {
  return moment(`${day}T21:00:00Z`)
}

function seconds(text: string): bigint {
  return BigInt(Date.parse(text) / 1_000)
}

const PERIOD = { startDate: '2024-01-03', endDate: '2024-01-05' }

describe('GetPerformance', () => {
  it('tells returns, a series and what each symbol added, of several periods', async () => {
    const { client } = fixture
    const userId = newUser()
    await ingestCloses(client, 'PERF1', WEEK)
    await ingestCloses(client, 'PERF2', { '2024-01-02': 50, '2024-01-05': 40 })
    await client.update({
      userId,
      transactions: [
        { symbol: 'PERF1', quantity: 10, price: 100, timestamp: atClose('2024-01-02') },
        { symbol: 'PERF2', quantity: 4, price: 50, timestamp: atClose('2024-01-02') },
      ],
    })
    const reports = await performance(client, {
      userId,
      periods: [PERIOD, { endDate: '2024-01-03' }],
      interval: Interval.DAY,
    })
    expect(reports).toHaveLength(2)
    const [week, first] = reports.map((report) => report.summary)
    const { series = [], attribution = [] } = reports[0] ?? {}
    expect(week).toMatchObject({
      period: PERIOD,
      reportingCurrency: 'USD',
      startValue: '1200',
      endValue: '1205',
      inflows: '0',
      outflows: '0',
      gain: '5',
    })
    expect(Number(week?.timeWeighted?.cumulative)).toBeCloseTo(5 / 1_200, 12)
    expect(week?.timeWeighted?.annualized).toBe('')
    expect(series.map(({ date, value }) => `${date} ${value}`)).toEqual([
      '2024-01-03 1300',
      '2024-01-04 1190',
      '2024-01-05 1205',
    ])
    expect(first).toMatchObject({ startValue: '0', inflows: '1200', endValue: '1300' })
    expect(first?.period).toMatchObject({ startDate: '2024-01-02' })
    const added = attribution.map(({ component, amount }) => [component, Number(amount)])
    expect(added).toEqual([
      ['PERF1', expect.closeTo(45 / 1_200, 12)],
      ['PERF2', expect.closeTo(-40 / 1_200, 12)],
    ])
  })

  it('counts a split that is recorded late from then on', async () => {
    const { client } = fixture
    const userId = newUser()
    await ingestCloses(client, 'PERFSPLIT', WEEK)
    const bought = { quantity: 10, price: 100, timestamp: atClose('2024-01-02') }
    await client.update({ userId, transactions: [{ ...bought, symbol: 'PERFSPLIT' }] })
    const asked = { userId, periods: [PERIOD] }
    const [before] = await performance(client, asked)
    expect(before?.summary?.endValue).toBe('1045')
    await client.unary(MarketDataService.method.recordCorporateAction, {
      instrumentId: 'PERFSPLIT',
      exDate: '2024-01-04',
      action: { case: 'split', value: { numerator: 2n, denominator: 1n } },
    })
    const [after] = await performance(client, asked)
    // Its closes jump as nobody had split it: twice the units at the prices of then.
    expect(after?.summary).toMatchObject({ startValue: '1000', endValue: '2090' })
    expect(after?.quality).toMatchObject({ completeness: Completeness.COMPLETE, issues: [] })
  })

  it('splits a day at a flow where a price is of that moment, and not by a close', async () => {
    const { client } = fixture
    // 100 the evening before; 120 when 10 more are bought, and 10 of 20 sold at 90 the day after; 110 and 99 at the close.
    const moments = [
      ['2024-01-03T21:00:00Z', '100'],
      ['2024-01-04T14:59:00Z', '120'],
      ['2024-01-04T21:00:00Z', '110'],
      ['2024-01-05T15:00:00Z', '90'],
      ['2024-01-05T21:00:00Z', '99'],
    ] as const
    const returnBy = async (symbol: string, kind: QuoteKind, basis = 120) => {
      const userId = newUser()
      for (const [pricedOn, price] of moments) {
        const quote = { symbol, price, pricedAt: moment(pricedOn), kind, source: 'exchange' }
        await client.ingest({ quotes: [quote] })
      }
      await client.update({
        userId,
        transactions: [
          { symbol, quantity: 10, price: 100, timestamp: atClose('2024-01-03') },
          { symbol, quantity: 10, price: basis, timestamp: seconds('2024-01-04T15:00:00Z') },
          { symbol, quantity: 10, price: 90, type: 1, timestamp: seconds('2024-01-05T15:00:00Z') },
        ],
      })
      const periods = [{ startDate: '2024-01-04', endDate: '2024-01-05' }]
      const [report] = await performance(client, { userId, periods, interval: Interval.DAY })
      const added = report?.attribution.map(({ amount }) => Number(amount)) ?? []
      const cumulative = Number(report?.summary?.timeWeighted?.cumulative)
      expect(added.reduce((sum, amount) => sum + amount, 0)).toBeCloseTo(cumulative, 12)
      expect(report?.series.map(({ date }) => date)).toEqual(['2024-01-04', '2024-01-05'])
      return cumulative
    }
    // 1200 / 1000, 2200 / (1200 + 1200), (900 + 900) / 2200, 990 / 900: what one unit did, 99 / 100.
    const exact = (1_200 / 1_000) * (2_200 / 2_400) * (1_800 / 2_200) * (990 / 900)
    expect(await returnBy('INTRADAY', QuoteKind.REALTIME)).toBeCloseTo(exact - 1, 12)
    expect(exact).toBeCloseTo(0.99, 12)
    // By days: 2200 / (1000 + 1200), (990 + 900) / 2200.
    const daily = (2_200 / 2_200) * (1_890 / 2_200)
    expect(await returnBy('BYCLOSES', QuoteKind.CLOSE)).toBeCloseTo(daily - 1, 12)
  })

  it('has a transfer leave at the price of its day', async () => {
    const { client } = fixture
    const userId = newUser()
    await ingestCloses(client, 'PERF3', { '2024-02-01': 100, '2024-02-02': 100, '2024-02-05': 110 })
    await client.update({
      userId,
      transactions: [
        { symbol: 'PERF3', quantity: 10, price: 100, timestamp: atClose('2024-02-01') },
        { symbol: 'PERF3', quantity: -10, price: 0, type: 2, timestamp: atClose('2024-02-06') },
      ],
    })
    const [report] = await performance(client, { userId, periods: [{ startDate: '2024-02-05' }] })
    expect(report?.summary).toMatchObject({ startValue: '1000', endValue: '0', outflows: '1100' })
    expect(Number(report?.summary?.timeWeighted?.cumulative)).toBeCloseTo(0.1, 12)
    expect(report?.quality?.completeness).toBe(Completeness.COMPLETE)
  })

  it.each([
    [
      Basis.UNSPECIFIED,
      'USD',
      { startValue: '1002', endValue: '1100', gain: '108', outflows: '10' },
    ],
    [
      Basis.GROSS_OF_FEES,
      '',
      { startValue: '1002', endValue: '1100', gain: '113', outflows: '15' },
    ],
    [Basis.NET_OF_FEES_AND_TAXES, '', { gain: '98', outflows: '0' }],
  ])('counts income, fees and taxes in tracked cash by basis %s', async (basis, currency, told) => {
    const { client } = fixture
    const userId = newUser()
    const symbol = `CASHED${basis}`
    await ingestCloses(client, symbol, { '2024-02-01': 100, '2024-02-05': 110 })
    await portfolioLog(client).record({
      userId,
      transactions: [
        { type: TransactionType.DEPOSIT, grossAmount: '1003', effectiveAt: at('2024-01-31') },
        {
          type: TransactionType.BUY,
          symbol,
          quantity: '10',
          price: '100',
          fee: '1',
          effectiveAt: at('2024-02-01'),
        },
        {
          type: TransactionType.DIVIDEND,
          symbol,
          grossAmount: '13',
          tax: '10',
          effectiveAt: at('2024-02-02'),
        },
        { type: TransactionType.FEE, grossAmount: '5', effectiveAt: at('2024-02-05') },
      ],
    })
    const [report] = await performance(client, {
      userId,
      periods: [{ startDate: '2024-02-02', endDate: '2024-02-05' }],
      basis,
      reportingCurrency: currency,
    })
    expect(report?.summary).toMatchObject(told)
    const added = report?.attribution.map(({ amount }) => Number(amount)) ?? []
    expect(added.reduce((sum, amount) => sum + amount)).toBeCloseTo(
      Number(report?.summary?.timeWeighted?.cumulative),
      12,
    )
  })

  it('has a status instead of a number', async () => {
    const { client } = fixture
    const userId = newUser()
    await client.update({
      userId,
      transactions: [
        { symbol: 'NEVERPRICED', quantity: 5, price: 0, type: 2, timestamp: atClose('2024-01-02') },
      ],
    })
    const [report] = await performance(client, { userId })
    expect(report?.summary?.timeWeighted).toMatchObject({
      cumulative: '',
      status: Status.MISSING_VALUATION,
    })
    expect(report?.quality).toMatchObject({
      completeness: Completeness.PARTIAL,
      issues: [{ symbol: 'NEVERPRICED', reason: 'PRICE_MISSING' }],
    })
  })

  it('reports symbols each by itself, and none that was never held', async () => {
    const { client } = fixture
    const userId = newUser()
    await ingestCloses(client, 'PERF4', WEEK)
    await client.update({
      userId,
      transactions: [
        { symbol: 'PERF4', quantity: 1, price: 100, timestamp: atClose('2024-01-02') },
      ],
    })
    const reports = await performance(client, {
      userId,
      symbols: ['PERF4', 'OTHER'],
      periods: [PERIOD],
    })
    expect(reports.map(({ symbol }) => symbol)).toEqual(['PERF4'])
    expect(Number(reports[0]?.summary?.timeWeighted?.cumulative)).toBeCloseTo(0.045, 12)
    expect(await performance(client, { userId, symbols: ['OTHER'] })).toEqual([])
  })

  it('sees a quote as soon as it was taken in, and not before it was known', async () => {
    const { client } = fixture
    const userId = newUser()
    await ingestCloses(client, 'PERF5', { '2024-01-02': 100, '2024-01-03': 110 })
    await client.update({
      userId,
      transactions: [
        { symbol: 'PERF5', quantity: 1, price: 100, timestamp: atClose('2024-01-02') },
      ],
    })
    const period = { startDate: '2024-01-03', endDate: '2024-01-03' }
    const valueOf = async (temporal = {}) => {
      const [report] = await performance(client, { userId, periods: [period], temporal })
      return report?.summary?.endValue
    }
    expect(await valueOf()).toBe('110')
    const knownMs = Date.now()
    const known = timestampFromMs(knownMs)
    await eventually(() => expect(Date.now()).toBeGreaterThan(knownMs))
    await ingestCloses(client, 'PERF5', { '2024-01-03': 111 })
    expect(await valueOf()).toBe('111')
    expect(await valueOf({ asKnownAt: known })).toBe('110')
  })

  it('ends a job that hangs once its caller has left, and has its thread back', async () => {
    const { client } = await fixture.start({ ANALYSIS_THREADS: '1' }, undefined, {
      analysisWorker: new URL('../support/fixtures/poisoned.worker.ts', import.meta.url),
    })
    const [hanging, sound] = [newUser(), newUser()]
    const timestamp = atClose('2024-01-02')
    for (const [userId, quantity] of [[hanging, 666_003] as const, [sound, 1] as const]) {
      const transactions = [{ symbol: 'HANGING', quantity, price: 100, timestamp }]
      await client.update({ userId, transactions })
    }
    const left = await failureOf(performance(client, { userId: hanging }, { deadlineMs: 500 }))
    expect(left.code).toBe('DEADLINE_EXCEEDED')
    // A hung job may take ten seconds: this one had to be ended before.
    const [report] = await performance(client, { userId: sound }, { deadlineMs: 5_000 })
    expect(report?.summary?.endValue).toBe('100')
  })

  it('refuses what it cannot read, and a user it does not know', async () => {
    const { client } = fixture
    const failure = await failureOf(
      performance(client, {
        userId: '',
        periods: [{ startDate: '2024-13-01' }, { startDate: '2024-02-02', endDate: '2024-02-01' }],
        symbols: ['!'],
        interval: 9 as Interval,
        reportingCurrency: 'usd',
        riskFreeRate: '11',
        minimumAcceptableReturn: 'x',
      }),
    )
    expect(failure.violations).toEqual([
      'symbols[0] SYMBOL_INVALID',
      'user_id USER_ID_REQUIRED',
      'reporting_currency CURRENCY_INVALID',
      'periods[0].start_date DATE_INVALID',
      'periods[1] PERIOD_INVALID',
      'interval SETTINGS_INVALID',
      'risk_free_rate RATE_INVALID',
      'minimum_acceptable_return RATE_INVALID',
    ])
    const unknown = await failureOf(performance(client, { userId: newUser() }))
    expect(unknown.reason).toBe('PORTFOLIO_NOT_FOUND')
  })
})
