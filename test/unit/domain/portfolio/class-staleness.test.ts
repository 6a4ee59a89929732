import { expect, it } from '@jest/globals'
import { decimalText } from '../../../../src/domain/decimal.ts'
import type { AssetClass } from '../../../../src/domain/market-data/asset-class.ts'
import { effectiveQuote } from '../../../../src/domain/market-data/effective-quote.ts'
import { expiryOf } from '../../../../src/domain/portfolio/expiry.ts'
import { valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import { rfc3339 } from '../../../../src/domain/time.ts'
import { describedAs } from '../market-data/instruments.ts'
import { buy, quote, Scenario } from './scenario.ts'

/** The close before Good Friday in New York. */
const CLOSE = Date.parse('2024-03-28T20:00:00Z') * 1_000

function held(assetClass: AssetClass, now: string) {
  const scenario = new Scenario()
  scenario.record(buy('2', '10', 1))
  const instrument = describedAs('ACME', assetClass, { mic: 'XNYS' })
  const priced = effectiveQuote(quote('ACME', '12', { pricedAt: CLOSE }), instrument)
  const quotes = { latest: (id: string) => (id === 'ACME' ? priced : undefined) }
  const at = Date.parse(now) * 1_000
  const valuation = valuePortfolio(scenario.state, quotes, at)
  const expiresAt = expiryOf(valuation, quotes, {
    now: at,
    at: undefined,
    recordedUntil: undefined,
    spread: 0,
  })
  return { quality: valuation.quality.completeness, expiresAt: rfc3339(expiresAt) }
}

it.each<[AssetClass, string, string, string]>([
  // The long weekend is no age for a share; the opening on Monday is the next price.
  ['EQUITY', '2024-03-31T20:00:00Z', 'COMPLETE', '2024-04-01T13:30:00Z'],
  ['EQUITY', '2024-04-01T20:00:00Z', 'COMPLETE', '2024-04-02T13:30:00Z'],
  ['EQUITY', '2024-04-02T12:00:00Z', 'STALE', '2024-04-02T13:30:00Z'],
  ['EQUITY', '2024-04-01T15:00:00Z', 'COMPLETE', '2024-04-01T15:00:05Z'],
  ['CRYPTO', '2024-03-31T20:00:00Z', 'STALE', '2024-03-31T20:00:05Z'],
  ['MUTUAL_FUND', '2024-03-31T20:00:00Z', 'COMPLETE', '2024-04-01T04:00:00Z'],
  // No longer than a day, though nothing is expected.
  ['CASH', '2030-03-31T20:00:00Z', 'COMPLETE', '2030-04-01T20:00:00Z'],
])('%s at %s is %s until %s', (assetClass, now, quality, expiresAt) => {
  expect(held(assetClass, now)).toEqual({ quality, expiresAt })
})

it('values the last trade by the multiplier too where there is no quote', () => {
  const scenario = new Scenario()
  scenario.record(buy('2', '10', 1))
  const instrument = describedAs('ACME', 'OPTION', { multiplier: '100' })
  const instruments = { epoch: 1, get: () => instrument, resolve: () => undefined }
  const quotes = { latest: () => undefined, instruments }
  const valuation = valuePortfolio(scenario.state, quotes, scenario.now)
  expect(decimalText(valuation.totalValue)).toBe('2000')
  expect(valuation.quality.completeness).toBe('STALE')
})
