import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { GetPerformanceRequest_Interval as Interval } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { DataQuality_Completeness as Completeness } from '../../gen/portfolio/v1/common_pb.ts'
import { TransactionType } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { atClose, ingestCloses, performance } from '../support/analytics.ts'
import { act, type SentAction, splitOn } from '../support/corporate-actions.ts'
import { moment, portfolioLog } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { newUser, type Transaction } from '../support/transactions.ts'

const fixture = useService()
const DAYS = 12
const NAMES = ['A', 'B', 'C'] as const

const dayOf = (day: number): string =>
  new Date(Date.UTC(2024, 2, 1 + day)).toISOString().slice(0, 10)
const instantOf = (day: number, hour: number): number => Date.UTC(2024, 2, 1 + day, hour)
const secondsOf = (day: number, hour: number): bigint => BigInt(instantOf(day, hour) / 1_000)

const name = fc.constantFrom(...NAMES)
const day = fc.integer({ min: 1, max: DAYS - 2 })
const hour = fc.constantFrom(0, 3, 20)

const KINDS = { BUY: 0, SELL: 1, IN: 2, OUT: 2 } as const

interface Traded {
  readonly kind: keyof typeof KINDS
  readonly name: string
  readonly day: number
  readonly hour: number
  readonly quantity: number
}

const trades: fc.Arbitrary<Traded> = fc.record({
  kind: fc.constantFrom<Traded['kind']>('BUY', 'BUY', 'SELL', 'IN', 'OUT'),
  name,
  day,
  hour,
  quantity: fc.integer({ min: 1, max: 9 }),
})

interface Quoted {
  readonly name: string
  readonly day: number
  readonly hour: number
  readonly price: number
  readonly splitAdjusted: boolean
}

const quotes: fc.Arbitrary<Quoted> = fc.record({
  name,
  day: fc.integer({ min: 0, max: DAYS - 1 }),
  hour: fc.constantFrom(0, 2, 21),
  price: fc.integer({ min: 5, max: 50 }),
  splitAdjusted: fc.boolean(),
})

const ratio = fc.constantFrom([2n, 1n], [3n, 2n], [1n, 3n], [1n, 10n])

type ActionCase = (id: (name: string) => string) => SentAction
const actions: fc.Arbitrary<ActionCase> = fc.oneof(
  fc.record({ name, day, ratio }).map(
    ({ name: of, day: on, ratio: [numerator = 1n, denominator = 1n] }): ActionCase =>
      (id) =>
        splitOn(id(of), dayOf(on), { numerator, denominator }),
  ),
  fc
    .record({
      name,
      day,
      cents: fc.integer({ min: 1, max: 300 }),
      euro: fc.boolean(),
      roc: fc.boolean(),
    })
    .map(({ name: of, day: on, cents, euro, roc }): ActionCase => (id) => ({
      instrumentId: id(of),
      exDate: dayOf(on),
      action: {
        case: 'cashDividend',
        value: {
          amountPerUnit: (cents / 100).toFixed(2),
          currencyCode: euro ? 'EUR' : 'USD',
          returnOfCapital: roc,
        },
      },
    })),
  fc.record({ name, day }).map(({ name: of, day: on }): ActionCase => (id) => ({
    instrumentId: id(of),
    exDate: dayOf(on),
    action: {
      case: 'spinOff',
      value: { newInstrumentId: id('SPUN'), ratio: '0.25', basisFraction: '0.2' },
    },
  })),
  fc.record({ day, cash: fc.boolean() }).map(({ day: on, cash }): ActionCase => (id) => ({
    instrumentId: id('B'),
    exDate: dayOf(on),
    action: {
      case: 'merger',
      value: {
        newInstrumentId: id('MERGED'),
        ratio: '1.5',
        cashPerUnit: cash ? '2' : '',
      },
    },
  })),
)

interface Story {
  readonly traded: readonly Traded[]
  readonly quoted: readonly Quoted[]
  readonly acted: readonly (readonly [ActionCase, boolean])[]
  readonly tracksCash: boolean
}

const stories: fc.Arbitrary<Story> = fc.record({
  traded: fc.array(trades, { minLength: 2, maxLength: 8 }),
  quoted: fc.array(quotes, { maxLength: 20 }),
  /** With whether it is recorded before the trades. */
  acted: fc.array(fc.tuple(actions, fc.boolean()), { minLength: 1, maxLength: 5 }),
  tracksCash: fc.boolean(),
})

let runs = 0

/** Records it all for a new user, and gives the user's id. */
async function play({ traded, quoted, acted, tracksCash }: Story): Promise<string> {
  const { client } = fixture
  runs += 1
  const run = runs
  const userId = newUser()
  const id = (of: string): string => `ACT${run}${of}`
  const record = async (early: boolean): Promise<void> => {
    for (const [make, isEarly] of acted) {
      // Of an instrument that was merged away.
      if (isEarly === early) await act(client, make(id)).catch(() => undefined)
    }
  }
  for (const target of ['SPUN', 'MERGED'])
    await ingestCloses(client, id(target), { '2024-02-20': 7 })
  const sent = quoted.map(({ name: of, day: on, hour: at, price, splitAdjusted }) => ({
    symbol: id(of),
    price: String(price),
    splitAdjusted,
    source: 'exchange',
    pricedAt: timestampFromDate(new Date(instantOf(on, at))),
  }))
  await client.ingest({ quotes: sent })
  await record(true)
  if (tracksCash) {
    const effectiveAt = moment(`${dayOf(2)}T01:00:00Z`)
    const deposit = { type: TransactionType.DEPOSIT, grossAmount: '5000', effectiveAt }
    await portfolioLog(client).record({ userId, transactions: [deposit] })
  }
  for (const { kind, name: of, day: on, hour: at, quantity } of traded) {
    const transaction: Transaction = {
      symbol: id(of),
      type: KINDS[kind],
      quantity: kind === 'OUT' ? -quantity : quantity,
      price: 20,
      timestamp: secondsOf(on, at),
    }
    // What is not there cannot be sold.
    await client.update({ userId, transactions: [transaction] }).catch(() => undefined)
  }
  await record(false)
  return userId
}

async function isKept(userId: string): Promise<boolean> {
  return fixture.client.get({ userId }).then(
    () => true,
    () => false,
  )
}

/** Holds each day's value against a read of its last second. */
async function compareDays(userId: string): Promise<void> {
  const { client } = fixture
  const periods = [{ endDate: dayOf(DAYS) }]
  const [report] = await performance(client, { userId, periods, interval: Interval.DAY })
  const isLeftOut = report!.quality?.issues.some(({ reason }) => reason === 'ACTION_LEFT_OUT')
  // A past read leaves out from the entry on that does not go with it, this one everywhere.
  for (const { date, value } of isLeftOut ? report!.series.slice(-1) : report!.series) {
    const timestamp = BigInt(Date.parse(`${date}T23:59:59Z`) / 1_000)
    const { message } = await client.get({ userId, timestamp })
    if (message.detail?.quality?.completeness === Completeness.PARTIAL) continue
    const expected = message.portfolio!.totalValue
    const tolerance = 1e-9 * Math.max(1, Math.abs(expected))
    expect(Math.abs(Number(value) - expected)).toBeLessThan(tolerance)
  }
}

describe('the daily values of GetPerformance', () => {
  it('are what GetPortfolio says of those days, whatever corporate actions there were', async () => {
    await ingestCloses(fixture.client, 'EUR/USD', { '2024-02-01': '1.1', '2024-03-05': '1.2' })
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        const userId = await play(story)
        // Otherwise nothing of it was taken.
        if (await isKept(userId)) await compareDays(userId)
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})

describe('GetPerformance over corporate actions', () => {
  it('has dividends as income: no flow where cash is kept, paid out where it is not', async () => {
    const { client } = fixture
    const [kept, paidOut] = [newUser(), newUser()]
    await ingestCloses(client, 'DIVPAY', { '2024-05-01': 100, '2024-05-02': 98 })
    await ingestCloses(client, 'DIVPAY', { '2024-05-03': 98 })
    const bought = { symbol: 'DIVPAY', quantity: 10, price: 100, timestamp: atClose('2024-05-01') }
    const effectiveAt = moment('2024-05-01T08:00:00Z')
    const deposit = { type: TransactionType.DEPOSIT, grossAmount: '1000', effectiveAt }
    await portfolioLog(client).record({ userId: kept, transactions: [deposit] })
    for (const userId of [kept, paidOut]) await client.update({ userId, transactions: [bought] })
    const value = { amountPerUnit: '3', currencyCode: 'USD' }
    await act(client, {
      instrumentId: 'DIVPAY',
      exDate: '2024-05-02',
      action: { case: 'cashDividend', value },
    })
    const periods = [{ startDate: '2024-05-02', endDate: '2024-05-03' }]
    const [own] = await performance(client, { userId: kept, periods })
    expect(own?.summary).toMatchObject({ endValue: '1010', outflows: '0', gain: '10' })
    expect(Number(own?.summary?.timeWeighted?.cumulative)).toBeCloseTo(0.01, 12)
    const [other] = await performance(client, { userId: paidOut, periods })
    expect(other?.summary).toMatchObject({ endValue: '980', outflows: '30', gain: '10' })
    expect(Number(other?.summary?.timeWeighted?.cumulative)).toBeCloseTo(0.01, 12)
    expect(own?.attribution.map(({ component, amount }) => [component, Number(amount)])).toEqual([
      ['DIVPAY', expect.closeTo(0.01, 12)],
    ])
  })

  it('tells a spin-off as what one symbol gave to another, and of neither a loss', async () => {
    const { client } = fixture
    const userId = newUser()
    await ingestCloses(client, 'PARENT', { '2024-05-01': 100, '2024-05-02': 80 })
    await ingestCloses(client, 'CHILD', { '2024-05-02': 40 })
    const bought = { symbol: 'PARENT', quantity: 10, price: 100, timestamp: atClose('2024-05-01') }
    await client.update({ userId, transactions: [bought] })
    const value = { newInstrumentId: 'CHILD', ratio: '0.5', basisFraction: '0.2' }
    await act(client, {
      instrumentId: 'PARENT',
      exDate: '2024-05-02',
      action: { case: 'spinOff', value },
    })
    const asked = { userId, periods: [{ startDate: '2024-05-02', endDate: '2024-05-02' }] }
    const [whole] = await performance(client, asked)
    expect(whole?.summary).toMatchObject({ startValue: '1000', endValue: '1000', gain: '0' })
    const each = await performance(client, { ...asked, symbols: ['PARENT', 'CHILD'] })
    expect(each.map(({ summary }) => summary)).toMatchObject([
      { outflows: '200', endValue: '800', timeWeighted: { cumulative: '0' } },
      { inflows: '200', endValue: '200', timeWeighted: { cumulative: '0' } },
    ])
  })

  it('names the action that what was recorded does not go with, and leaves it out', async () => {
    const { client } = fixture
    const userId = newUser()
    await ingestCloses(client, 'UNFIT', { '2024-05-01': 100, '2024-05-03': 110 })
    const facts = { symbol: 'UNFIT', price: 100 }
    await client.update({
      userId,
      transactions: [
        { ...facts, quantity: 10, timestamp: atClose('2024-05-01') },
        { ...facts, quantity: -8, type: 2, timestamp: atClose('2024-05-03') },
      ],
    })
    await act(client, splitOn('UNFIT', '2024-05-02', { numerator: 1n, denominator: 10n }))
    const asked = { userId, periods: [{ endDate: '2024-05-03' }] }
    const [report] = await performance(client, asked)
    expect(report?.summary?.endValue).toBe('220')
    expect(report?.quality).toMatchObject({
      completeness: Completeness.PARTIAL,
      issues: [{ symbol: 'UNFIT', reason: 'ACTION_LEFT_OUT' }],
    })
  })
})
