import { describe, expect, it } from '@jest/globals'
import { PriceMatrix } from '../../../../src/app/analytics/price-matrix.ts'
import { closeOf, lastClose } from '../../../../src/domain/analytics/close-matrix.ts'
import { action, dividend, known, split } from '../../domain/portfolio/actions.ts'
import { NO_RATE, SAME_CURRENCY } from '../../../../src/domain/analytics/valued-ledger.ts'

const NOBODY = { epoch: 0, get: () => undefined, resolve: () => undefined }
const TODAY = 1_000

function history(instrumentId: string, closes: Readonly<Record<number, number>>, currency = 'USD') {
  const days = Int32Array.from(Object.keys(closes), Number)
  return {
    instrumentId,
    currency,
    days,
    prices: Float64Array.from(Object.values(closes)),
    unitsOf: undefined,
  }
}

function read(matrix: PriceMatrix, instrumentId: string, day: number): number {
  return lastClose(matrix.matrix, matrix.rowOf(instrumentId), day)
}

describe('PriceMatrix', () => {
  it('keeps what it has when it grows to earlier days, later days and more instruments', () => {
    const matrix = new PriceMatrix(NOBODY)
    matrix.put(['A'], [history('A', { 990: 10, 995: 11 })], TODAY)
    const before = matrix.matrix
    matrix.put(['B', 'C'], [history('B', { 200: 5 })], TODAY)
    matrix.update([{ instrumentId: 'A', currency: 'USD', day: 5_000, price: 12, unitsOf: 0 }])
    expect([989, 990, 994, 995, 4_999, 5_000].map((day) => read(matrix, 'A', day))).toEqual([
      NaN,
      10,
      10,
      11,
      11,
      12,
    ])
    expect(read(matrix, 'B', 5_000)).toBe(5)
    expect(read(matrix, 'C', 5_000)).toBeNaN()
    // Who reads the old block goes on with it.
    expect(lastClose(before, 0, 5_000)).toBe(11)
  })

  it('takes in corrections of what it has, and nothing of what it has not', () => {
    const matrix = new PriceMatrix(NOBODY)
    matrix.put(['A'], [history('A', { 990: 10 })], TODAY)
    const { revision } = matrix
    matrix.update([{ instrumentId: 'B', currency: 'USD', day: 990, price: 7, unitsOf: 0 }])
    expect(matrix.revision).toBe(revision)
    expect(matrix.has('B')).toBe(false)
    matrix.update([{ instrumentId: 'A', currency: 'USD', day: 990, price: 9, unitsOf: 0 }])
    expect(read(matrix, 'A', 990)).toBe(9)
    expect(matrix.revision).not.toBe(revision)
  })

  it('takes no room for symbols and currencies that nobody quotes, until somebody does', () => {
    const matrix = new PriceMatrix(NOBODY)
    matrix.put(['A', 'EUR/USD'], [history('A', { 990: 10 }), history('EUR/USD', { 990: 2 })], TODAY)
    expect(matrix.rateRow('EUR', 'USD')).toBeGreaterThanOrEqual(0)
    matrix.put(['NONE'], [], TODAY)
    const { length } = matrix.matrix.closes
    for (let count = 0; count < 100; count += 1) {
      matrix.expect(1)
      matrix.put([`NONE${count}`], [], TODAY)
      expect(matrix.rateRow(`N${count}`, 'EUR')).toBe(NO_RATE)
    }
    expect(matrix.matrix.closes).toHaveLength(length)
    expect(matrix.has('NONE1')).toBe(true)
    expect(read(matrix, 'NONE1', TODAY)).toBeNaN()
    expect(matrix.missingPairs('N1', 'EUR')).toContain('N1/EUR')
    matrix.put(['N1/EUR'], [], TODAY)
    expect(matrix.missingPairs('N1', 'EUR')).not.toContain('N1/EUR')
    matrix.update([{ instrumentId: 'N1/EUR', currency: 'EUR', day: 990, price: 7, unitsOf: 0 }])
    expect(matrix.missingPairs('N1', 'EUR')).toContain('N1/EUR')
    // In the base currency of whoever holds it.
    matrix.update([{ instrumentId: 'NONE1', currency: '', day: 990, price: 7, unitsOf: 0 }])
    expect(matrix.has('NONE1')).toBe(false)
    matrix.put(['NONE1'], [history('NONE1', { 990: 7 }, '')], TODAY)
    expect(read(matrix, 'NONE1', TODAY)).toBe(7)
  })

  it('has what is quoted in another currency read anew', () => {
    const matrix = new PriceMatrix(NOBODY)
    matrix.put(['A'], [history('A', { 990: 10 })], TODAY)
    matrix.update([{ instrumentId: 'A', currency: 'EUR', day: 991, price: 9, unitsOf: 0 }])
    expect(matrix.has('A')).toBe(false)
    expect(read(matrix, 'A', 991)).toBe(10)
    matrix.put(['A'], [history('A', { 991: 9 }, 'EUR')], TODAY)
    expect(matrix.currencyOf('A')).toBe('EUR')
    expect(closeOf(matrix.matrix, matrix.rowOf('A'), 990)).toBeNaN()
  })

  it('has prices of units after the last split, of whichever moment they were', () => {
    const split2 = { ...action(1, 0, split(2, 1), { instrumentId: 'A' }), effectiveAt: 992 }
    let actions = known()
    const matrix = new PriceMatrix(NOBODY, () => actions)
    matrix.put(['A'], [history('A', { 990: 10, 995: 6 })], TODAY)
    const before = { place: matrix.rowOf('A'), matrix: matrix.matrix }
    actions = known(action(2, 0, dividend('1'), { instrumentId: 'A' }))
    expect(matrix.has('A')).toBe(true)
    actions = known(split2)
    expect([matrix.has('A'), matrix.needsUnits('A')]).toEqual([false, true])
    // Read without knowing that there is a split: that does not do.
    matrix.put(['A'], [history('A', { 990: 10 })], TODAY)
    expect(matrix.has('A')).toBe(false)
    const unitsOf = Float64Array.of(990, 995)
    matrix.put(['A'], [{ ...history('A', { 990: 10, 995: 6 }), unitsOf }], TODAY)
    expect([read(matrix, 'A', 990), read(matrix, 'A', 995)]).toEqual([5, 6])
    matrix.update([{ instrumentId: 'A', currency: 'USD', day: 991, price: 12, unitsOf: 991 }])
    expect(read(matrix, 'A', 991)).toBe(6)
    // Who began in the units of before ends in them.
    expect(lastClose(before.matrix, before.place, 990)).toBe(10)
  })

  it('makes rates of each day: quoted, inverted, crossed, and none', () => {
    const matrix = new PriceMatrix(NOBODY)
    const pairs = [...matrix.missingPairs('EUR', 'JPY'), ...matrix.missingPairs('GBP', 'EUR')]
    const quotes = [history('EUR/USD', { 990: 2, 992: 4 }), history('USD/JPY', { 991: 100 })]
    matrix.put(pairs, quotes, TODAY)
    const rate = (from: string, to: string) => {
      const row = matrix.rateRow(from, to)
      return [990, 991, 992, 993].map((day) => closeOf(matrix.matrix, row, day))
    }
    expect(rate('EUR', 'USD')).toEqual([2, 2, 4, 4])
    expect(rate('USD', 'EUR')).toEqual([0.5, 0.5, 0.25, 0.25])
    expect(rate('EUR', 'JPY')).toEqual([NaN, 200, 400, 400])
    expect(matrix.rateRow('EUR', 'EUR')).toBe(SAME_CURRENCY)
    expect(matrix.rateRow('GBP', 'EUR')).toBe(NO_RATE)
    matrix.update([{ instrumentId: 'EUR/USD', currency: 'USD', day: 993, price: 5, unitsOf: 0 }])
    expect(rate('EUR', 'USD')).toEqual([2, 2, 4, 5])
  })
})
