import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import type { ActionTerms } from '../../../../src/domain/market-data/corporate-action.ts'
import { currencyEffectsOf } from '../../../../src/domain/portfolio/currency-effect.ts'
import { foldLocally } from '../../../../src/domain/portfolio/local-fold.ts'
import { NO_TERMS, type TransactionDraft } from '../../../../src/domain/portfolio/transaction.ts'
import { valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import { action, dividend, learn, merger, spinOff, split } from './actions.ts'
import { buy, quote, quoteSource, Scenario, sell } from './scenario.ts'

/** A trade at a rate to the dollar. */
function at(rate: string, trade: TransactionDraft, currency = 'EUR'): TransactionDraft {
  return { ...trade, terms: { ...NO_TERMS, currency, exchangeRate: decimal(rate) } }
}

const EUROS: Readonly<Record<string, string>> = { ACME: 'EUR', CHILD: 'EUR', BIG: 'EUR' }
const RATES = { 'EUR/USD': decimal('1.2') }

interface Now {
  /** In euros, or dollars where `currencies` say nothing of the instrument. */
  readonly prices: Readonly<Record<string, string>>
  readonly rate?: string
  readonly currencies?: Readonly<Record<string, string>>
}

/** A return of 15 pounds a unit. */
function pounds(rates: Readonly<Record<string, string>>): ActionTerms {
  const pairs = Object.entries(rates).map(([pair, rate]) => [pair, decimal(rate)] as const)
  return dividend('15', {
    currency: 'GBP',
    rates: Object.fromEntries(pairs),
    returnOfCapital: true,
  })
}

/** Effects by instrument and in all, and what the assets brought besides. */
function effects(scenario: Scenario, { prices, rate = '1.5', currencies = EUROS }: Now) {
  const quotes = quoteSource(
    quote('EUR/USD', rate),
    quote('GBP/USD', '2'),
    ...Object.entries(prices).map(([id, price]) =>
      quote(id, price, { currency: currencies[id] ?? 'USD' }),
    ),
  )
  const due = scenario.actions.dueAt(scenario.now)
  const { state, ledger, now } = scenario
  const valuation = valuePortfolio(state, quotes, now)
  const currencyOf = (id: string): string => currencies[id] ?? ''
  const local = foldLocally(ledger, { settings: state.settings, currencyOf, due })
  const told = [...local].filter(([id, book]) => id in currencies || book === undefined)
  const { total, of } = currencyEffectsOf(state, valuation, new Map(told))
  return {
    total: total && decimalText(total),
    asset: total && decimalText(valuation.result.total.minus(total)),
    ...Object.fromEntries(
      valuation.positions.map((position) => {
        const effect = of(position)
        return [position.holding.instrumentId, effect && decimalText(effect)]
      }),
    ),
  }
}

function held(...terms: readonly ActionTerms[]): Scenario {
  const scenario = new Scenario()
  learn(scenario, ...terms.map((one, place) => action(place + 1, 100 + place, one)))
  // 1,000 euros for 1,100 dollars.
  scenario.record(at('1.1', buy('10', '100', 50)))
  return scenario
}

describe('the currency effect of what a corporate action changed', () => {
  it('of a spin-off is of the part of the cost that went along', () => {
    // 800 and 200 euros at 1.5: 1,200 and 300 for 880 and 220. The assets brought 200 and 100 euros at 1.5.
    const scenario = held(spinOff('CHILD', '0.5', '0.2'))
    expect(effects(scenario, { prices: { ACME: '100', CHILD: '60' } })).toEqual({
      ACME: '320',
      CHILD: '80',
      total: '400',
      asset: '450',
    })
    // Sold for 240 euros at 1.3: 80 of gain are 104 dollars, and 160 of cost from 1.1 to 1.3 are 32. Then for 60 at
    // 1.4: 20 are 28, and 40 from 1.1 to 1.4 are 12.
    scenario.record(at('1.3', sell('4', '60', 200, { instrumentId: 'CHILD' })))
    scenario.record(at('1.4', sell('1', '60', 210, { instrumentId: 'CHILD' })))
    expect(effects(scenario, { prices: { ACME: '80' } })).toEqual({
      ACME: '320',
      total: '364',
      asset: '132',
    })
  })

  it('of a merger for units goes along with them', () => {
    const scenario = held(merger('BIG', '2'))
    expect(effects(scenario, { prices: { BIG: '60' } })).toEqual({
      BIG: '400',
      total: '400',
      asset: '300',
    })
  })

  it('of a merger for cash is up to its day', () => {
    // 1,200 euros at 1.2 for 1,100 dollars: 200 euros of gain are 240, the rest are 100.
    const cash = { perUnit: decimal('120'), currency: 'EUR', rates: RATES }
    const scenario = held({ ...merger('', ''), cash } as ActionTerms)
    expect(effects(scenario, { prices: {} })).toEqual({ total: '100', asset: '240' })
  })

  it('of a merger for both is of what is left of the cost, and of the cash up to its day', () => {
    // 30 euros a unit are 300 at 1.2 off 1,000 at 1.1: 700 euros for 740 dollars, worth 1,050 at 1.5.
    const cash = { perUnit: decimal('30'), currency: 'EUR', rates: RATES }
    const scenario = held({ ...merger('BIG', '1'), cash } as ActionTerms)
    expect(effects(scenario, { prices: { BIG: '70' } })).toEqual({
      BIG: '310',
      total: '310',
      asset: '0',
    })
  })

  it('of a return of capital counts what exceeds the cost at the rate of its day', () => {
    // 130 euros a unit: 1,000 of cost for 1,100 dollars come back as 1,200, and 300 are gained at 1.2.
    const capital = dividend('130', { currency: 'EUR', rates: RATES, returnOfCapital: true })
    const scenario = held(capital)
    expect(effects(scenario, { prices: { ACME: '10' } })).toEqual({
      ACME: '100',
      total: '100',
      asset: '510',
    })
  })

  it('of a payment in a third currency needs its rate of then', () => {
    // 15 pounds are 20 euros and 24 dollars: 800 euros are left for 860 dollars.
    const known = held(pounds({ 'GBP/USD': '1.6', 'EUR/USD': '1.2' }))
    expect(effects(known, { prices: { ACME: '80' } })).toMatchObject({ ACME: '340', asset: '0' })
    const unknown = held(pounds({ 'GBP/USD': '1.6' }))
    expect(effects(unknown, { prices: { ACME: '80' } })).toMatchObject({ total: undefined })
  })

  it('is not told where units came from an instrument of another currency', () => {
    const scenario = held(spinOff('CHILD', '0.5', '0.2'))
    const currencies = { ACME: 'EUR' }
    expect(effects(scenario, { prices: { ACME: '100', CHILD: '60' }, currencies })).toEqual({
      ACME: '320',
      CHILD: undefined,
      total: undefined,
      asset: undefined,
    })
    const nothing = new Scenario()
    learn(nothing, action(1, 100, spinOff('CHILD', '0.5', '0.2')))
    nothing.record(at('1.1', buy('10', '100', 150)))
    expect(effects(nothing, { prices: { ACME: '100' }, currencies })).toMatchObject({ ACME: '400' })
  })

  it('is nothing while the rate stays, whatever happens', () => {
    const rates = { 'EUR/USD': decimal('0.5') }
    const terms = fc.constantFrom<ActionTerms>(
      split(3, 2),
      spinOff('CHILD', '0.3', '0.15'),
      dividend('7', { currency: 'EUR', rates, returnOfCapital: true }),
      {
        ...merger('BIG', '0.75'),
        cash: { perUnit: decimal('9'), currency: 'EUR', rates },
      } as never,
      { ...merger('', ''), cash: { perUnit: decimal('41'), currency: 'EUR', rates } } as never,
    )
    const trade = fc.record({
      isSale: fc.boolean(),
      quantity: fc.integer({ min: 1, max: 9 }),
      price: fc.integer({ min: 1, max: 99 }),
      second: fc.integer({ min: 51, max: 300 }),
      instrumentId: fc.constantFrom('ACME', 'ACME', 'CHILD', 'BIG'),
    })
    const method = fc.constantFrom('FIFO', 'HIFO', 'AVERAGE_COST')
    const acting = fc.array(fc.tuple(terms, fc.integer({ min: 40, max: 310 })), { maxLength: 4 })
    fc.assert(
      fc.property(fc.array(trade, { maxLength: 8 }), acting, method, (trades, acts, lotMethod) => {
        const scenario = new Scenario({ lotMethod, allowShort: true })
        learn(scenario, ...acts.map(([one, second], place) => action(place + 1, second, one)))
        scenario.record(at('0.5', buy('7', '30', 50)))
        for (const { isSale, quantity, price, second, instrumentId } of trades) {
          const make = isSale ? sell : buy
          const draft = make(`${quantity}`, `${price}`, second, { instrumentId })
          scenario.record(at('0.5', draft))
        }
        const now = { prices: { ACME: '64', CHILD: '3', BIG: '17' }, rate: '0.5' }
        expect(Math.abs(Number(effects(scenario, now).total ?? 'none'))).toBeLessThan(1e-25)
      }),
      { numRuns: 200 },
    )
  })
})
