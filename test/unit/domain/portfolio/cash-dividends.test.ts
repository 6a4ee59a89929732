import { describe, expect, it } from '@jest/globals'
import { decimal } from '../../../../src/domain/decimal.ts'
import { action, balances, dividend, learn, merger, read, said, split, totals } from './actions.ts'
import { rich } from './rich-drafts.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { plain } from './stored-rows.ts'

describe('a cash dividend', () => {
  it('is income on what is held when the ex-date begins', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, dividend('0.5')))
    scenario.record(buy('10', '10', 50), sell('4', '10', 60), buy('100', '10', 100))
    expect(totals(scenario)).toEqual(['106', '1060', '0', '3'])
  })

  it('counts per unit of before a split of the same day, in whatever order they are recorded', () => {
    for (const [first, second] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const scenario = new Scenario()
      learn(scenario, action(first, 100, dividend('1')), action(second, 100, split(2, 1)))
      scenario.record(buy('10', '10', 50))
      expect(totals(scenario)).toEqual(['20', '100', '0', '10'])
    }
  })

  it('that returns capital lowers the basis, and is gained where it exceeds it', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, dividend('4', { returnOfCapital: true })))
    scenario.record(buy('10', '3', 50), buy('10', '13', 60))
    expect(scenario.lots()).toEqual(['10 for 0', '10 for 90'])
    expect(totals(scenario)).toEqual(['20', '90', '10', '0'])
  })

  it('in another currency is worth what it was on its day', () => {
    const rates = { 'EUR/USD': decimal('1.25') }
    const scenario = new Scenario()
    learn(scenario, action(1, 100, dividend('2', { currency: 'EUR', rates })))
    scenario.record(buy('10', '10', 50))
    expect(totals(scenario)[3]).toBe('25')
    expect(said(scenario).issues).toEqual([])
  })

  it('that nobody knew a rate of is money in its own currency, no income, and named', () => {
    const rates = { 'EUR/USD': decimal('1.25') }
    const scenario = new Scenario({ baseCurrency: 'CHF' })
    const flow = rich('DEPOSIT', 40, { amount: '1000' })
    scenario.record(flow, buy('10', '10', 50), buy('1', '1', 60, { instrumentId: 'OTHER' }))
    const terms = dividend('2', { currency: 'EUR', rates })
    learn(scenario, action(1, 100, terms), action(2, 110, split(2, 1)))
    const named = {
      symbol: 'ACME',
      reason: 'FX_MISSING',
      detail: expect.stringContaining('from EUR to CHF'),
    }
    for (const write of [undefined, buy('1', '5', 150), sell('21', '5', 160)]) {
      if (write !== undefined) scenario.record(write)
      const seen = read(scenario)
      expect(totals(seen)[3]).toBe('0')
      expect(balances(seen)).toContainEqual(['EUR', '20'])
      expect(said(seen).completeness).toBe('PARTIAL')
      expect(said(seen).issues).toContainEqual(named)
    }
    // Nothing is left of it, and the result lacks the income all the same.
    expect(totals(scenario)[0]).toBe('0')
    learn(scenario, action(1, 100, terms, { reversedAt: scenario.now, epoch: 3 }))
    expect(said(read(scenario)).issues).not.toContainEqual(named)
  })

  it('that nobody knew a rate of is nothing to who held none', () => {
    const scenario = new Scenario({ baseCurrency: 'CHF' })
    learn(scenario, action(1, 100, dividend('2', { currency: 'EUR' })))
    scenario.record(buy('10', '10', 150))
    expect(said(scenario).issues).toEqual([])
  })

  it('for capital, and a merger, wait for a rate with what they would change', () => {
    const scenario = new Scenario({ baseCurrency: 'CHF' })
    const capital = dividend('2', { currency: 'EUR', returnOfCapital: true })
    const cashTerms = { perUnit: decimal('9'), currency: 'EUR', rates: {} }
    const terms = { ...merger('BIG', '2'), cash: cashTerms } as const
    learn(scenario, action(1, 100, capital), action(2, 110, terms))
    scenario.record(rich('DEPOSIT', 40, { amount: '1000' }), buy('10', '10', 50))
    expect(totals(scenario)).toEqual(['10', '100', '0', '0'])
    expect(balances(scenario)).toEqual([
      ['', '900'],
      ['EUR', '20'],
    ])
    expect(said(scenario).issues.map(({ reason }) => reason)).toContain('FX_MISSING')
  })

  it('is paid by who sold short', () => {
    const scenario = new Scenario({ allowShort: true })
    learn(scenario, action(1, 100, dividend('0.5')))
    scenario.record(sell('10', '10', 50))
    expect(totals(scenario)).toEqual(['-10', '-100', '0', '-5'])
  })

  it('is in tracked cash from the ex-date on, and leaves it when it is reversed', () => {
    const rates = { 'EUR/USD': decimal('1.25') }
    const terms = dividend('2', { currency: 'EUR', rates })
    const scenario = new Scenario()
    scenario.record(rich('DEPOSIT', 40, { amount: '1000' }), buy('10', '10', 50))
    learn(scenario, action(1, 100, terms), action(2, 30, dividend('9')))
    expect(balances(read(scenario))).toEqual([
      ['', '900'],
      ['EUR', '20'],
    ])
    scenario.record(buy('1', '1', 60, { instrumentId: 'OTHER' }))
    expect(balances(scenario)).toEqual([
      ['', '899'],
      ['EUR', '20'],
    ])
    scenario.record(buy('1', '100', 55))
    expect(balances(scenario)).toEqual([
      ['', '799'],
      ['EUR', '22'],
    ])
    learn(scenario, action(1, 100, terms, { reversedAt: scenario.now, epoch: 3 }))
    expect(balances(read(scenario))).toEqual([['', '799']])
    scenario.record(buy('1', '1', 200))
    expect(balances(scenario)).toEqual([['', '798']])
  })

  it('is in cash that begins to be tracked before it, and after all that was recorded', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, dividend('2')))
    scenario.record(buy('10', '10', 50))
    scenario.record(rich('DEPOSIT', 60, { amount: '7' }))
    expect(plain(scenario.state.cash.balances)).toEqual([['', '27']])
  })
})
