import { describe, expect, it } from '@jest/globals'
import { PRICE_AGE_MAX_MICROSECONDS, type Quote } from '../../../../src/domain/market-data/quote.ts'
import { type Valuation, valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import { rfc3339 } from '../../../../src/domain/time.ts'
import { at, buy, NOW, quote, quoteSource, Scenario, sell, transferIn } from './scenario.ts'
import { plain } from './stored-rows.ts'

const OTHER = { instrumentId: 'OTHER' }

function reasons({ quality }: Valuation): readonly string[] {
  return quality.issues.map(({ symbol, reason }) => `${symbol} ${reason}`)
}

/** Ten ACME for 1000 and one OTHER for 10, valued at these quotes. */
function valueAt(quotes: readonly Quote[], reporting = 'USD'): Valuation {
  const scenario = new Scenario()
  scenario.record(buy('10', '100', 1), buy('1', '10', 2, OTHER))
  return valuePortfolio(scenario.state, quoteSource(...quotes), NOW, reporting)
}

describe('quality (decision 36)', () => {
  it('is complete when every price is fresh', () => {
    const valuation = valueAt([quote('ACME', '1'), quote('OTHER', '1', { pricedAt: NOW - 5 })])
    expect(valuation.quality).toEqual({ completeness: 'COMPLETE', pricedAt: NOW - 5, issues: [] })
  })

  it('is stale when a price is older than allowed, and not a microsecond before', () => {
    const old = NOW - PRICE_AGE_MAX_MICROSECONDS
    const [fresh, stale] = [old, old - 1].map((pricedAt) =>
      valueAt([quote('ACME', '1'), quote('OTHER', '1', { pricedAt })]),
    )
    expect(fresh!.quality.completeness).toBe('COMPLETE')
    expect(stale!.quality.completeness).toBe('STALE')
    expect(stale!.quality.issues).toEqual([
      { symbol: 'OTHER', reason: 'PRICE_STALE', detail: `priced at ${rfc3339(old - 1)}` },
    ])
    expect(plain(stale!.totalValue)).toBe('11')
  })

  it('falls back to the last trade and says so', () => {
    const valuation = valueAt([quote('ACME', '120')])
    expect(plain(valuation.positions[1])).toMatchObject({
      source: 'TRADE',
      price: '10',
      pricedAt: at(2),
      value: '10',
    })
    expect(valuation.quality).toMatchObject({ completeness: 'STALE', pricedAt: at(2) })
    expect(reasons(valuation)).toEqual(['OTHER PRICE_STALE'])
    expect(valuation.quality.issues[0]!.detail).toContain('2020-01-01T00:00:02Z')
  })

  it('takes a trade for no quote, however fresh', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10'))
    const { quality } = valuePortfolio(scenario.state, quoteSource(), scenario.now)
    expect(quality).toMatchObject({ completeness: 'STALE', pricedAt: scenario.now })
  })

  it('takes the latest trade of any account of the instrument', () => {
    const scenario = new Scenario()
    scenario.record(transferIn('2', '5', 9), buy('2', '10', 1, { accountId: 'A' }))
    scenario.record(buy('2', '30', 3, { accountId: 'B' }), sell('1', '20', 4, { accountId: 'A' }))
    const { positions } = valuePortfolio(scenario.state, quoteSource(), NOW)
    expect(plain(positions.map(({ price, pricedAt }) => [price, pricedAt]))).toEqual([
      ['20', at(4)],
      ['20', at(4)],
      ['20', at(4)],
    ])
  })

  it('keeps the row of what has no price at all, and leaves it out of the totals', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1, OTHER), transferIn('10', '100', 1))
    const valuation = valuePortfolio(scenario.state, quoteSource(quote('OTHER', '12')), NOW)
    expect(plain(valuation.assets)).toEqual([
      { instrumentId: 'ACME', symbol: 'ACME', quantity: '10', value: '0', profitLoss: '0' },
      { instrumentId: 'OTHER', symbol: 'OTHER', quantity: '1', value: '12', profitLoss: '2' },
    ])
    expect(plain(valuation)).toMatchObject({
      totalValue: '12',
      result: { total: '2' },
      simpleReturn: '0.2',
      quality: { completeness: 'PARTIAL', pricedAt: NOW },
    })
    expect(reasons(valuation)).toEqual(['ACME PRICE_MISSING'])
    expect(valuation.positions[0]).toMatchObject({
      price: undefined,
      marketValue: undefined,
      pricedAt: undefined,
      source: '',
    })
  })

  it('is partial when a rate is missing, worse than stale', () => {
    const valuation = valueAt([quote('ACME', '90', { currency: 'EUR' })])
    expect(valuation.quality.completeness).toBe('PARTIAL')
    expect(reasons(valuation)).toEqual(['ACME FX_MISSING', 'OTHER PRICE_STALE'])
    expect(valuation.quality.issues[0]!.detail).toContain('EUR')
    expect(plain(valuation)).toMatchObject({
      totalValue: '10',
      result: { total: '0' },
      simpleReturn: '0',
    })
  })

  it('leaves the denominator alone where the proceeds of a short cannot be valued', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('10', '50', 1), buy('1', '10', 1, OTHER))
    const quotes = quoteSource(quote('ACME', '40', { currency: 'EUR' }), quote('OTHER', '12'))
    expect(plain(valuePortfolio(scenario.state, quotes, NOW))).toMatchObject({
      result: { total: '2' },
      simpleReturn: '0.2',
    })
  })

  it('is partial when the reporting currency has no rate', () => {
    const valuation = valueAt([quote('ACME', '90'), quote('OTHER', '10')], 'EUR')
    expect(reasons(valuation)).toEqual(['ACME FX_MISSING', 'OTHER FX_MISSING'])
    expect(plain(valuation)).toMatchObject({ totalValue: '0', result: { total: '0' } })
  })

  it('is partial when only a realised result lacks its rate', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1), sell('1', '15', 2))
    const { quality } = valuePortfolio(scenario.state, quoteSource(), NOW, 'EUR')
    // Otherwise a profit of 5 USD is shown as 0 EUR without a mark.
    expect(quality.completeness).toBe('PARTIAL')
  })

  it.each<[string, string, Partial<Quote>]>([
    ['to the base currency', 'USD', { currency: 'EUR' }],
    ['to the reporting currency', 'EUR', {}],
  ])('is stale when the rate %s is, and as old as that', (_, reporting, facts) => {
    const pricedAt = NOW - PRICE_AGE_MAX_MICROSECONDS - 1
    const { quality } = valueAt(
      [quote('ACME', '90', facts), quote('OTHER', '10'), quote('EUR/USD', '1.25', { pricedAt })],
      reporting,
    )
    expect(quality).toMatchObject({ completeness: 'STALE', pricedAt })
  })
})
