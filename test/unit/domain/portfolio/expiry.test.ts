import { describe, expect, it } from '@jest/globals'
import { decimal } from '../../../../src/domain/decimal.ts'
import type { QuoteKind, QuoteSource } from '../../../../src/domain/market-data/quote.ts'
import { type ExpiryFacts, expiryOf } from '../../../../src/domain/portfolio/expiry.ts'
import { emptyHolding } from '../../../../src/domain/portfolio/holding.ts'
import { newPortfolio } from '../../../../src/domain/portfolio/state.ts'
import { valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'

const SECOND = 1_000_000
const DAY = 86_400 * SECOND
const NOW = 20_000 * DAY

const present: ExpiryFacts = { now: NOW, at: undefined, recordedUntil: undefined, spread: 0 }

interface Priced {
  readonly kind: QuoteKind
  readonly ageSeconds: number
  readonly currency?: string
}

/** Seconds from now to the expiry of a portfolio that holds these, a name each. */
function lifeOf(
  held: Readonly<Record<string, Priced | undefined>>,
  facts: Partial<ExpiryFacts> = {},
): number {
  const quotes: QuoteSource = {
    latest: (instrumentId) => {
      const priced = held[instrumentId]
      return (
        priced && {
          instrumentId,
          price: decimal(1),
          currency: priced.currency ?? '',
          pricedAt: NOW - priced.ageSeconds * SECOND,
          source: 'test',
          kind: priced.kind,
          splitAdjusted: false,
        }
      )
    },
  }
  const books = Object.keys(held)
    .filter((id) => !id.includes('/'))
    .map((id) => [id, new Map([['', { ...emptyHolding(id, ''), quantity: decimal(1) }]])] as const)
  const state = { ...newPortfolio('alice'), books: new Map(books) }
  const valuation = valuePortfolio(state, quotes, NOW)
  return (expiryOf(valuation, quotes, { ...present, ...facts }) - NOW) / SECOND
}

const live: Priced = { kind: 'REALTIME', ageSeconds: 1 }
const fund: Priced = { kind: 'NAV', ageSeconds: 3_600 }

describe('an answer holds', () => {
  it.each(['UNSPECIFIED', 'REALTIME', 'DELAYED', 'MANUAL'] as const)(
    'for seconds with a price of kind %s, however old',
    (kind) => {
      expect(lifeOf({ AAPL: { kind, ageSeconds: 1 } })).toBe(5)
      expect(lifeOf({ AAPL: { kind, ageSeconds: 86_400 } })).toBe(5)
    },
  )

  it.each(['NAV', 'CLOSE'] as const)('until the next %s can be there', (kind) => {
    expect(lifeOf({ FUND: { kind, ageSeconds: 3_600 } })).toBe(82_800)
    expect(lifeOf({ FUND: { kind, ageSeconds: 86_398 } })).toBe(5)
    expect(lifeOf({ FUND: { kind, ageSeconds: 200_000 } })).toBe(5)
  })

  it('as long as the shortest of its prices', () => {
    expect(lifeOf({ FUND: fund, OTHER: { ...fund, ageSeconds: 7_200 } })).toBe(79_200)
    expect(lifeOf({ FUND: fund, AAPL: live })).toBe(5)
  })

  it('for seconds when a price is missing or converted', () => {
    expect(lifeOf({ FUND: fund, GIFT: undefined })).toBe(5)
    const rate: Priced = { kind: 'FX', ageSeconds: 1 }
    expect(lifeOf({ FUND: { ...fund, currency: 'EUR' }, 'EUR/USD': rate })).toBe(5)
  })

  it('for a day when it has no price at all', () => {
    expect(lifeOf({})).toBe(86_400)
  })

  it('for a day when it is of the past', () => {
    expect(lifeOf({ AAPL: live }, { at: NOW - DAY })).toBe(86_400)
    expect(lifeOf({ AAPL: live }, { recordedUntil: NOW - 1 })).toBe(86_400)
    expect(lifeOf({ AAPL: live }, { at: NOW - DAY + 1 })).toBe(5)
    expect(lifeOf({ AAPL: live }, { recordedUntil: NOW })).toBe(5)
  })

  it('a tenth longer or shorter, so that not all expire together', () => {
    expect(lifeOf({}, { spread: 1 })).toBe(95_040)
    expect(lifeOf({}, { spread: -1 })).toBe(77_760)
    expect(lifeOf({ AAPL: live }, { spread: -1 })).toBe(4.5)
  })
})
