import { describe, expect, it } from '@jest/globals'
import { matched, rich, sums } from './rich-drafts.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { plain } from './stored-rows.ts'

function naming(seconds: number, lot: string) {
  return rich('BUY', seconds, { quantity: '2', price: '10', lots: [[lot, '2']] })
}

describe('short positions (decision 4)', () => {
  it('need the setting', () => {
    const error = new Scenario().refuse(rich('SHORT_SELL', 1, { quantity: '1', price: '10' }))
    expect(error.reason).toBe('INSUFFICIENT_QUANTITY')
  })

  it('gain opening proceeds less covering cost, charges in both', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(rich('SHORT_SELL', 1, { quantity: '10', price: '50', fee: '5' }))
    expect(sums(scenario)).toMatchObject({ quantity: '-10', basis: '-495', realized: '0' })
    const change = scenario.record(rich('COVER', 2, { quantity: '4', price: '40', fee: '2' }))
    expect(matched(change)).toEqual([['1.0', '4', '162', '198', '36']])
    expect(sums(scenario)).toMatchObject({ quantity: '-6', basis: '-297', realized: '36' })
  })

  it('that are covered beyond what is short are refused, unlike a purchase', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('3', '10', 1))
    const error = scenario.refuse(rich('COVER', 2, { quantity: '4', price: '10' }))
    expect(error).toMatchObject({ reason: 'INSUFFICIENT_QUANTITY', metadata: { held: '3' } })
    scenario.record(buy('4', '9', 3))
    expect(scenario.lots()).toEqual(['1 for 9'])
  })

  it('are what a purchase names: without one it has no lot to name', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(rich('BUY', 1, { quantity: '5', price: '10' }))
    expect(scenario.refuse(naming(2, '1.0'))).toMatchObject({ reason: 'LOT_NOT_OPEN' })
    scenario.record(rich('SELL', 3, { quantity: '5', price: '10' }))
    scenario.record(rich('SHORT_SELL', 4, { quantity: '2', price: '12' }))
    expect(matched(scenario.record(naming(5, '3.0')))).toHaveLength(1)
  })

  it('share the charges of a sale through zero by its units', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(buy('4', '10', 1))
    scenario.record(rich('SELL', 2, { quantity: '10', price: '20', fee: '10' }))
    // 190 came in: 76 for the four held, 114 for the six short.
    expect(scenario.lots()).toEqual(['-6 for -114'])
    expect(sums(scenario)).toMatchObject({ realized: '36' })
  })

  it('are not covered by units of unknown cost, nor by carried lots', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('3', '10', 1))
    const [unknown, carried] = [
      rich('TRANSFER_IN', 2, { quantity: '3' }),
      rich('TRANSFER_IN', 2, { quantity: '3', carriedLots: [[0, '3', '30']] }),
    ]
    for (const draft of [unknown, carried]) {
      expect(scenario.refuse(draft).reason).toBe('BASIS_UNKNOWN')
    }
  })
})

describe('transfers with carried lots (decision 2)', () => {
  it('V11: first in, first out through two accounts, dates and basis kept', () => {
    const scenario = new Scenario()
    const [january, february] = [1, 32 * 86_400]
    const inA = { accountId: 'A' }
    scenario.record(buy('10', '100', january, inA), buy('20', '130', february, inA))
    const later = february + 86_400
    const out = scenario.record(rich('TRANSFER_OUT', later, { ...inA, quantity: '15' }))
    expect(out.matches).toEqual([])
    scenario.record(
      rich('TRANSFER_IN', later, {
        accountId: 'B',
        quantity: '15',
        carriedLots: [
          [january, '10', '1000'],
          [february, '5', '650'],
        ],
      }),
    )
    const lots = ['A', 'B'].map((accountId) =>
      (scenario.holding(accountId).lots ?? []).map((lot) =>
        plain([lot.acquiredAt, lot.quantity, lot.basis, lot.openedSequence, lot.part]),
      ),
    )
    const [first, second] = scenario.ledger
    expect(lots).toEqual([
      [[second!.effectiveAt, '15', '1950', 2, 0]],
      [
        [first!.effectiveAt, '10', '1000', 4, 0],
        [second!.effectiveAt, '5', '650', 4, 1],
      ],
    ])
    expect(sums(scenario, 'A')).toMatchObject({ realized: '0', capital: '1950' })
    expect(sums(scenario, 'B')).toMatchObject({ realized: '0', capital: '1650' })
    // A sale over all accounts takes January's units where they are now.
    const sale = scenario.record(sell('12', '140', later + 1))
    expect(matched(sale)).toEqual([
      ['4.0', '10', '1000', '1400', '400'],
      ['2.0', '2', '260', '280', '20'],
    ])
  })

  it('keep the order of acquisition among lots that are there already', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '9', 5))
    scenario.record(
      rich('TRANSFER_IN', 6, {
        quantity: '2',
        carriedLots: [
          [7, '1', '7'],
          [2, '1', '2'],
        ],
      }),
    )
    expect(scenario.lots()).toEqual(['1 for 2', '1 for 9', '1 for 7'])
  })

  it('carry a basis in their own currency, and charge apart', () => {
    const scenario = new Scenario()
    scenario.record(
      rich('TRANSFER_IN', 1, {
        quantity: '2',
        carriedLots: [[0, '2', '10']],
        currency: 'EUR',
        exchangeRate: '1.5',
        fee: '2',
      }),
    )
    expect(sums(scenario)).toMatchObject({ basis: '15', capital: '15', fees: '3' })
  })

  it('do not warn of an unknown basis, for it is known', () => {
    const change = new Scenario().record(
      rich('TRANSFER_IN', 1, { quantity: '2', carriedLots: [[0, '2', '10']] }),
    )
    expect(change.warnings).toEqual([])
  })

  it('name the lots that leave', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('10', '130', 2))
    scenario.record(rich('TRANSFER_OUT', 3, { quantity: '5', lots: [['2.0', '5']], fee: '1' }))
    expect(scenario.lots()).toEqual(['10 for 1000', '5 for 650'])
    expect(sums(scenario)).toMatchObject({ capital: '1650', fees: '1', realized: '0' })
  })
})

function twoLots(): Scenario {
  const scenario = new Scenario({ lotMethod: 'SPECIFIC_ID' })
  scenario.record(buy('10', '100', 1), buy('10', '130', 2))
  return scenario
}

describe('named lots', () => {
  it('are what a sale takes, in the order of their naming', () => {
    const scenario = twoLots()
    const lots = [
      ['2.0', '6'],
      ['1.0', '1'],
    ] as const
    const change = scenario.record(rich('SELL', 3, { quantity: '7', price: '150', lots }))
    expect(matched(change)).toEqual([
      ['2.0', '6', '780', '900', '120'],
      ['1.0', '1', '100', '150', '50'],
    ])
    expect(scenario.lots()).toEqual(['9 for 900', '4 for 520'])
  })

  it('overrule the method of the portfolio', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('10', '130', 2))
    scenario.record(rich('SELL', 3, { quantity: '2', price: '150', lots: [['2.0', '2']] }))
    expect(scenario.lots()).toEqual(['10 for 1000', '8 for 1040'])
  })

  it.each([
    ['never opened', [['9.0', '7']]],
    ['of another part', [['1.1', '7']]],
    ['with fewer units open', [['1.0', '11']]],
    [
      'named twice',
      [
        ['1.0', '3'],
        ['1.0', '4'],
      ],
    ],
  ] as const)('%s are refused', (_, lots) => {
    const scenario = twoLots()
    const quantity = String(lots.map(([, units]) => Number(units)).reduce((a, b) => a + b))
    const error = scenario.refuse(rich('SELL', 3, { quantity, price: '1', lots }))
    expect(error).toMatchObject({ reason: 'LOT_NOT_OPEN', metadata: { index: '0', held: '20' } })
    expect(scenario.refuse(rich('TRANSFER_OUT', 3, { quantity, lots })).reason).toBe('LOT_NOT_OPEN')
  })

  it('of another account are not open for this one', () => {
    const scenario = new Scenario()
    scenario.record(buy('5', '1', 1, { accountId: 'A' }), buy('5', '1', 2, { accountId: 'B' }))
    const sale = rich('SELL', 3, {
      accountId: 'B',
      quantity: '2',
      price: '1',
      lots: [['1.0', '2']],
    })
    expect(scenario.refuse(sale).reason).toBe('LOT_NOT_OPEN')
  })

  it('must be named by SPECIFIC_ID where there is a choice', () => {
    expect(twoLots().refuse(rich('SELL', 3, { quantity: '1', price: '150' })).reason).toBe(
      'LOTS_REQUIRED',
    )
    expect(twoLots().refuse(rich('OPTION_EXPIRY', 3, { quantity: '1' })).reason).toBe(
      'LOTS_REQUIRED',
    )
    twoLots().record(rich('SELL', 3, { quantity: '20', price: '150' }))
  })

  it('that a backdated sale takes first are not open any more for the later one', () => {
    const scenario = twoLots()
    scenario.record(rich('SELL', 5, { quantity: '8', price: '1', lots: [['1.0', '8']] }))
    const error = scenario.refuse(
      rich('SELL', 4, { quantity: '3', price: '1', lots: [['1.0', '3']] }),
    )
    expect(error).toMatchObject({ reason: 'LOT_NOT_OPEN', metadata: { index: '0' } })
  })

  it('that a sale through zero names close what they are, and open the rest', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(buy('2', '10', 1))
    const sale = rich('SELL', 2, { quantity: '5', price: '10', lots: [['1.0', '5']] })
    expect(scenario.refuse(sale).reason).toBe('LOT_NOT_OPEN')
  })
})
