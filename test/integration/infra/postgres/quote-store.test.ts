import { expect, test } from '@jest/globals'
import type { QuoteStore } from '../../../../src/app/ports.ts'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import { useDatabase } from '../../../support/store.ts'

const SECOND = 1_000_000
const NOON = 1_700_000_000 * SECOND

const database = useDatabase()
let counter = 0
let symbol = ''

/** Every test asks for symbols of its own. */
function nextSymbol(): string {
  return `S${(counter += 1)}`
}

function quote(price: number | string, second: number, facts: Partial<Quote> = {}): Quote {
  return {
    instrumentId: symbol,
    price: decimal(price),
    currency: 'USD',
    pricedAt: NOON + second * SECOND,
    source: 'exchange',
    kind: 'REALTIME',
    splitAdjusted: false,
    ...facts,
  }
}

function at(second: number): number {
  return NOON + second * SECOND
}

function prices(quotes: readonly Quote[]): readonly string[] {
  return quotes.map(({ price }) => decimalText(price))
}

async function newest(store: QuoteStore, recordedSince?: number): Promise<readonly string[]> {
  const { quotes } = await store.readNewest(recordedSince)
  return prices(quotes.filter(({ instrumentId }) => instrumentId === symbol))
}

function openQuotes(): QuoteStore {
  symbol = nextSymbol()
  return database.openStore().quoteStore
}

test('a quote comes back as it went in', async () => {
  const store = openQuotes()
  const sent = [
    quote('123456789012345.000000000000001', 0.123456, { currency: 'EUR', source: 'A' }),
    quote('0.1', 1, { currency: '', kind: 'NAV', splitAdjusted: true, source: 'B' }),
  ]
  await store.append(sent, at(5))
  await store.append([], at(5))
  expect(await store.readAsOf([symbol], at(0.123456), undefined)).toEqual([sent[0]])
  // What is of an adjusted history tells up to when it is adjusted.
  const adjusted = { ...sent[1], recordedAt: at(5) }
  expect(await store.readAsOf([symbol], at(1), undefined)).toEqual([adjusted])
  const { quotes, recordedUntil } = await store.readNewest(at(5))
  expect(quotes).toEqual([adjusted])
  expect(recordedUntil).toBe(at(5))
  expect(await store.readNewest(at(6))).toEqual({ quotes: [], recordedUntil: undefined })
})

test('an older quote that comes late is kept, and is not the newest', async () => {
  const store = openQuotes()
  await store.append([quote(10, 10)], at(11))
  await store.append([quote(9, 9)], at(12))
  expect(await newest(store)).toEqual(['10'])
  // Nothing newer came, so nobody has to be told.
  expect(await newest(store, at(12))).toEqual([])
  expect(prices(await store.readAsOf([symbol], at(9.5), undefined))).toEqual(['9'])
  expect(prices(await store.readAsOf([symbol], at(8), undefined))).toEqual([])
  await store.append([quote(11, 10, { source: 'other' })], at(13))
  expect(await newest(store)).toEqual(['11'])
  expect(await newest(store, at(13))).toEqual(['11'])
})

test('the newest of a message is told by time, not by place; of one key the last counts', async () => {
  const store = openQuotes()
  await store.append([quote(3, 3), quote(1, 1), quote(2, 2)], at(4))
  expect(await newest(store)).toEqual(['3'])
  await store.append([quote(5, 5), quote(6, 5), quote(7, 5)], at(6))
  expect(await newest(store)).toEqual(['7'])
  expect(prices(await store.readAsOf([symbol], at(5), undefined))).toEqual(['7'])
  // A correction: the same moment, source and instrument again.
  await store.append([quote(8, 5)], at(7))
  expect(await newest(store)).toEqual(['8'])
  expect(prices(await store.readAsOf([symbol], at(5), undefined))).toEqual(['8'])
})

test('a read as of a moment sees only what had been recorded by another one', async () => {
  const store = openQuotes()
  await store.append([quote(1, 1)], at(10))
  await store.append([quote(2, 2)], at(20))
  const asOf = (when: number, recordedUntil: number | undefined) =>
    store.readAsOf([symbol, 'UNKNOWN'], at(when), recordedUntil && at(recordedUntil)).then(prices)
  expect(await asOf(30, undefined)).toEqual(['2'])
  expect(await asOf(30, 20)).toEqual(['2'])
  expect(await asOf(30, 19)).toEqual(['1'])
  expect(await asOf(30, 9)).toEqual([])
  expect(await asOf(1.5, undefined)).toEqual(['1'])
  expect(await asOf(2, undefined)).toEqual(['2'])
  expect(await store.readAsOf([], at(1), undefined)).toEqual([])
})

test('a quote that is sent again does not change what was known before', async () => {
  const store = openQuotes()
  await store.append([quote(1, 1)], at(10))
  await store.append([quote(1, 1)], at(20))
  expect(prices(await store.readAsOf([symbol], at(30), at(15)))).toEqual(['1'])
})

test('a correction does not change what was known before it, however often a quote is corrected', async () => {
  const store = openQuotes()
  for (const [round, price] of [1, 2, 1, 1, 3].entries()) {
    await store.append([quote(price, 1)], at(10 * (round + 1)))
  }
  const asKnown = async (second: number) =>
    prices(await store.readAsOf([symbol], at(5), at(second)))
  const known = await Promise.all([9, 10, 19, 20, 30, 45, 50].map(asKnown))
  expect(known).toEqual([[], ['1'], ['1'], ['2'], ['1'], ['1'], ['3']])
  expect(prices(await store.readAsOf([symbol], at(5), undefined))).toEqual(['3'])
  // The one that said nothing new is no record.
  const { rows } = await database.raw.query('select from quote where instrument_id = $1', [symbol])
  expect(rows).toHaveLength(4)
})

test('a correction from a replica whose clock is behind, or at the very same moment, is what counts', async () => {
  const store = openQuotes()
  const there = database.openStore().quoteStore
  const known = async () => [
    ...prices(await store.readAsOf([symbol], at(1), undefined)),
    ...(await newest(store)),
  ]
  await store.append([quote(1, 1)], at(20))
  await there.append([quote(2, 1)], at(19))
  expect(await known()).toEqual(['2', '2'])
  await store.append([quote(3, 1)], at(20))
  expect(await known()).toEqual(['3', '3'])
  // The same again is no correction, whatever the clock says.
  await there.append([quote(3, 1)], at(5))
  expect(await known()).toEqual(['3', '3'])
  const { rows } = await database.raw.query('select from quote where instrument_id = $1', [symbol])
  expect(rows).toHaveLength(3)
  expect(prices(await store.readAsOf([symbol], at(1), at(20)))).toEqual(['1'])
})

test('corrections of one quote at one moment by many replicas leave one answer to all', async () => {
  const store = openQuotes()
  const stores = Array.from({ length: 4 }, () => database.openStore().quoteStore)
  for (let round = 1; round <= 25; round += 1) {
    await Promise.all(stores.map((one, place) => one.append([quote(place + 1, round)], at(30))))
    const { quotes } = await store.readNewest(undefined)
    const found = prices(quotes.filter(({ instrumentId }) => instrumentId === symbol))
    expect(found).toHaveLength(1)
    expect(prices(await store.readAsOf([symbol], at(round), undefined))).toEqual(found)
  }
})

test('appends of the same symbols in opposite orders end without a deadlock', async () => {
  const stores = [database.openStore().quoteStore, database.openStore().quoteStore] as const
  const symbols = Array.from({ length: 200 }, nextSymbol)
  const rounds = Array.from({ length: 20 }, (_, round) => round)
  await Promise.all(
    rounds.map((round) =>
      stores[round % 2]!.append(
        (round % 2 === 0 ? symbols : symbols.toReversed()).map((instrumentId) =>
          quote(round + 1, round, { instrumentId }),
        ),
        at(100 + round),
      ),
    ),
  )
  const { quotes } = await stores[0].readNewest(undefined)
  const found = quotes.filter(({ instrumentId }) => symbols.includes(instrumentId))
  expect(new Set(prices(found))).toEqual(new Set(['20']))
  expect(found).toHaveLength(symbols.length)
})
