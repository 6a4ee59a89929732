import { effectiveQuote } from '../../domain/market-data/effective-quote.ts'
import { instrumentIdOf } from '../../domain/market-data/instrument.ts'
import type { Quote, QuoteSource } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'
import type { Clock, QuoteStore } from '../ports.ts'

export interface QuotesFound {
  readonly quotes: readonly Quote[]
  readonly missing: readonly string[]
}

/** The newest quote of each instrument, or the newest priced at or before `at`; each instrument once. */
export async function batchGetQuotes(
  ports: {
    readonly clock: Clock
    readonly quotes: QuoteSource
    readonly quoteStore: QuoteStore
  },
  symbols: readonly string[],
  at: Instant | undefined,
): Promise<QuotesFound> {
  const { instruments } = ports.quotes
  const meantAt = at ?? ports.clock.now()
  const wanted = new Map(
    symbols.map((symbol) => [symbol, instrumentIdOf(instruments, symbol, meantAt)]),
  )
  const found = await findQuotes(ports, new Set(wanted.values()), at)
  return {
    quotes: [...found.values()],
    missing: [...wanted].flatMap(([symbol, id]) => (found.has(id) ? [] : [symbol])),
  }
}

/** By instrument, in the order asked for. */
async function findQuotes(
  { quotes, quoteStore }: Pick<Parameters<typeof batchGetQuotes>[0], 'quotes' | 'quoteStore'>,
  wanted: ReadonlySet<string>,
  at: Instant | undefined,
): Promise<ReadonlyMap<string, Quote>> {
  const past = new Map<string, Quote>()
  if (at !== undefined) {
    for (const quote of await quoteStore.readAsOf([...wanted], at, undefined)) {
      past.set(quote.instrumentId, quote)
    }
  }
  const found = new Map<string, Quote>()
  for (const id of wanted) {
    const quote = at === undefined ? quotes.latest(id) : past.get(id)
    if (quote === undefined) continue
    const instrument = quotes.instruments?.get(id)
    found.set(id, instrument === undefined ? quote : effectiveQuote(quote, instrument))
  }
  return found
}
