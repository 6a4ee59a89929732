import type { EffectiveQuote, QuoteSource } from '../market-data/quote.ts'
import { type Instant, MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND } from '../time.ts'
import type { Valuation } from './valuation.ts'

/** A price that can move at any moment is looked at again after this. */
const MOVING_MICROSECONDS = 5 * MICROSECONDS_PER_SECOND
const LIFE_MAX_MICROSECONDS = MICROSECONDS_PER_DAY
const JITTER = 0.1

export interface ExpiryFacts {
  readonly now: Instant
  /** The moment that was asked for; undefined = the present. */
  readonly at: Instant | undefined
  readonly recordedUntil: Instant | undefined
  /** From -1 to 1: spreads the expiry over +-10 %, so that answers made together do not expire together. */
  readonly spread: number
}

/**
 * Until when an answer of this version holds (decision 39): until the next price can exist, which each asset class says
 * by its market's hours. Of instruments that no reference data knows that is seconds, except for prices that come once
 * a day. A write ends it earlier.
 */
export function expiryOf(valuation: Valuation, quotes: QuoteSource, facts: ExpiryFacts): Instant {
  const { now, spread } = facts
  const nextPriceAt = isPast(facts) ? Number.POSITIVE_INFINITY : nextPrice(valuation, quotes, now)
  const life = Math.min(Math.max(nextPriceAt - now, MOVING_MICROSECONDS), LIFE_MAX_MICROSECONDS)
  return now + Math.round(life * (1 + JITTER * spread))
}

/** Nothing that is recorded from now on changes it, or only what arrives a day late. */
function isPast({ now, at, recordedUntil }: ExpiryFacts): boolean {
  if (recordedUntil !== undefined && recordedUntil < now) return true
  return at !== undefined && at <= now - MICROSECONDS_PER_DAY
}

function nextPrice(
  { positions, cash, reportingCurrency }: Valuation,
  quotes: QuoteSource,
  now: Instant,
): Instant {
  const converted = [...positions, ...cash].some(({ currency }) => currency !== reportingCurrency)
  let next = converted ? now : Number.POSITIVE_INFINITY
  for (const { holding } of positions) {
    next = Math.min(next, successorOf(quotes.latest(holding.instrumentId), now))
  }
  return next
}

/** Where no class says: net asset values and closing prices come once a day; any other can be followed, or be given at last, at any moment. */
function successorOf(quote: EffectiveQuote | undefined, now: Instant): Instant {
  if (quote?.nextPriceAt !== undefined) return quote.nextPriceAt(now)
  const isDaily = quote?.kind === 'NAV' || quote?.kind === 'CLOSE'
  return isDaily ? quote.pricedAt + MICROSECONDS_PER_DAY : now
}
