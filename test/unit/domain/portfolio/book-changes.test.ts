import { describe, expect, it } from '@jest/globals'
import { decimal } from '../../../../src/domain/decimal.ts'
import { holdingChanged, lotChanges } from '../../../../src/domain/portfolio/book-changes.ts'
import { emptyHolding, type Holding, type Lot } from '../../../../src/domain/portfolio/holding.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { rowsOfState } from './stored-rows.ts'

const LOT: Lot = {
  openedSequence: 1,
  part: 0,
  accountId: '',
  acquiredAt: 0,
  quantityAcquired: decimal(2),
  quantity: decimal(2),
  basis: decimal(20),
}

function bookOf(...lots: readonly Lot[]) {
  return new Map([['', { ...emptyHolding('ACME', ''), lots }]])
}

describe('holdingChanged', () => {
  const before: Holding = {
    ...emptyHolding('ACME', ''),
    quantity: decimal(2),
    transactionCount: 1,
    lastEffectiveAt: 5,
  }

  it('is true for what was not there, false for equal amounts', () => {
    expect(holdingChanged(undefined, before)).toBe(true)
    expect(holdingChanged(before, { ...before, quantity: decimal('2.0') })).toBe(false)
  })

  it.each([
    { quantity: decimal(3) },
    { unknownQuantity: decimal(1) },
    { basis: decimal(1) },
    { realized: decimal(1) },
    { income: decimal(1) },
    { fees: decimal(1) },
    { taxes: decimal(1) },
    { capital: decimal(1) },
    { lotCount: 1 },
    { lastEffectiveAt: 6 },
    { transactionCount: 2 },
  ])('sees %j', (facts) => {
    expect(holdingChanged(before, { ...before, ...facts })).toBe(true)
  })
})

describe('lotChanges', () => {
  it.each([
    { quantity: decimal(1) },
    { quantityAcquired: decimal(3) },
    { basis: decimal(10) },
    { basis: null },
    { acquiredAt: 1 },
    { accountId: 'A' },
    { openedSequence: 2 },
    { part: 1 },
  ])('sees %j', (facts) => {
    expect(lotChanges(bookOf(LOT), bookOf({ ...LOT, ...facts })).changed).toHaveLength(1)
  })

  it('leaves out what is as it was', () => {
    const same = bookOf({ ...LOT, quantity: decimal('2.0') })
    expect(lotChanges(bookOf(LOT), same)).toEqual({ changed: [], closed: [] })
    expect(lotChanges(undefined, bookOf(LOT))).toEqual({ changed: [LOT], closed: [] })
  })

  it('sees a short that a backdated purchase made smaller, as little as is left of it', () => {
    const scenario = new Scenario({ allowShort: true, lotMethod: 'LIFO' })
    scenario.record(buy('10', '1', 1), sell('15', '2', 5), buy('3', '1', 7))
    // Of 5 sold short 2 are left; now only 2 are sold short by that sale, and 3 by a new one that is covered.
    scenario.record(buy('3', '1', 2), sell('3', '2', 6))
    const { state, rows } = scenario
    expect(scenario.lots()).toEqual(['-2 for -4'])
    expect(rows.content()).toEqual(rowsOfState(state, rows.matches()))
  })

  it('names what changed and what was closed between what stayed', () => {
    const first = { ...LOT, openedSequence: 1 }
    const second = { ...LOT, openedSequence: 2 }
    const third = { ...LOT, openedSequence: 3 }
    const fourth = { ...LOT, openedSequence: 4 }
    const fifth = { ...LOT, openedSequence: 5 }
    const halved = { ...third, quantity: decimal(1) }
    const after = bookOf(first, halved, fourth, fifth)
    expect(lotChanges(bookOf(first, second, third, fourth), after)).toEqual({
      changed: [halved, fifth],
      closed: [second],
    })
    expect(lotChanges(bookOf(first, second), bookOf())).toEqual({
      changed: [],
      closed: [first, second],
    })
    expect(lotChanges(bookOf(first), new Map())).toEqual({ changed: [], closed: [first] })
  })
})
