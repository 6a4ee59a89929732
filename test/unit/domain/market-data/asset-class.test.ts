import { describe, expect, it } from '@jest/globals'
import { decimalText } from '../../../../src/domain/decimal.ts'
import { type AssetClass, assetClasses } from '../../../../src/domain/market-data/asset-class.ts'
import { effectiveQuote } from '../../../../src/domain/market-data/effective-quote.ts'
import { rfc3339 } from '../../../../src/domain/time.ts'
import { quote } from '../portfolio/scenario.ts'
import { describedAs } from './instruments.ts'

function instant(text: string): number {
  return Date.parse(text) * 1_000
}

function quoted(assetClass: AssetClass, pricedAt: string, mic = 'XNYS') {
  const instrument = describedAs('ACME', assetClass, { mic })
  return effectiveQuote(quote('ACME', '100', { pricedAt: instant(pricedAt) }), instrument)
}

function staleAfter(assetClass: AssetClass, pricedAt: string, mic = 'XNYS'): string {
  const after = quoted(assetClass, pricedAt, mic).staleAfter!
  return after === Infinity ? 'never' : rfc3339(after)
}

/** A Friday's close in New York, and the close before Good Friday. */
const FRIDAY = '2024-03-22T20:00:00Z'
const MAUNDY_THURSDAY = '2024-03-28T20:00:00Z'

describe('a price is stale (decision 36)', () => {
  it.each<[AssetClass, string, string]>([
    // The whole of Monday; the whole of the Monday after Good Friday.
    ['EQUITY', '2024-03-26T04:00:00Z', '2024-04-02T04:00:00Z'],
    ['ETF', '2024-03-26T04:00:00Z', '2024-04-02T04:00:00Z'],
    ['COMMODITY', '2024-03-26T04:00:00Z', '2024-04-02T04:00:00Z'],
    ['OPTION', '2024-03-26T04:00:00Z', '2024-04-02T04:00:00Z'],
    ['FUTURE', '2024-03-26T04:00:00Z', '2024-04-02T04:00:00Z'],
    // Monday's value is told on Tuesday.
    ['MUTUAL_FUND', '2024-03-27T04:00:00Z', '2024-04-03T04:00:00Z'],
    ['FIXED_INCOME', '2024-03-27T04:00:00Z', '2024-04-03T04:00:00Z'],
    // Traded at any time: a weekend is no excuse.
    ['CRYPTO', '2024-03-23T20:00:00Z', '2024-03-29T20:00:00Z'],
    ['CASH', 'never', 'never'],
    ['REAL_ESTATE', '2025-04-26T20:00:00Z', '2025-05-02T20:00:00Z'],
    ['ALTERNATIVE', '2024-10-08T20:00:00Z', '2024-10-14T20:00:00Z'],
  ])('%s: after a Friday %s, before a holiday %s', (assetClass, weekend, holiday) => {
    expect(staleAfter(assetClass, FRIDAY)).toBe(weekend)
    expect(staleAfter(assetClass, MAUNDY_THURSDAY)).toBe(holiday)
  })

  it('by the holidays of its own exchange', () => {
    expect(staleAfter('EQUITY', MAUNDY_THURSDAY, 'XLON')).toBe('2024-04-02T23:00:00Z')
    expect(staleAfter('EQUITY', MAUNDY_THURSDAY, '')).toBe('2024-03-30T00:00:00Z')
  })
})

describe('the next price can exist (decision 39)', () => {
  it.each<[AssetClass, string, string]>([
    ['EQUITY', '2024-03-22T15:00:00Z', '2024-03-22T15:00:00Z'],
    ['EQUITY', '2024-03-23T15:00:00Z', '2024-03-25T13:30:00Z'],
    ['EQUITY', '2024-03-29T15:00:00Z', '2024-04-01T13:30:00Z'],
    ['CRYPTO', '2024-03-23T15:00:00Z', '2024-03-23T15:00:00Z'],
    ['MUTUAL_FUND', '2024-03-22T21:00:00Z', '2024-03-25T04:00:00Z'],
    ['REAL_ESTATE', '2024-03-22T21:00:00Z', '2024-03-22T22:00:00Z'],
  ])('%s at %s: %s', (assetClass, now, expected) => {
    expect(rfc3339(quoted(assetClass, FRIDAY).nextPriceAt!(instant(now)))).toBe(expected)
  })

  it('never of money', () => {
    expect(quoted('CASH', FRIDAY).nextPriceAt!(instant(FRIDAY))).toBe(Infinity)
  })
})

function unitPriceOf(assetClass: AssetClass, multiplier: string): string {
  const instrument = describedAs('ACME', assetClass, { multiplier })
  return decimalText(effectiveQuote(quote('ACME', '98.5'), instrument).unitPrice!)
}

describe('what one unit is worth', () => {
  it('counts the multiplier of a contract and the 100 nominal of a bond', () => {
    expect(unitPriceOf('EQUITY', '1')).toBe('98.5')
    expect(unitPriceOf('OPTION', '100')).toBe('9850')
    expect(unitPriceOf('FUTURE', '12.5')).toBe('1231.25')
    expect(unitPriceOf('FIXED_INCOME', '1')).toBe('0.985')
  })

  it('is in the instrument’s currency where the quote names none, pence in pounds', () => {
    const instrument = describedAs('ACME', 'EQUITY', { currency: 'GBX' })
    const own = effectiveQuote(quote('ACME', '1234'), instrument)
    expect([decimalText(own.price), own.currency]).toEqual(['12.34', 'GBP'])
    const named = effectiveQuote(quote('ACME', '1234', { currency: 'USD' }), instrument)
    expect([decimalText(named.price), named.currency]).toEqual(['1234', 'USD'])
  })
})

it('gives each class its decimals', () => {
  const scales = Object.entries(assetClasses).map(([name, rule]) => [name, rule.quantityScale])
  expect(Object.fromEntries(scales)).toEqual({
    EQUITY: 9,
    ETF: 9,
    MUTUAL_FUND: 9,
    FIXED_INCOME: 6,
    CRYPTO: 18,
    COMMODITY: 9,
    CASH: 8,
    OPTION: 0,
    FUTURE: 0,
    REAL_ESTATE: 6,
    ALTERNATIVE: 8,
  })
})
