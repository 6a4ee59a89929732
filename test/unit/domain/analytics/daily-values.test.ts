import { describe, expect, it } from '@jest/globals'
import { valueDays } from '../../../../src/domain/analytics/daily-values.ts'
import { SAME_CURRENCY, type ValuedLedger } from '../../../../src/domain/analytics/valued-ledger.ts'
import { packLedger, type StoredEntry } from '../../../../src/domain/analytics/pack-ledger.ts'

const { NaN: NONE } = Number
const COUNTED = { fees: true, taxes: true }

function entry(day: number, facts: Partial<StoredEntry>): StoredEntry {
  const plain = { type: 'BUY', instrumentId: 'A', quantity: 0, price: 0 } as const
  return { ...plain, day, at: day * 86_400e6, isTracked: false, terms: undefined, ...facts }
}

/** Days from 100 on; a row of closes for each instrument, in the order in which the entries name them. */
function ledger(
  entries: readonly StoredEntry[],
  ...closes: readonly (readonly number[])[]
): ValuedLedger {
  const { numbers, instrumentIds, currencies } = packLedger(entries)
  const dayCount = closes[0]?.length ?? 1
  return {
    numbers,
    matrix: { firstDay: 100, dayCount, closes: Float64Array.from(closes.flat()) },
    priceRows: Int32Array.from(instrumentIds, (_, at) => (at < closes.length ? at : -1)),
    priceRates: Int32Array.from(instrumentIds, () => SAME_CURRENCY),
    baseRate: SAME_CURRENCY,
    cashRates: Int32Array.from(currencies, () => SAME_CURRENCY),
    groups: Int32Array.from(instrumentIds, (_, at) => at + 1),
    cashGroup: 0,
    groupCount: instrumentIds.length + 1,
  }
}

function valued(of: ValuedLedger, fromDay = 100, toDay = 104) {
  const days = valueDays(of, { fromDay, toDay, counted: COUNTED }, () => false)
  if (days === undefined) throw new Error('it was stopped')
  return days
}

const rowsOf = ({ whole }: ReturnType<typeof valued>) =>
  [...whole.days].map((day, row) => [
    day,
    whole.values[row],
    whole.inflows[row],
    whole.outflows[row],
    whole.observed[row],
  ])

/** Whatever is not of the base currency is converted at one rate. */
const inRow = (row: number) => ({
  priceRates: Int32Array.of(row),
  cashRates: Int32Array.of(row),
})

describe('valueDays', () => {
  it('has a row for each day with a quote or an entry, and for the last', () => {
    const entries = [
      entry(100, { quantity: 2, price: 10 }),
      entry(103, { type: 'SELL', quantity: 1, price: 14 }),
    ]
    expect(rowsOf(valued(ledger(entries, [10, 11, NONE, NONE, NONE])))).toEqual([
      [100, 20, 20, 0, 1],
      [101, 22, 0, 0, 1],
      [103, 11, 0, 14, 0],
      [104, 11, 0, 0, 0],
    ])
  })

  it('has a row where nothing but the rate moved, which is no observation', () => {
    const bought = [entry(100, { quantity: 2, price: 10 })]
    const rates = [1, 1, 1.5, 1.5, 2]
    const foreign = (of: ValuedLedger): ValuedLedger => ({ ...of, baseRate: 1, ...inRow(1) })
    const quoted = foreign(ledger(bought, [10, NONE, NONE, NONE, NONE], rates))
    expect(
      rowsOf(valued(quoted)).map(([day, value, , , observed]) => [day, value, observed]),
    ).toEqual([
      [100, 20, 1],
      [102, 30, 0],
      [104, 40, 0],
    ])
    const traded = foreign(ledger(bought, [NONE, NONE, NONE, NONE, NONE], rates))
    expect(rowsOf(valued(traded, 100, 103)).map(([day, value]) => [day, value])).toEqual([
      [100, 20],
      [102, 30],
      [103, 30],
    ])
    const deposit = { type: 'DEPOSIT', instrumentId: '', isTracked: true } as const
    const kept = ledger([entry(100, { ...deposit, terms: { amount: '7' } })], rates)
    const cash = { ...kept, baseRate: 0, priceRows: new Int32Array(), ...inRow(0) }
    expect(rowsOf(valued(cash, 100, 103)).map(([day, value]) => [day, value])).toEqual([
      [100, 7],
      [102, 10.5],
      [103, 10.5],
    ])
  })

  it('begins on the evening before, with what was held then', () => {
    const entries = [entry(100, { quantity: 2, price: 10 })]
    const days = valued(ledger(entries, [10, NONE, NONE, 13, 14]), 103)
    expect(rowsOf(days).map(([day, value]) => [day, value])).toEqual([
      [102, 20],
      [103, 26],
      [104, 28],
    ])
    expect(days.whole.inflows[0]).toBeGreaterThan(0)
  })

  it('values by the last trade what has no quote yet, and by nothing what has neither', () => {
    const bought = valued(
      ledger([entry(100, { quantity: 2, price: 10 })], [NONE, NONE, 12, NONE, NONE]),
    )
    expect(rowsOf(bought).map(([, value]) => value)).toEqual([20, 24, 24])
    const moved = valued(ledger([entry(100, { type: 'TRANSFER_IN', quantity: 2, price: 10 })]))
    expect(rowsOf(moved).map(([, value, inflow]) => [value, inflow])).toEqual([
      [NaN, NaN],
      [NaN, 0],
    ])
  })

  it('keeps cash, and lets only deposits, withdrawals and transfers be flows', () => {
    const tracked = { isTracked: true }
    const entries = [
      entry(100, { ...tracked, type: 'DEPOSIT', instrumentId: '', terms: { amount: '100' } }),
      entry(100, { ...tracked, quantity: 2, price: 10, terms: { fee: '1' } }),
      entry(101, { ...tracked, type: 'DIVIDEND', terms: { amount: '3', tax: '1' } }),
      entry(102, { ...tracked, type: 'WITHDRAWAL', instrumentId: '', terms: { amount: '50' } }),
    ]
    const days = valued(ledger(entries, [10, 10, 10, NONE, NONE]), 100, 102)
    expect(rowsOf(days).map(([, value, inflow, outflow]) => [value, inflow, outflow])).toEqual([
      [99, 100, 0],
      [101, 0, 0],
      [51, 0, 50],
    ])
    const [cash, shares] = days.groups
    expect([...(cash?.values ?? [])]).toEqual([79, 81, 31])
    expect([...(cash?.inflows ?? [])]).toEqual([100, 2, 0])
    expect([...(shares?.inflows ?? [])]).toEqual([21, 0, 0])
    expect([...(shares?.outflows ?? [])]).toEqual([0, 2, 0])
  })

  it('leaves nothing of what was sold in parts', () => {
    const tenth = [1, 2, 3].map(() => entry(100, { quantity: 0.1, price: 10 }))
    const days = valued(
      ledger([...tenth, entry(101, { type: 'SELL', quantity: 0.3, price: 10 })], [10, 10]),
      100,
      101,
    )
    expect(days.endQuantities[0]).toBe(0)
  })

  it('stops when it is told to', () => {
    const of = ledger([entry(100, { quantity: 1, price: 1 })], [1])
    expect(
      valueDays(of, { fromDay: 100, toDay: 104, counted: COUNTED }, () => true),
    ).toBeUndefined()
  })

  it('asks whether to stop once a year where nothing happens', () => {
    const years = 20
    const of = ledger([entry(100, { quantity: 1, price: 1 })], [1])
    let asked = 0
    const shouldStop = (): boolean => {
      asked += 1
      return false
    }
    valueDays(of, { fromDay: 100, toDay: 100 + years * 366, counted: COUNTED }, shouldStop)
    expect(asked).toBeGreaterThanOrEqual(years)
  })
})
