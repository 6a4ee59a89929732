import { beforeAll, describe, expect, it } from '@jest/globals'
import { Quote_Kind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import {
  RecordTransactionsResponse_Disposition as Disposition,
  TransactionType as Type,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { failureOf } from '../support/client.ts'
import {
  bought,
  moment,
  portfolioLog,
  type SentTransaction,
  sold,
} from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { NO_ROWS, rowCounts } from '../support/store.ts'

const fixture = useService()

let users = 0
const newUser = (): string => `recorder-${(users += 1)}`
const log = () => portfolioLog(fixture.client)
const record = (userId: string, ...transactions: readonly SentTransaction[]) =>
  log().record({ userId, transactions: [...transactions] })

/** The currency effect in a write's answer. */
async function effectTold(request: Parameters<ReturnType<typeof log>['record']>[0]) {
  const answer = await log().record(request)
  return answer.message.portfolio!.profitLoss!.currencyEffect
}

beforeAll(async () => {
  await fixture.client.ingest({
    quotes: [
      { symbol: 'ACME', price: '120', pricedAt: moment('2024-06-03T00:00:00Z'), source: 'x' },
      {
        symbol: 'EUR/USD',
        price: '1.25',
        kind: Quote_Kind.FX,
        pricedAt: moment('2024-03-01T00:00:00Z'),
      },
      {
        symbol: 'EUR/USD',
        price: '1.5',
        kind: Quote_Kind.FX,
        pricedAt: moment('2024-05-01T00:00:00Z'),
      },
    ],
  })
})

describe('RecordTransactions', () => {
  it('answers the portfolio, each outcome in request order, and the etag', async () => {
    const userId = newUser()
    const { message, headers } = await record(
      userId,
      sold({ effectiveAt: moment('2024-02-01T00:00:00Z'), fee: '2' }),
      bought({ effectiveAt: moment('2022-01-01T00:00:00Z'), fee: '5' }),
      { type: Type.DEPOSIT, grossAmount: '1000', effectiveAt: moment('2021-12-31T00:00:00Z') },
      { type: Type.TRANSFER_IN, symbol: 'GIFT', quantity: '1' },
    )
    expect(message.outcomes).toMatchObject([
      {
        transactionId: '1',
        disposition: Disposition.APPLIED,
        warnings: [],
        lotMatches: [
          {
            lotId: '2.0',
            quantity: '5',
            acquiredDate: '2022-01-01',
            costBasis: '502.5',
            proceeds: '748',
            gain: '245.5',
            longTerm: true,
            rule: 'FIFO',
            currencyCode: 'USD',
          },
        ],
      },
      { transactionId: '2', lotMatches: [] },
      { transactionId: '3', disposition: Disposition.APPLIED },
      { transactionId: '4', warnings: ['BASIS_UNKNOWN', 'UNKNOWN_INSTRUMENT'] },
    ])
    expect(message).toMatchObject({
      replayed: false,
      portfolio: {
        userId,
        version: 1n,
        totalValue: '1343',
        investedValue: '600',
        cashValue: '743',
        costBasis: '502.5',
        profitLoss: { total: '343', realized: '245.5', unrealized: '97.5', fees: '0' },
        allocation: expect.arrayContaining([
          expect.objectContaining({ dimension: 'currency', key: 'USD', value: '1343' }),
        ]) as unknown,
      },
    })
    expect(headers['portfolio-etag']).toBe(message.etag)
    expect(headers['portfolio-version']).toBe('1')
    expect(headers['portfolio-data-quality']).toBe('partial')
    const read = await fixture.client.get({ userId })
    expect(read.message.etag.startsWith(message.etag)).toBe(true)
    expect(read.message.detail).toMatchObject({
      totalValue: message.portfolio!.totalValue,
      profitLoss: message.portfolio!.profitLoss!,
    })
    expect(message.portfolio!.profitLoss!.currencyEffect).toBe('0')
  })

  it('tells what exchange rates made of the result as a read does, in a dry run and a replay too', async () => {
    const [userId, symbol] = [newUser(), 'EUROS']
    await fixture.client.ingest({
      quotes: [
        { symbol, price: '120', currencyCode: 'EUR', pricedAt: moment('2024-06-01T00:00:00Z') },
      ],
    })
    const euro = { symbol, currencyCode: 'EUR' }
    await record(
      userId,
      bought({ ...euro, fxRate: '1', effectiveAt: moment('2024-02-01T12:00:00Z') }),
    )
    const effectiveAt = moment('2024-02-02T12:00:00Z')
    const sale = sold({ ...euro, quantity: '4', fxRate: '2', effectiveAt })
    const sent = { userId, transactions: [sale], requestId: 'once' }
    const { message } = await fixture.client.get({ userId })
    const before = message.detail!.profitLoss!.currencyEffect
    const dry = await effectTold({ ...sent, validateOnly: true, requestId: '' })
    const written = await effectTold(sent)
    const { message: after } = await fixture.client.get({ userId })
    expect(Number(before)).toBeGreaterThan(0)
    expect([dry, written, await effectTold(sent)]).toEqual(
      Array.from({ length: 3 }, () => after.detail!.profitLoss!.currencyEffect),
    )
    expect(written).not.toBe(before)
  })

  it('is held more than a year only after the day of the anniversary', async () => {
    const sales = ['2025-02-28', '2025-03-01'].map(async (day) => {
      const { message } = await record(
        newUser(),
        bought({ effectiveAt: moment('2024-02-29T12:00:00Z') }),
        sold({ effectiveAt: moment(`${day}T12:00:00Z`) }),
      )
      return message.outcomes[1]!.lotMatches[0]!.longTerm
    })
    expect(await Promise.all(sales)).toEqual([false, true])
  })

  it('takes the rate that is sent, else that of the day (decision 27)', async () => {
    const euro = { currencyCode: 'EUR' }
    const { message } = await record(
      newUser(),
      bought({ ...euro, symbol: 'A', effectiveAt: moment('2024-04-01T00:00:00Z') }),
      bought({ ...euro, symbol: 'B', effectiveAt: moment('2024-05-02T00:00:00Z') }),
      bought({ ...euro, symbol: 'C', fxRate: '2' }),
      bought({ symbol: 'D', currencyCode: 'USD', fxRate: '7' }),
    )
    const costs = message.portfolio!.positions.map(({ symbol, costBasis }) => [symbol, costBasis])
    expect(costs).toEqual([
      ['A', '1250'],
      ['B', '1500'],
      ['C', '2000'],
      ['D', '1000'],
    ])
  })

  it('refuses a currency of which no rate of that day is known, all of them named', async () => {
    const userId = newUser()
    const failure = await failureOf(
      record(
        userId,
        bought({ currencyCode: 'EUR', effectiveAt: moment('2024-02-01T00:00:00Z') }),
        bought({ currencyCode: 'USD' }),
        bought({ currencyCode: 'CHF' }),
      ),
    )
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.violations).toEqual([
      'transactions[0].fx_rate FX_RATE_REQUIRED',
      'transactions[2].fx_rate FX_RATE_REQUIRED',
    ])
    expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
  })

  it('takes a price of "0", and an effective time before 1970', async () => {
    const { message } = await record(
      newUser(),
      bought({ price: '0', effectiveAt: moment('1961-02-03T00:00:00Z') }),
      sold({ price: '0' }),
    )
    expect(message.outcomes[1]!.lotMatches).toMatchObject([
      { acquiredDate: '1961-02-03', costBasis: '0', proceeds: '0', gain: '0' },
    ])
  })

  it('keeps the oldest moments exactly, for every replica', async () => {
    const userId = newUser()
    const oldest = moment('1700-01-01T00:00:00.001Z')
    await record(userId, bought({ effectiveAt: moment('1700-01-01T00:00:00.003Z') }))
    await record(userId, bought({ effectiveAt: oldest }))
    await record(userId, sold({ effectiveAt: moment('1700-01-01T00:00:00.002Z') }))
    const replica = portfolioLog((await fixture.start()).client)
    await replica.record({ userId, transactions: [sold({ quantity: '1' })] })
    const { message } = await replica.list({ userId })
    expect(message.transactions.at(-1)?.effectiveAt).toEqual(oldest)
    const { message: listed } = await replica.lots({ userId })
    expect(listed.lots.map(({ quantityOpen }) => quantityOpen)).toEqual(['4', '10'])
  })

  it('moves named lots from one account to another, and sells what it names (V11)', async () => {
    const userId = newUser()
    const inA = { accountId: 'A' }
    const [january, february] = ['2024-01-10', '2024-02-10']
    await record(
      userId,
      bought({ ...inA, effectiveAt: moment(`${january}T12:00:00Z`) }),
      bought({ ...inA, quantity: '20', effectiveAt: moment(`${february}T12:00:00Z`) }),
    )
    const carriedLots = [
      { acquiredDate: january, quantity: '10', costBasis: '1000' },
      { acquiredDate: february, quantity: '5', costBasis: '500' },
    ]
    await record(
      userId,
      {
        type: Type.TRANSFER_OUT,
        symbol: 'ACME',
        quantity: '15',
        ...inA,
        transfer: { counterpartyAccountId: 'B' },
      },
      {
        type: Type.TRANSFER_IN,
        symbol: 'ACME',
        quantity: '15',
        accountId: 'B',
        transfer: { carriedLots, counterpartyAccountId: 'A' },
      },
    )
    const { message } = await log().lots({ userId })
    expect(
      message.lots.map(({ accountId, acquiredDate, quantityOpen }) => [
        accountId,
        acquiredDate,
        quantityOpen,
      ]),
    ).toEqual([
      ['B', january, '10'],
      ['A', february, '15'],
      ['B', february, '5'],
    ])
    const named = { lotId: message.lots[2]!.lotId, quantity: '5' }
    const sale = await record(userId, sold({ accountId: 'B', lots: [named] }))
    expect(sale.message.outcomes[0]!.lotMatches).toMatchObject([
      { lotId: named.lotId, acquiredDate: february, gain: '250' },
    ])
    const failure = await failureOf(record(userId, sold({ accountId: 'B', lots: [named] })))
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'LOT_NOT_OPEN' })
    expect(failure.precondition?.violations).toMatchObject([
      { type: 'LOT_NOT_OPEN', subject: 'transactions[0]' },
    ])
  })

  it('keeps money of several currencies, and values it', async () => {
    const { message } = await record(
      newUser(),
      { type: Type.DEPOSIT, grossAmount: '500' },
      {
        type: Type.FX_CONVERSION,
        grossAmount: '125',
        counterCurrencyCode: 'EUR',
        counterAmount: '100',
        fee: '1',
      },
    )
    expect(message.portfolio).toMatchObject({ totalValue: '524', cashValue: '524' })
    expect(message.portfolio!.allocation).toMatchObject([
      { dimension: 'currency', key: 'EUR', value: '150' },
      { dimension: 'currency', key: 'USD', value: '374' },
    ])
  })
})
