import { describe, expect, it } from '@jest/globals'
import { decimalText } from '../../../../src/domain/decimal.ts'
import type { PortfolioChange } from '../../../../src/domain/portfolio/portfolio-change.ts'
import { rich } from './rich-drafts.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { plain } from './stored-rows.ts'

function sums(scenario: Scenario, accountId = '', instrumentId = 'ACME') {
  const { quantity, basis, realized, income, fees, taxes, capital } = scenario.holding(
    accountId,
    instrumentId,
  )
  return plain({ quantity, basis, realized, income, fees, taxes, capital })
}

const NOTHING = {
  quantity: '0',
  basis: '0',
  realized: '0',
  income: '0',
  fees: '0',
  taxes: '0',
  capital: '0',
}

function matched({ matches }: PortfolioChange): unknown {
  return matches.map(({ match }) => [
    `${match.lotSequence}.${match.lotPart}`,
    decimalText(match.quantity),
    plain(match.basis),
    decimalText(match.proceeds),
    plain(match.gain),
  ])
}

describe('fees and taxes of a trade (decision 30)', () => {
  it('raise the basis of a purchase and lower the proceeds of a sale, and are no charges', () => {
    const scenario = new Scenario()
    scenario.record(rich('BUY', 1, { quantity: '10', price: '100', fee: '2', tax: '3' }))
    expect(sums(scenario)).toEqual({ ...NOTHING, quantity: '10', basis: '1005', capital: '1005' })
    const change = scenario.record(
      rich('SELL', 2, { quantity: '4', price: '150', fee: '1', tax: '1' }),
    )
    expect(matched(change)).toEqual([['1.0', '4', '402', '598', '196']])
    expect(sums(scenario)).toEqual({
      ...NOTHING,
      quantity: '6',
      basis: '603',
      realized: '196',
      capital: '1005',
    })
  })

  it('are shared by the lots of a sale, the last with the remainder', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1), buy('1', '10', 2), buy('1', '10', 3))
    const change = scenario.record(rich('SELL', 4, { quantity: '3', price: '10', fee: '1' }))
    expect(matched(change)).toMatchObject([
      ['1.0', '1', '10', '9.666666666666666666666666666666667', expect.any(String)],
      ['2.0', '1', '10', '9.666666666666666666666666666666667', expect.any(String)],
      ['3.0', '1', '10', '9.666666666666666666666666666666666', expect.any(String)],
    ])
    expect(sums(scenario)).toMatchObject({ realized: '-1', basis: '0' })
  })

  it('of a foreign trade are converted at the rate of its day (decision 27)', () => {
    const scenario = new Scenario()
    const euro = { currency: 'EUR', exchangeRate: '1.25' }
    scenario.record(rich('BUY', 1, { ...euro, quantity: '10', price: '100', fee: '4' }))
    scenario.record(
      rich('SELL', 2, { ...euro, exchangeRate: '1.5', quantity: '5', price: '100', fee: '2' }),
    )
    expect(sums(scenario)).toMatchObject({ basis: '627.5', realized: '119.5' })
    expect(plain(scenario.holding().lastTrade?.price)).toBe('150')
  })

  it('can eat the whole proceeds: a worthless sale at price 0 is recorded (decision 16)', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '1', 1), rich('SELL', 2, { quantity: '10', price: '0', fee: '3' }))
    expect(sums(scenario)).toMatchObject({ realized: '-13', basis: '0' })
  })
})

describe('income (decision 29)', () => {
  it.each(['DIVIDEND', 'COUPON', 'INTEREST'] as const)(
    '%s counts gross, its charges apart, and touches neither basis nor units',
    (type) => {
      const scenario = new Scenario()
      scenario.record(buy('10', '100', 1))
      scenario.record(rich(type, 2, { instrumentId: 'ACME', amount: '20', fee: '1', tax: '5' }))
      expect(sums(scenario)).toEqual({
        ...NOTHING,
        quantity: '10',
        basis: '1000',
        capital: '1000',
        income: '20',
        fees: '1',
        taxes: '5',
      })
      expect(plain(scenario.value({ ACME: '100' }).result)).toMatchObject({
        income: '20',
        fees: '1',
        taxes: '5',
        total: '14',
      })
    },
  )

  it('of no instrument stands in the total and in no row', () => {
    const scenario = new Scenario()
    scenario.record(rich('INTEREST', 1, { amount: '7', currency: 'EUR', exchangeRate: '2' }))
    const valuation = scenario.value({})
    expect(valuation.assets).toEqual([])
    expect(plain(valuation.result)).toMatchObject({ income: '14', total: '14' })
  })

  it('may come before or after anything is held', () => {
    const scenario = new Scenario()
    scenario.record(rich('DIVIDEND', 1, { amount: '3' }))
    scenario.record(buy('1', '10', 2), sell('1', '10', 3), rich('DIVIDEND', 4, { amount: '4' }))
    expect(sums(scenario)).toMatchObject({ income: '7', realized: '0' })
  })
})

describe('stand-alone charges (decision 30)', () => {
  it('lower the profit, whether of an instrument or of the portfolio', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '100', 1))
    scenario.record(rich('FEE', 2, { instrumentId: 'ACME', amount: '3' }))
    scenario.record(rich('TAX', 3, { amount: '4', fee: '1' }))
    expect(sums(scenario)).toMatchObject({ fees: '3', taxes: '0', basis: '100' })
    expect(sums(scenario, '', '')).toMatchObject({ fees: '1', taxes: '4' })
    expect(plain(scenario.value({ ACME: '110' }).result)).toEqual({
      realized: '0',
      unrealized: '10',
      income: '0',
      fees: '4',
      taxes: '4',
      total: '2',
    })
  })
})

describe('return of capital (decision 29)', () => {
  it('lowers the basis of the open lots by their units, and gains nothing', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('30', '50', 2))
    scenario.record(rich('RETURN_OF_CAPITAL', 3, { amount: '80' }))
    expect(scenario.lots()).toEqual(['10 for 980', '30 for 1440'])
    expect(sums(scenario)).toMatchObject({ basis: '2420', realized: '0', capital: '2500' })
  })

  it('beyond the basis of a lot is gained', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '1', 1), buy('10', '100', 2))
    scenario.record(rich('RETURN_OF_CAPITAL', 3, { amount: '50' }))
    expect(scenario.lots()).toEqual(['10 for 0', '10 for 975'])
    expect(sums(scenario)).toMatchObject({ basis: '975', realized: '15' })
  })

  it('is shared by accounts, unless it names one', () => {
    const scenario = new Scenario()
    const inA = { accountId: 'A' }
    scenario.record(buy('10', '10', 1), buy('30', '10', 1, inA))
    scenario.record(rich('RETURN_OF_CAPITAL', 2, { amount: '40' }))
    expect([scenario.lots(), scenario.lots('A')]).toEqual([['10 for 90'], ['30 for 270']])
    scenario.record(rich('RETURN_OF_CAPITAL', 3, { amount: '30', ...inA }))
    expect([scenario.lots(), scenario.lots('A')]).toEqual([['10 for 90'], ['30 for 240']])
  })

  it('lowers the average where units have one', () => {
    const scenario = new Scenario({ lotMethod: 'AVERAGE_COST' })
    scenario.record(buy('10', '1', 1), buy('10', '100', 2))
    scenario.record(rich('RETURN_OF_CAPITAL', 3, { amount: '50' }))
    expect(scenario.lots()).toEqual(['10 for 480', '10 for 480'])
    expect(sums(scenario)).toMatchObject({ realized: '0' })
  })

  it('of nothing held is refused', () => {
    const scenario = new Scenario()
    const error = scenario.refuse(rich('RETURN_OF_CAPITAL', 1, { amount: '1' }))
    expect(error.reason).toBe('INSUFFICIENT_QUANTITY')
  })

  it('adds up exactly where it does not divide', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '9', 1), buy('1', '9', 2), buy('1', '9', 3))
    scenario.record(rich('RETURN_OF_CAPITAL', 4, { amount: '1' }))
    expect(sums(scenario)).toMatchObject({ basis: '26', realized: '0' })
  })

  it('keeps the total of profit and loss what the money says', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '10', 1))
    scenario.record(rich('RETURN_OF_CAPITAL', 2, { amount: '130', fee: '1' }))
    // 100 paid, 130 less 1 received, worth 20.
    expect(plain(scenario.value({ ACME: '2' }).result.total)).toBe('49')
  })

  it('leaves units of unknown cost alone', () => {
    const scenario = new Scenario()
    scenario.record(rich('TRANSFER_IN', 1, { quantity: '10' }), buy('10', '10', 2))
    scenario.record(rich('RETURN_OF_CAPITAL', 3, { amount: '20' }))
    expect(scenario.lots()).toEqual(['10 for unknown', '10 for 90'])
  })
})

describe('staking reward', () => {
  it('is income at its worth, which is its cost from then on', () => {
    const scenario = new Scenario()
    scenario.record(rich('STAKING_REWARD', 1, { quantity: '2', price: '30', fee: '1', tax: '4' }))
    expect(sums(scenario)).toEqual({
      quantity: '2',
      basis: '60',
      realized: '0',
      income: '60',
      fees: '1',
      taxes: '4',
      capital: '60',
    })
    expect(plain(scenario.value({ ACME: '40' }).result.total)).toBe('75')
  })

  it('covers a short position first', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('3', '10', 1), rich('STAKING_REWARD', 2, { quantity: '5', price: '4' }))
    expect(scenario.lots()).toEqual(['2 for 8'])
    expect(sums(scenario)).toMatchObject({ realized: '18', income: '20' })
  })
})

describe('options', () => {
  it('that expire worthless lose what they cost', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '3', 1))
    const change = scenario.record(rich('OPTION_EXPIRY', 2, { quantity: '4' }))
    expect(matched(change)).toEqual([['1.0', '4', '12', '0', '-12']])
    expect(sums(scenario)).toMatchObject({ quantity: '6', realized: '-12', capital: '30' })
  })

  it('that were written keep their premium', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(rich('SHORT_SELL', 1, { quantity: '10', price: '3', fee: '1' }))
    const change = scenario.record(rich('OPTION_EXPIRY', 2, { quantity: '10', fee: '2' }))
    expect(matched(change)).toEqual([['1.0', '10', '0', '29', '29']])
    expect(sums(scenario)).toMatchObject({ quantity: '0', realized: '29', fees: '2' })
  })

  it('that are exercised end without money: the shares are a trade of their own', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '3', 1), rich('OPTION_EXERCISE', 2, { quantity: '1' }))
    expect(sums(scenario)).toMatchObject({ quantity: '0', realized: '-3' })
  })

  it.each(['OPTION_EXPIRY', 'OPTION_EXERCISE'] as const)('%s of more than is held', (type) => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(buy('1', '3', 1))
    expect(scenario.refuse(rich(type, 2, { quantity: '2' }))).toMatchObject({
      reason: 'INSUFFICIENT_QUANTITY',
      metadata: { held: '1', needed: '2' },
    })
  })

  it('say nothing about the price', () => {
    const scenario = new Scenario()
    scenario.record(buy('2', '3', 1), rich('OPTION_EXPIRY', 2, { quantity: '1' }))
    expect(plain(scenario.holding().lastTrade?.price)).toBe('3')
  })
})

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

describe('named lots', () => {
  const twoLots = (): Scenario => {
    const scenario = new Scenario({ lotMethod: 'SPECIFIC_ID' })
    scenario.record(buy('10', '100', 1), buy('10', '130', 2))
    return scenario
  }

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
