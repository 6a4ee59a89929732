import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import { currencyEffectsOf } from '../../../../src/domain/portfolio/currency-effect.ts'
import { foldLocally } from '../../../../src/domain/portfolio/local-fold.ts'
import type { PortfolioSettings } from '../../../../src/domain/portfolio/state.ts'
import { NO_TERMS, type TransactionDraft } from '../../../../src/domain/portfolio/transaction.ts'
import { valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import { rich } from './rich-drafts.ts'
import { buy, quote, quoteSource, Scenario, sell, transferIn } from './scenario.ts'

/** A trade in euros at a rate. */
function euros(trade: TransactionDraft, rate: string): TransactionDraft {
  return { ...trade, terms: { ...NO_TERMS, currency: 'EUR', exchangeRate: decimal(rate) } }
}

interface Now {
  readonly price: string
  readonly rate: string
  readonly reporting?: string
  readonly settings?: Partial<PortfolioSettings>
}

function effects(drafts: readonly TransactionDraft[], { price, rate, reporting, settings }: Now) {
  const scenario = new Scenario(settings)
  scenario.record(...drafts)
  const quotes = quoteSource(
    quote('ACME', price, { currency: 'EUR' }),
    quote('EUR/USD', rate),
    quote('USD/CHF', '0.8'),
  )
  const valuation = valuePortfolio(scenario.state, quotes, scenario.now, reporting)
  const rules = { settings: scenario.state.settings, currencyOf: () => 'EUR' }
  const local = foldLocally(scenario.ledger, rules)
  const { total, of } = currencyEffectsOf(scenario.state, valuation, local)
  return {
    total: total && decimalText(total),
    positions: valuation.positions.map(of).map((effect) => effect && decimalText(effect)),
    result: decimalText(valuation.result.total),
  }
}

describe('the currency effect (decision 27)', () => {
  it('is what the rates made of the cost, realised and not', () => {
    // Sold: 400 euros of cost from 1.1 to 1.3 are 80. Held: 600 from 1.1 to 1.2 are 60.
    // The asset brought 80 euros at 1.3 and 180 at 1.2, 104 + 216.
    const drafts = [euros(buy('10', '100', 1), '1.1'), euros(sell('4', '120', 2), '1.3')]
    expect(effects(drafts, { price: '130', rate: '1.2' })).toEqual({
      total: '140',
      positions: ['140'],
      result: '460',
    })
    expect(effects(drafts, { price: '130', rate: '1.2', reporting: 'CHF' })).toEqual({
      total: '112',
      positions: ['112'],
      result: '368',
    })
  })

  it('stays when all is sold', () => {
    const drafts = [euros(buy('10', '100', 1), '1.1'), euros(sell('10', '100', 2), '1.3')]
    expect(effects(drafts, { price: '130', rate: '9' })).toEqual({
      total: '200',
      positions: [],
      result: '200',
    })
  })

  it('is of the lots that were sold, though another is the dearest in euros', () => {
    const drafts = [
      euros(buy('1', '100', 1), '2'),
      euros(buy('1', '150', 2), '1'),
      euros(sell('1', '100', 3), '2'),
    ]
    const now = { price: '150', rate: '1', settings: { lotMethod: 'HIFO' } } as const
    expect(effects(drafts, now)).toEqual({ total: '0', positions: ['0'], result: '0' })
  })

  it('is not told of trades in several currencies', () => {
    const drafts = [euros(buy('1', '100', 1), '2'), buy('1', '100', 2)]
    expect(effects(drafts, { price: '100', rate: '2' })).toMatchObject({
      total: undefined,
      positions: [undefined],
    })
  })

  it('leaves out units of unknown cost', () => {
    const drafts = [euros(buy('1', '100', 1), '1'), euros(transferIn('1', '0', 2), '1')]
    expect(effects(drafts, { price: '100', rate: '2' })).toMatchObject({ total: '100' })
  })

  it('is not told of what is valued at its last trade, in the base currency of then', () => {
    const scenario = new Scenario()
    scenario.record(euros(buy('10', '100', 1), '1.1'))
    const valuation = valuePortfolio(scenario.state, quoteSource(), scenario.now)
    const rules = { settings: scenario.state.settings, currencyOf: () => 'EUR' }
    const local = foldLocally(scenario.ledger, rules)
    expect(currencyEffectsOf(scenario.state, valuation, local).total).toBeUndefined()
  })

  it('does not ask in which currency income came: it is in no cost', () => {
    const income = rich('DIVIDEND', 2, { amount: '7' })
    const drafts = [euros(buy('1', '100', 1), '1.1'), income]
    expect(effects(drafts, { price: '100', rate: '1.2' })).toMatchObject({
      total: '10',
      result: '17',
    })
  })

  it('is nothing while the rate stays, whatever was bought and sold', () => {
    const trade = fc.record({
      isSale: fc.boolean(),
      quantity: fc.integer({ min: 1, max: 9 }),
      price: fc.integer({ min: 1, max: 99 }),
    })
    const method = fc.constantFrom('FIFO', 'LIFO', 'HIFO', 'LOFO', 'AVERAGE_COST')
    fc.assert(
      fc.property(fc.array(trade, { maxLength: 8 }), method, (trades, lotMethod) => {
        const drafts = trades.map(({ isSale, quantity, price }, index) => {
          const make = isSale ? sell : buy
          return euros(make(`${quantity}`, `${price}`, index + 2), '0.5')
        })
        const settings = { lotMethod, allowShort: true } as const
        const all = [euros(buy('7', '30', 1), '0.5'), ...drafts]
        const { total = 'none' } = effects(all, { price: '64', rate: '0.5', settings })
        expect(Math.abs(Number(total))).toBeLessThan(1e-25)
      }),
      { numRuns: 200 },
    )
  })
})
