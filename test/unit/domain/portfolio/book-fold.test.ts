import { describe, expect, it } from '@jest/globals'
import { BookFold } from '../../../../src/domain/portfolio/book-fold.ts'
import { emptyHolding } from '../../../../src/domain/portfolio/holding.ts'
import { DEFAULT_SETTINGS } from '../../../../src/domain/portfolio/state.ts'
import { at, buy, Scenario, sell, transferIn, transferOut } from './scenario.ts'
import { plain } from './stored-rows.ts'

function amounts(scenario: Scenario, accountId = '') {
  const { quantity, basis, realized, capital } = scenario.holding(accountId)
  return plain({ quantity, basis, realized, capital })
}

describe('matches of a disposal', () => {
  it('tell lot, cost, proceeds and gain, and add up to the sale', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1), buy('2', '20', 2))
    const { matches } = scenario.record(sell('3', '7', 3))
    const shared = {
      disposalSequence: 3,
      disposedAt: at(3),
      lotPart: 0,
      accountId: '',
      rule: 'FIFO',
    }
    expect(plain(matches.map(({ match }) => match))).toEqual([
      {
        ...shared,
        part: 0,
        lotSequence: 1,
        acquiredAt: at(1),
        quantity: '1',
        basis: '10',
        proceeds: '7',
        gain: '-3',
      },
      {
        ...shared,
        part: 1,
        lotSequence: 2,
        acquiredAt: at(2),
        quantity: '2',
        basis: '40',
        proceeds: '14',
        gain: '-26',
      },
    ])
  })

  it('leave the remainder of the proceeds to the last one', () => {
    const scenario = new Scenario()
    const [third, price] = ['1.111111111111111111', '123.456789012345678901']
    scenario.record(buy(third, '1', 1), buy(third, '1', 2), buy(third, '1', 3))
    const { matches } = scenario.record(sell('3.333333333333333333', price, 4))
    // Each share and the whole are rounded to 34 digits: three equal shares would be 1e-31 too much.
    expect(plain(matches.map(({ match }) => match.proceeds))).toEqual([
      '137.1742100137174209873936901097394',
      '137.1742100137174209873936901097394',
      '137.1742100137174209873936901097393',
    ])
  })
})

describe('transfers (decisions 1 to 3)', () => {
  it('out take lots with their cost, first in first out, and realise nothing', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('10', '130', 2))
    const { matches } = scenario.record(transferOut('12', 3))
    expect(matches).toEqual([])
    expect(scenario.lots()).toEqual(['8 for 1040'])
    expect(amounts(scenario)).toEqual({
      quantity: '8',
      basis: '1040',
      realized: '0',
      capital: '1040',
    })
  })

  it('out of more than is held are refused, shorts allowed or not', () => {
    for (const allowShort of [false, true]) {
      const scenario = new Scenario({ allowShort })
      scenario.record(buy('1', '10', 1))
      const error = scenario.refuse(transferOut('2', 2))
      expect(error.reason).toBe('INSUFFICIENT_QUANTITY')
      expect(error.metadata).toMatchObject({ held: '1', needed: '2', index: '0' })
    }
  })

  it('in with a price open a lot of that cost', () => {
    const scenario = new Scenario()
    scenario.record(transferIn('4', '25', 1), sell('1', '30', 2))
    expect(amounts(scenario)).toEqual({ quantity: '3', basis: '75', realized: '5', capital: '100' })
  })

  it('in without a price have an unknown cost and no result when they are sold', () => {
    const scenario = new Scenario()
    scenario.record(transferIn('4', '0', 1), buy('1', '10', 2))
    expect(plain(scenario.holding().unknownQuantity)).toBe('4')
    const { matches } = scenario.record(sell('5', '20', 3))
    expect(plain(matches.map(({ match }) => [match.basis, match.proceeds, match.gain]))).toEqual([
      [null, '80', null],
      ['10', '20', '10'],
    ])
    expect(plain(scenario.holding().unknownQuantity)).toBe('0')
    expect(amounts(scenario)).toEqual({ quantity: '0', basis: '0', realized: '10', capital: '10' })
  })

  it('out of units of unknown cost carry none away', () => {
    const scenario = new Scenario()
    scenario.record(transferIn('4', '0', 1), buy('1', '10', 2), transferOut('3', 3))
    expect(plain(scenario.holding().unknownQuantity)).toBe('1')
    expect(amounts(scenario)).toMatchObject({ quantity: '2', basis: '10', capital: '10' })
  })

  it('never change the price of the last trade', () => {
    const scenario = new Scenario()
    scenario.record(buy('2', '10', 1), transferIn('4', '25', 2), transferOut('1', 3))
    expect(plain(scenario.holding().lastTrade)).toEqual({ price: '10', at: at(1) })
  })
})

describe('shorts (decision 4)', () => {
  it('are refused by default and open nothing', () => {
    const error = new Scenario().refuse(sell('5', '10', 1))
    expect(error.metadata).toMatchObject({ held: '0', needed: '5' })
  })

  it('have a negative quantity and cost', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('10', '50', 1))
    expect(scenario.lots()).toEqual(['-10 for -500'])
    expect(amounts(scenario)).toEqual({
      quantity: '-10',
      basis: '-500',
      realized: '0',
      capital: '0',
    })
  })

  it('gain what they opened for less what covering costs', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('10', '50', 1))
    const { matches } = scenario.record(buy('4', '40', 2))
    expect(
      plain(matches.map(({ match }) => [match.quantity, match.proceeds, match.basis, match.gain])),
    ).toEqual([['4', '200', '160', '40']])
    expect(amounts(scenario)).toEqual({
      quantity: '-6',
      basis: '-300',
      realized: '40',
      capital: '160',
    })
  })

  it('split a sale through zero into a close and an open', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(buy('4', '10', 1))
    const { matches, closedLots } = scenario.record(sell('10', '15', 2))
    expect(plain(matches.map(({ match }) => [match.quantity, match.proceeds, match.gain]))).toEqual(
      [['4', '60', '20']],
    )
    expect(closedLots).toMatchObject([
      { instrumentId: 'ACME', lot: { accountId: '', openedSequence: 1, part: 0 } },
    ])
    expect(scenario.lots()).toEqual(['-6 for -90'])
  })

  it('split a purchase through zero the same way', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('4', '10', 1), buy('10', '15', 2))
    expect(scenario.lots()).toEqual(['6 for 90'])
    expect(amounts(scenario)).toEqual({
      quantity: '6',
      basis: '90',
      realized: '-20',
      capital: '150',
    })
  })

  it('split even what does not divide without a residue', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(buy('0.3', '1', 1), sell('0.7', '0.123456789012345678', 2))
    scenario.record(buy('0.4', '0.2', 3))
    expect(amounts(scenario)).toMatchObject({
      quantity: '0',
      basis: '0',
      realized: '-0.2935802476913580254',
    })
  })

  it('are covered by a transfer in at its cost', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('4', '10', 1), transferIn('4', '6', 2))
    expect(amounts(scenario)).toEqual({ quantity: '0', basis: '0', realized: '16', capital: '24' })
  })

  it('are not covered by units of unknown cost', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('4', '10', 1))
    expect(scenario.refuse(transferIn('4', '0', 2)).reason).toBe('BASIS_UNKNOWN')
  })

  it('follow the lot method', () => {
    const scenario = new Scenario({ allowShort: true, lotMethod: 'LIFO' })
    scenario.record(sell('4', '10', 1), sell('4', '12', 2), buy('4', '9', 3))
    expect(scenario.lots()).toEqual(['-4 for -40'])
  })
})

describe('accounts', () => {
  it('keep their lots apart', () => {
    const scenario = new Scenario()
    const [inA, inB] = [{ accountId: 'A' }, { accountId: 'B' }]
    scenario.record(buy('5', '10', 1, inA), buy('5', '20', 2, inB), sell('3', '30', 3, inB))
    expect(scenario.lots('A')).toEqual(['5 for 50'])
    expect(scenario.lots('B')).toEqual(['2 for 40'])
    expect(scenario.refuse(sell('3', '30', 4, inB)).metadata).toMatchObject({ held: '2' })
  })

  it('are sold from over all of them when none is named', () => {
    const scenario = new Scenario()
    scenario.record(
      buy('5', '20', 2, { accountId: 'A' }),
      buy('5', '10', 1, { accountId: 'B' }),
      buy('1', '30', 3),
    )
    const { matches } = scenario.record(sell('7', '30', 4))
    expect(plain(matches.map(({ match }) => [match.accountId, match.quantity]))).toEqual([
      ['B', '5'],
      ['A', '2'],
    ])
    expect(amounts(scenario, 'A')).toMatchObject({ quantity: '3', realized: '20' })
    expect(amounts(scenario, 'B')).toMatchObject({ quantity: '0', realized: '100' })
    expect(amounts(scenario)).toMatchObject({ quantity: '1', realized: '0' })
    expect(scenario.rows.content()).toMatchObject({
      holdings: [
        ['ACME ', { quantity: '1', transactionCount: 2, lotCount: 1 }],
        ['ACME A', { quantity: '3', transactionCount: 1, lotCount: 1 }],
        ['ACME B', { quantity: '0', transactionCount: 1, lotCount: 0 }],
      ],
    })
  })
})

describe('BookFold', () => {
  it('refuses to fold onto lots that are not loaded', () => {
    const book = new Map([['', { ...emptyHolding('ACME', ''), lots: undefined }]])
    expect(() => new BookFold(book, DEFAULT_SETTINGS)).toThrow('needs the open lots')
  })

  it('leaves the book it began with as it was', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1))
    const before = scenario.state
    const text = JSON.stringify(plain(before.books))
    scenario.record(sell('4', '110', 2))
    expect(JSON.stringify(plain(before.books))).toBe(text)
  })
})
