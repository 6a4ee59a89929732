import type { Quote, QuoteSource } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'
import type { QuoteStore } from '../ports.ts'

export interface QuotesFound {
  readonly quotes: readonly Quote[]
  readonly missing: readonly string[]
}

/** The newest quote of each instrument, or the newest priced at or before `at`; each instrument once. */
export async function batchGetQuotes(
  ports: { readonly quotes: QuoteSource; readonly quoteStore: QuoteStore },
  instrumentIds: readonly string[],
  at: Instant | undefined,
): Promise<QuotesFound> {
  const wanted = [...new Set(instrumentIds)]
  const found = new Map<string, Quote>()
  if (at === undefined) {
    for (const instrumentId of wanted) {
      const quote = ports.quotes.latest(instrumentId)
      if (quote !== undefined) found.set(instrumentId, quote)
    }
  } else {
    for (const quote of await ports.quoteStore.readAsOf(wanted, at, undefined)) {
      found.set(quote.instrumentId, quote)
    }
  }
  return {
    quotes: wanted.flatMap((instrumentId) => found.get(instrumentId) ?? []),
    missing: wanted.filter((instrumentId) => !found.has(instrumentId)),
  }
}
