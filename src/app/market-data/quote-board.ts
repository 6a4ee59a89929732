import type { Quote } from '../../domain/market-data/quote.ts'
import type { QuoteBoard } from '../ports.ts'

/** An empty board. A quote replaces the one it has unless that one is newer, so the order of arrival is no matter. */
export function createQuoteBoard(): QuoteBoard {
  const newest = new Map<string, Quote>()
  const followers = new Set<(changed: readonly Quote[]) => void>()
  return {
    latest: (instrumentId) => newest.get(instrumentId),
    publish(quotes) {
      const changed = quotes.filter((quote) => {
        const present = newest.get(quote.instrumentId)
        if (present !== undefined && quote.pricedAt < present.pricedAt) return false
        newest.set(quote.instrumentId, quote)
        return present === undefined || !isSamePrice(present, quote)
      })
      if (changed.length === 0) return
      for (const tell of followers) tell(changed)
    },
    follow(listener) {
      // Of its own, so that one listener may follow twice.
      const follower = (changed: readonly Quote[]): void => listener(changed)
      followers.add(follower)
      return () => followers.delete(follower)
    },
  }
}

/** Replicas read quotes again that they have: those move nothing. */
function isSamePrice(left: Quote, right: Quote): boolean {
  return left.price.equals(right.price) && left.currency === right.currency
}
