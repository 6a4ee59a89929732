import { describe, expect, it } from '@jest/globals'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import { valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import { reversalOf, rich } from './rich-drafts.ts'
import { at, buy, quote, quoteSource, Scenario, sell } from './scenario.ts'
import { plain } from './stored-rows.ts'

/** Balances by currency; undefined = not tracked. */
function balances({ state: { cash } }: Scenario): unknown {
  return cash.since === undefined
    ? undefined
    : Object.fromEntries(plain(cash.balances) as [string, string][])
}

describe('tracking (decision 31)', () => {
  it('is off until money is recorded: trades are paid from outside', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1), rich('DIVIDEND', 2, { amount: '3' }))
    scenario.record(rich('FEE', 3, { amount: '1' }))
    expect(balances(scenario)).toBeUndefined()
    expect(plain(scenario.value({ ACME: '10' }))).toMatchObject({
      totalValue: '10',
      cashValue: '0',
      cash: [],
    })
  })

  it('begins with the first deposit: what came before stays outside', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1))
    scenario.record(rich('DEPOSIT', 2, { amount: '100' }))
    expect(scenario.state.cash.since).toBe(at(2))
    scenario.record(buy('2', '20', 3))
    expect(balances(scenario)).toEqual({ '': '60' })
    expect(plain(scenario.value({ ACME: '20' }))).toMatchObject({
      totalValue: '120',
      cashValue: '60',
      cash: [{ currency: 'USD', amount: '60', exchangeRate: '1', value: '60' }],
      result: { total: '10' },
    })
  })

  it('begins with a withdrawal as well, and may be owed', () => {
    const scenario = new Scenario()
    scenario.record(rich('WITHDRAWAL', 1, { amount: '5', fee: '1' }))
    expect(balances(scenario)).toEqual({ '': '-6' })
    expect(plain(scenario.value({}).result)).toMatchObject({ fees: '1', total: '-1' })
  })

  it('counts what happens at the very moment of the first deposit', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1))
    scenario.record(rich('DEPOSIT', 1, { amount: '100' }))
    expect(balances(scenario)).toEqual({ '': '90' })
  })

  it('begins earlier with a backdated deposit: what followed it is counted anew', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1), buy('1', '20', 5))
    scenario.record(rich('DEPOSIT', 7, { amount: '100' }))
    expect(balances(scenario)).toEqual({ '': '100' })
    scenario.record(rich('DEPOSIT', 3, { amount: '50' }))
    expect(scenario.state.cash.since).toBe(at(3))
    expect(balances(scenario)).toEqual({ '': '130' })
  })

  it('counts a backdated trade only when it is after the first deposit', () => {
    const scenario = new Scenario()
    scenario.record(rich('DEPOSIT', 5, { amount: '100' }), buy('1', '10', 9))
    scenario.record(buy('1', '20', 4))
    expect(balances(scenario)).toEqual({ '': '90' })
    scenario.record(buy('1', '30', 6))
    expect(balances(scenario)).toEqual({ '': '60' })
  })

  it('asks for the whole ledger only when it begins before what is recorded', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 5))
    scenario.record(rich('DEPOSIT', 6, { amount: '100' }))
    expect(scenario.ledger).toHaveLength(2)
    scenario.record(rich('DEPOSIT', 7, { amount: '1' }))
    expect(scenario.state.cash.since).toBe(at(6))
  })

  it('ends when its only deposit is taken back', () => {
    const scenario = new Scenario()
    scenario.record(rich('DEPOSIT', 1, { amount: '100' }), buy('1', '10', 2))
    scenario.record(reversalOf(scenario.ledger[0]!))
    expect(balances(scenario)).toBeUndefined()
    expect(plain(scenario.value({ ACME: '12' }).totalValue)).toBe('12')
  })

  it('begins where a deposit replaces what was no deposit', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1), buy('1', '10', 3))
    scenario.record(reversalOf(scenario.ledger[0]!), rich('DEPOSIT', 2, { amount: '100' }))
    expect(balances(scenario)).toEqual({ '': '90' })
  })
})

describe('what each type does to cash', () => {
  const money = { amount: '20', fee: '1', tax: '2' }
  const trade = { quantity: '2', price: '10', fee: '1', tax: '2' }
  const units = { quantity: '2', fee: '1', tax: '2' }

  it.each([
    ['BUY', trade, '-23'],
    ['SELL', trade, '17'],
    ['SHORT_SELL', trade, '17'],
    ['STAKING_REWARD', trade, '-3'],
    ['TRANSFER_IN', trade, '-3'],
    ['TRANSFER_OUT', units, '-3'],
    ['OPTION_EXERCISE', units, '-3'],
    ['OPTION_EXPIRY', units, '-3'],
    ['DEPOSIT', money, '17'],
    ['WITHDRAWAL', money, '-23'],
    ['DIVIDEND', money, '17'],
    ['INTEREST', money, '17'],
    ['COUPON', money, '17'],
    ['RETURN_OF_CAPITAL', money, '17'],
    ['FEE', money, '-23'],
    ['TAX', money, '-23'],
  ] as const)('%s', (type, facts, expected) => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(buy('2', '10', 1), rich('DEPOSIT', 2, { amount: '1000' }))
    scenario.record(rich(type, 3, facts))
    expect(balances(scenario)).toEqual({ '': String(1_000 + Number(expected)) })
  })

  it('COVER', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('2', '10', 1), rich('DEPOSIT', 2, { amount: '1000' }))
    scenario.record(rich('COVER', 3, trade))
    expect(balances(scenario)).toEqual({ '': '977' })
  })
})

describe('currencies', () => {
  const euro = { currency: 'EUR', exchangeRate: '1.25' }

  it('are kept apart, each in its own', () => {
    const scenario = new Scenario()
    scenario.record(rich('DEPOSIT', 1, { ...euro, amount: '100' }))
    scenario.record(rich('BUY', 2, { ...euro, quantity: '1', price: '30', fee: '2' }))
    scenario.record(rich('DEPOSIT', 3, { amount: '7' }))
    expect(balances(scenario)).toEqual({ '': '7', EUR: '68' })
  })

  it('are valued at the present rate, and left out and named where there is none', () => {
    const scenario = new Scenario()
    scenario.record(rich('DEPOSIT', 1, { ...euro, amount: '100' }))
    scenario.record(rich('DEPOSIT', 2, { amount: '7' }))
    const valued = (...quotes: readonly Quote[]) =>
      valuePortfolio(scenario.state, quoteSource(...quotes), scenario.now)
    expect(plain(valued(quote('EUR/USD', '2')))).toMatchObject({
      totalValue: '207',
      cashValue: '207',
      cash: [
        { currency: 'USD', amount: '7', value: '7' },
        { currency: 'EUR', amount: '100', exchangeRate: '2', value: '200' },
      ],
    })
    const partial = valued()
    expect(plain(partial.totalValue)).toBe('7')
    expect(partial.quality).toMatchObject({
      completeness: 'PARTIAL',
      issues: [{ reason: 'FX_MISSING', detail: expect.stringContaining('EUR') as unknown }],
    })
  })

  it('are shown in the reporting currency by way of the base currency', () => {
    const scenario = new Scenario()
    scenario.record(rich('DEPOSIT', 1, { amount: '10' }))
    const rate = quoteSource(quote('USD/GBP', '0.5'))
    const valuation = valuePortfolio(scenario.state, rate, scenario.now, 'GBP')
    expect(plain(valuation)).toMatchObject({ totalValue: '5', cashValue: '5' })
  })

  it('change into each other: one goes, the other comes, the fee in what goes', () => {
    const scenario = new Scenario()
    scenario.record(rich('DEPOSIT', 1, { amount: '200' }))
    scenario.record(
      rich('FX_CONVERSION', 2, {
        amount: '125',
        fee: '1',
        counterCurrency: 'EUR',
        counterAmount: '100',
      }),
    )
    expect(balances(scenario)).toEqual({ '': '74', EUR: '100' })
    scenario.record(rich('FX_CONVERSION', 3, { ...euro, amount: '100', counterAmount: '130' }))
    expect(balances(scenario)).toEqual({ '': '204', EUR: '0' })
    expect(plain(scenario.holding('', '').fees)).toBe('1')
  })

  it('a conversion alone does not begin the tracking', () => {
    const scenario = new Scenario()
    scenario.record(
      rich('FX_CONVERSION', 2, { amount: '1', counterCurrency: 'EUR', counterAmount: '1' }),
    )
    expect(balances(scenario)).toBeUndefined()
  })
})
