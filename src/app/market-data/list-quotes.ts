import { instrumentIdOf } from '../../domain/market-data/instrument.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { Clock, InstrumentTable, ListedQuote, QuotePlace, QuoteStore } from '../ports.ts'

export interface ListQuotesQuery {
  /** As of today. */
  readonly symbol: string
  /** Days ("YYYY-MM-DD", UTC), both included; undefined = no bound. */
  readonly startDay: string | undefined
  readonly endDay: string | undefined
  readonly quarantinedOnly: boolean
  readonly size: number
  readonly after: QuotePlace | undefined
}

export interface QuotePage {
  readonly quotes: readonly ListedQuote[]
  /** The last one shown, when there are more. */
  readonly next: QuotePlace | undefined
}

/** A page of an instrument's prices in order of time, or of those that were held back. */
export async function listQuotes(
  ports: {
    readonly clock: Clock
    readonly quoteStore: QuoteStore
    readonly instruments: InstrumentTable
  },
  { symbol, startDay, endDay, size, ...query }: ListQuotesQuery,
): Promise<QuotePage> {
  const quotes = await ports.quoteStore.list({
    ...query,
    instrumentId: instrumentIdOf(ports.instruments, symbol, ports.clock.now()),
    from: startDay === undefined ? undefined : startOf(startDay),
    until: endDay === undefined ? undefined : startOf(endDay) + MICROSECONDS_PER_DAY - 1,
    // One more tells whether there is a next page.
    size: size + 1,
  })
  const shown = quotes.slice(0, size)
  return { quotes: shown, next: quotes.length > size ? shown.at(-1) : undefined }
}

function startOf(day: string): Instant {
  return Date.parse(`${day}T00:00:00Z`) * 1_000
}
