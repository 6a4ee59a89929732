import { type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { describe, expect, it } from '@jest/globals'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { act, splitOn } from '../support/corporate-actions.ts'
import { type RunningService, useService } from '../support/service.ts'
import { waitUntil } from '../support/store.ts'

const { reverseCorporateAction, upsertInstruments } = MarketDataService.method
const { listLots, listTransactions } = PortfolioService.method
const fixture = useService()

let names = 0
/** A symbol, and a user, that no other test has. */
const newName = (): string => `N${(names += 1)}`

const seconds = (text: string): bigint => BigInt(Date.parse(text) / 1_000)

/** Buys. */
async function trade(
  userId: string,
  symbol: string,
  [quantity, price, at]: readonly [number, number, string],
  service: RunningService = fixture.service,
): Promise<void> {
  const transactions = [{ symbol, quantity, price, timestamp: seconds(at) }]
  await service.client.update({ userId, transactions })
}

async function held(
  userId: string,
  at?: string,
  { client }: RunningService = fixture.service,
): Promise<Record<string, number>> {
  const { message } = await client.get({
    userId,
    ...(at !== undefined && { timestamp: seconds(at) }),
  })
  return Object.fromEntries(
    message.portfolio!.assets.map(({ symbol, quantity }) => [symbol, quantity]),
  )
}

function priced(symbol: string, price: string, day: string, splitAdjusted: boolean) {
  const pricedAt = timestampFromDate(new Date(`${day}T16:00:00Z`))
  return { symbol, price, splitAdjusted, pricedAt }
}

const minutesAgo = (minutes: number) => timestampFromDate(new Date(Date.now() - minutes * 60_000))

async function valueOf(userId: string, at: string): Promise<number> {
  const { message } = await fixture.client.get({ userId, timestamp: seconds(at) })
  return message.portfolio!.totalValue
}

describe('a split', () => {
  it('is in what every holder reads, has in lots and writes, past moments included', async () => {
    const [userId, symbol] = [newName(), newName()]
    await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
    await act(fixture.client, splitOn(symbol, '2024-03-05'))
    await trade(userId, symbol, [4, 110, '2024-03-05T00:00:00Z'])
    await trade(userId, symbol, [1, 120, '2024-03-07T10:00:00Z'])
    expect(await held(userId)).toEqual({ [symbol]: 45 })
    expect(await held(userId, '2024-03-04T23:59:59Z')).toEqual({ [symbol]: 10 })
    expect(await held(userId, '2024-03-05T12:00:00Z')).toEqual({ [symbol]: 44 })
    const { message } = await fixture.client.unary(listLots, { userId, symbols: [symbol] } as never)
    expect(message.lots.map((lot) => [lot.quantityOpen, lot.costBasis])).toEqual([
      ['40', '4000'],
      ['4', '440'],
      ['1', '120'],
    ])
  })

  it('pairs what was held then with a price of then, of either history', async () => {
    const [userId, raw, adjusted] = [newName(), newName(), newName()]
    for (const symbol of [raw, adjusted]) {
      await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
      await act(fixture.client, splitOn(symbol, '2024-03-05'))
    }
    await fixture.client.ingest({
      quotes: [
        priced(raw, '420', '2024-03-04', false),
        priced(raw, '110', '2024-03-05', false),
        priced(adjusted, '105', '2024-03-04', true),
        priced(adjusted, '110', '2024-03-05', true),
      ],
    })
    expect(await valueOf(userId, '2024-03-04T20:00:00Z')).toBe(2 * 4_200)
    expect(await valueOf(userId, '2024-03-05T10:00:00Z')).toBe(2 * 4_200)
    expect(await valueOf(userId, '2024-03-05T20:00:00Z')).toBe(2 * 4_400)
  })

  it('recorded late is in past reads from then on, and not in what was known before', async () => {
    const [userId, symbol] = [newName(), newName()]
    await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
    const past = '2024-03-06T00:00:00Z'
    expect(await held(userId, past)).toEqual({ [symbol]: 10 })
    const { message: before } = await fixture.client.get({ userId })
    const asKnownAt = before.computedAt!
    const actionId = await act(fixture.client, splitOn(symbol, '2024-03-05'))
    expect(await held(userId, past)).toEqual({ [symbol]: 40 })
    const then = await fixture.client.get({ userId, timestamp: seconds(past), asKnownAt })
    expect(then.message.portfolio!.assets[0]!.quantity).toBe(10)
    await fixture.client.unary(reverseCorporateAction, { corporateActionId: actionId })
    expect(await held(userId, past)).toEqual({ [symbol]: 10 })
    expect(await held(userId)).toEqual({ [symbol]: 10 })
  })

  it('and a dividend are no rows of the log, which lists what was recorded of the user', async () => {
    const [userId, symbol] = [newName(), newName()]
    await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
    const list = async () => {
      const { message } = await fixture.client.unary(listTransactions, { userId })
      return message.transactions.map((row) => [row.transactionId, row.quantity, row.price])
    }
    const before = await list()
    await act(fixture.client, splitOn(symbol, '2024-03-05'))
    const action = { case: 'cashDividend', value: { amountPerUnit: '1' } } as const
    await act(fixture.client, { instrumentId: symbol, exDate: '2024-03-06', action })
    expect(await held(userId)).toEqual({ [symbol]: 40 })
    expect(await list()).toEqual(before)
    expect(before).toEqual([['1', '10', '400']])
  })

  it('changes the etag that a reader holds', async () => {
    const [userId, symbol] = [newName(), newName()]
    await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
    const { etag } = (await fixture.client.get({ userId })).message
    await act(fixture.client, splitOn(symbol, '2024-03-05'))
    const { message } = await fixture.client.get({ userId, ifNoneMatch: etag })
    expect(message.notModified).toBe(false)
  })

  it('begins with the day of the exchange', async () => {
    const [userId, symbol] = [newName(), newName()]
    const instrument = { symbol, exchangeMic: 'XNYS', assetClass: AssetClass.EQUITY }
    await fixture.client.unary(upsertInstruments, { instruments: [instrument] })
    await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
    await act(fixture.client, splitOn(symbol, '2024-03-05'))
    expect(await held(userId, '2024-03-05T04:59:59Z')).toEqual({ [symbol]: 10 })
    expect(await held(userId, '2024-03-05T05:00:00Z')).toEqual({ [symbol]: 40 })
  })
})

describe('a jump in price near a simple ratio', () => {
  it('is told as a suspected split until one is recorded', async () => {
    const [userId, symbol] = [newName(), newName()]
    await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
    const ingest = (price: string, minutes: number) =>
      fixture.client.ingest({ quotes: [{ symbol, price, pricedAt: minutesAgo(minutes) }] })
    const seen = async () => {
      const { message } = await fixture.client.get({ userId })
      const { quality } = message.detail!
      return [message.portfolio!.totalValue, ...quality!.issues.map(({ reason }) => reason)]
    }
    await ingest('400', 60 * 48)
    await ingest('101', 30)
    await waitUntil(async () => (await seen()).includes('SPLIT_SUSPECTED'))
    expect(await seen()).toEqual([4_000, 'SPLIT_SUSPECTED'])
    await ingest('101.5', 20)
    expect(await seen()).toEqual([1_015, 'SPLIT_SUSPECTED'])
    const day = new Date(Date.now() - 30 * 60_000).toISOString().slice(0, 10)
    await act(fixture.client, splitOn(symbol, day))
    await waitUntil(async () => !(await seen()).includes('SPLIT_SUSPECTED'))
  })

  it('is told of the days after it too, as far as it was known', async () => {
    const [userId, symbol] = [newName(), newName()]
    await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
    const reasons = async (at: string, asKnownAt?: Timestamp) => {
      const sent = { userId, timestamp: seconds(at), ...(asKnownAt && { asKnownAt }) }
      const { message } = await fixture.client.get(sent)
      return message.detail!.quality!.issues.map(({ reason }) => reason)
    }
    const knownNow = async () => (await fixture.client.get({ userId })).message.computedAt!
    await fixture.client.ingest({ quotes: [priced(symbol, '400', '2024-03-04', false)] })
    const calm = await knownNow()
    await fixture.client.ingest({ quotes: [priced(symbol, '101', '2024-03-05', false)] })
    // What is quarantined changes no view: there is none of after it.
    const jumped = timestampFromDate(new Date(Date.now() + 1))
    expect(await reasons('2024-03-05T15:59:59Z')).toEqual([])
    expect(await reasons('2024-03-05T20:00:00Z')).toEqual(['SPLIT_SUSPECTED'])
    expect(await reasons('2024-03-05T20:00:00Z', calm)).toEqual([])
    // A later price of the old kind: it was one wrong price.
    await fixture.client.ingest({ quotes: [priced(symbol, '402', '2024-03-06', false)] })
    expect(await reasons('2024-03-06T20:00:00Z')).toEqual([])
    expect(await reasons('2024-03-05T20:00:00Z')).toEqual(['SPLIT_SUSPECTED'])
    await act(fixture.client, splitOn(symbol, '2024-03-05'))
    expect(await reasons('2024-03-05T20:00:00Z')).toEqual([])
    expect(await reasons('2024-03-05T20:00:00Z', jumped)).toEqual(['SPLIT_SUSPECTED'])
  })
})

describe('two replicas', () => {
  it('share what one was told, in what the other reads and writes', async () => {
    const there = await fixture.start()
    const [reader, writer, symbol] = [newName(), newName(), newName()]
    for (const userId of [reader, writer]) {
      await trade(userId, symbol, [10, 400, '2024-03-01T10:00:00Z'])
      expect(await held(userId, undefined, there)).toEqual({ [symbol]: 10 })
    }
    await act(fixture.client, splitOn(symbol, '2024-03-05'))
    await waitUntil(async () => (await held(reader, undefined, there))[symbol] === 40)
    await trade(writer, symbol, [1, 120, '2024-03-07T10:00:00Z'], there)
    expect(await held(writer, undefined, there)).toEqual({ [symbol]: 41 })
    await waitUntil(async () => (await held(writer))[symbol] === 41)
    const { rows } = await fixture.database.raw.query(
      'select quantity::text, action_epoch from holding where user_id = $1',
      [writer],
    )
    expect(rows).toEqual([{ quantity: '41', action_epoch: 1 }])
  })
})

describe('other actions', () => {
  it('spin off, merge and pay', async () => {
    const userId = newName()
    const [parent, child, big] = [newName(), newName(), newName()]
    await trade(userId, parent, [10, 10, '2024-03-01T10:00:00Z'])
    await act(fixture.client, {
      instrumentId: parent,
      exDate: '2024-03-05',
      action: {
        case: 'spinOff',
        value: { newInstrumentId: child, ratio: '0.5', basisFraction: '0.2' },
      },
    })
    await act(fixture.client, {
      instrumentId: child,
      exDate: '2024-03-06',
      action: { case: 'cashDividend', value: { amountPerUnit: '1', payDate: '2024-03-20' } },
    })
    await act(fixture.client, {
      instrumentId: parent,
      exDate: '2024-03-07',
      action: { case: 'merger', value: { newInstrumentId: big, ratio: '2', cashPerUnit: '3' } },
    })
    await act(fixture.client, {
      instrumentId: child,
      exDate: '2024-03-08',
      action: { case: 'merger', value: { cashPerUnit: '6' } },
    })
    expect(await held(userId)).toEqual({ [big]: 20 })
    await trade(userId, big, [1, 3, '2024-03-09T10:00:00Z'])
    const { message } = await fixture.client.get({ userId })
    const { profitLoss, costBasis } = message.detail!
    // 80 of basis less 30 of cash, and 3; 5 units of 20 for 30; 1 each on 5 units.
    expect([costBasis, profitLoss!.realized, profitLoss!.income]).toEqual(['53', '10', '5'])
  })

  it('change a symbol from a day on, and back', async () => {
    const [userId, symbol, renamed] = [newName(), newName(), newName()]
    const instrument = { symbol, assetClass: AssetClass.EQUITY }
    await fixture.client.unary(upsertInstruments, { instruments: [instrument] })
    await trade(userId, symbol, [1, 1, '2024-03-01T10:00:00Z'])
    const actionId = await act(fixture.client, {
      instrumentId: symbol,
      exDate: '2024-03-05',
      action: { case: 'symbolChange', value: { newSymbol: renamed } },
    })
    await trade(userId, renamed, [1, 1, '2024-03-06T10:00:00Z'])
    expect(await held(userId)).toEqual({ [renamed]: 2 })
    await fixture.client.unary(reverseCorporateAction, { corporateActionId: actionId })
    expect(await held(userId)).toEqual({ [symbol]: 2 })
    const failure = await failureOf(
      act(fixture.client, {
        instrumentId: newName(),
        exDate: '2024-03-05',
        action: { case: 'symbolChange', value: { newSymbol: renamed } },
      }),
    )
    expect(failure.reason).toBe('INSTRUMENT_UNKNOWN')
  })
})
