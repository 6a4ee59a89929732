import type { Quote } from '../../domain/market-data/quote.ts'
import type { QuoteBoard } from '../ports.ts'

/** An empty board. A quote replaces the one it has unless that one is newer, so the order of arrival is no matter. */
export function createQuoteBoard(): QuoteBoard {
  const newest = new Map<string, Quote>()
  return {
    latest: (instrumentId) => newest.get(instrumentId),
    publish(quotes) {
      for (const quote of quotes) {
        const present = newest.get(quote.instrumentId)
        if (present === undefined || quote.pricedAt >= present.pricedAt) {
          newest.set(quote.instrumentId, quote)
        }
      }
    },
  }
}
