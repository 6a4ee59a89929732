import { describe, expect, it } from '@jest/globals'
import { pricesDigest, summaryOf } from '../../../../src/domain/portfolio/summary.ts'
import { valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import { MICROSECONDS_PER_DAY } from '../../../../src/domain/time.ts'
import { describedAs } from '../market-data/instruments.ts'
import { rich } from './rich-drafts.ts'
import { buy, NOW, quote, quoteSource, Scenario, sell } from './scenario.ts'

describe('summaryOf', () => {
  it('gives the double nearest to the exact decimal (decision 33)', () => {
    const scenario = new Scenario()
    scenario.record(buy('0.1', '1', 1), buy('0.2', '1', 2))
    expect(summaryOf(scenario.value({ ACME: '1' })).totalValue).toBe(0.3)
  })

  it('shows a loss in percent units and no negative zero', () => {
    const scenario = new Scenario()
    scenario.record(buy('8', '100', 1))
    const { performancePercentage, totalProfitLoss } = summaryOf(scenario.value({ ACME: '87.5' }))
    expect([performancePercentage, totalProfitLoss]).toEqual([-12.5, -100])
    expect(summaryOf(scenario.value({ ACME: '100' })).totalProfitLoss).toBe(0)
  })
})

describe('pricesDigest', () => {
  const scenario = new Scenario()
  scenario.record(buy('2', '10', 1), sell('1', '11', 2))
  const digest = (facts: Parameters<typeof quote>[2], price = '12', reporting = 'USD') =>
    pricesDigest(
      valuePortfolio(
        scenario.state,
        quoteSource(
          quote('ACME', price, facts),
          quote('EUR/USD', '1.25'),
          quote('CHF/USD', '1.25'),
        ),
        NOW,
        reporting,
      ),
    )

  it('is eight hex digits, the same for the same prices', () => {
    expect(digest({})).toMatch(/^[0-9a-f]{8}$/)
    expect(digest({})).toBe(digest({}))
  })

  it('changes with the rate that only a realised result is shown at', () => {
    const closed = new Scenario()
    closed.record(buy('2', '10', 1), sell('2', '11', 2))
    const [left, right] = ['1.25', '1.26'].map((rate) =>
      pricesDigest(valuePortfolio(closed.state, quoteSource(quote('EUR/USD', rate)), NOW, 'EUR')),
    )
    expect(left).not.toBe(right)
  })

  it('changes with the rate that only cash is valued at', () => {
    const inEuro = new Scenario()
    inEuro.record(rich('DEPOSIT', 1, { amount: '1', currency: 'EUR', exchangeRate: '1.2' }))
    const [left, right] = ['1.25', '1.26'].map((rate) =>
      pricesDigest(valuePortfolio(inEuro.state, quoteSource(quote('EUR/USD', rate)), NOW)),
    )
    expect(left).not.toBe(right)
  })

  it('changes when the same prices have become stale', () => {
    const quotes = quoteSource(quote('ACME', '12'))
    const [fresh, stale] = [NOW, NOW + 30 * MICROSECONDS_PER_DAY].map((now) =>
      pricesDigest(valuePortfolio(scenario.state, quotes, now)),
    )
    expect(fresh).not.toBe(stale)
  })

  it('changes with all that an answer shows of a position, one by one', () => {
    const { positions, ...valuation } = valuePortfolio(
      scenario.state,
      quoteSource(quote('ACME', '12')),
      NOW,
    )
    const [position] = positions
    const { holding, costBasis } = position!
    const instrument = describedAs('ACME', 'EQUITY')
    const shown = [
      {},
      { instrument },
      { instrument: { ...instrument, symbol: 'NEW' } },
      { instrument: { ...instrument, assetClass: 'ETF' as const } },
      { instrument: { ...instrument, multiplier: costBasis } },
      { holding: { ...holding, quantity: costBasis } },
      { price: costBasis },
      { source: 'second' },
      { currency: 'EUR' },
      { exchangeRate: costBasis },
      { valuedAt: NOW - 1 },
    ]
    const digests = shown.map((change) =>
      pricesDigest({ ...valuation, positions: [{ ...position!, ...change }] }),
    )
    expect(new Set(digests).size).toBe(shown.length)
  })

  it('changes with each thing that is wrong', () => {
    const valuation = valuePortfolio(scenario.state, quoteSource(quote('ACME', '12')), NOW)
    const issue = { symbol: 'ACME', reason: 'PRICE_STALE', detail: '' } as const
    const issues = [
      [],
      [issue],
      [issue, { ...issue, reason: 'SPLIT_SUSPECTED' as const }],
      [{ ...issue, symbol: 'B' }],
    ]
    const digests = issues.map((each) =>
      pricesDigest({ ...valuation, quality: { ...valuation.quality, issues: each } }),
    )
    expect(new Set(digests).size).toBe(issues.length)
  })

  it('changes with price, time, rate, quality and currency', () => {
    const digests = [
      digest({}),
      digest({}, '12.01'),
      digest({ pricedAt: NOW - 1 }),
      digest({ currency: 'EUR' }),
      digest({ currency: 'GBP' }),
      digest({}, '12', 'EUR'),
      digest({}, '12', 'CHF'),
    ]
    expect(new Set(digests).size).toBe(digests.length)
  })
})
