import { describe, expect, it } from '@jest/globals'
import { matched, rich, sums } from './rich-drafts.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { plain } from './stored-rows.ts'

const NOTHING = {
  quantity: '0',
  basis: '0',
  realized: '0',
  income: '0',
  fees: '0',
  taxes: '0',
  capital: '0',
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
