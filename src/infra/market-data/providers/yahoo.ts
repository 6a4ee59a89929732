import type { SentQuote } from '../../../domain/market-data/accept-quote.ts'
import { QUOTE_KINDS } from '../../../domain/market-data/quote.ts'
import { type Instant, MICROSECONDS_PER_SECOND } from '../../../domain/time.ts'
import type { OpenProvider } from '../guarded-provider.ts'

/** What is read of an answer of `quote`; everything may be missing, and anything may be there. */
export interface YahooQuote {
  readonly symbol?: unknown
  readonly regularMarketPrice?: unknown
  readonly regularMarketTime?: unknown
  readonly currency?: unknown
}

/** The part of yahoo-finance2's client that is used. */
export interface YahooClient {
  quote(
    symbols: string[],
    query: { fields: ('symbol' | 'regularMarketPrice' | 'regularMarketTime' | 'currency')[] },
    options: { validateResult: false; fetchOptions: { signal: AbortSignal } },
  ): Promise<unknown>
}

const PAIR = /^([A-Z]{3})\/([A-Z]{3})$/
const DELAYED = QUOTE_KINDS.indexOf('DELAYED')
const FX = QUOTE_KINDS.indexOf('FX')

/**
 * Yahoo Finance by yahoo-finance2, which is no service anybody promised. Symbols are Yahoo's own ("BRK-B", "VOD.L");
 * pairs are translated.
 */
export function yahooProvider(client: YahooClient): OpenProvider {
  return {
    name: 'yahoo',
    async fetch(symbols, signal) {
      const meant = new Map(symbols.map((symbol) => [yahooSymbol(symbol), symbol]))
      const answered = await client.quote(
        [...meant.keys()],
        { fields: ['symbol', 'regularMarketPrice', 'regularMarketTime', 'currency'] },
        // Of one odd instrument the others are not to suffer: ours is checked quote by quote.
        { validateResult: false, fetchOptions: { signal } },
      )
      if (!Array.isArray(answered)) throw new Error('Yahoo answered something else than quotes')
      return answered.flatMap((quote: YahooQuote | null) => {
        const symbol = meant.get(String(quote?.symbol))
        return symbol === undefined || quote === null ? [] : sentQuotes(symbol, quote)
      })
    },
  }
}

/** @throws when the package is not installed: it is optional. */
export async function openYahooClient(): Promise<YahooClient> {
  const { default: YahooFinance } = await import('yahoo-finance2')
  return new YahooFinance({ suppressNotices: ['yahooSurvey'] })
}

function yahooSymbol(symbol: string): string {
  const [, first, second] = PAIR.exec(symbol) ?? []
  return first === undefined ? symbol : `${first}${second}=X`
}

/** A quote without a price says nothing. */
function sentQuotes(symbol: string, quote: YahooQuote): readonly SentQuote[] {
  const { regularMarketPrice: price, regularMarketTime: time, currency } = quote
  if (typeof price !== 'number') return []
  return [
    {
      symbol,
      price: String(price),
      currencyCode: typeof currency === 'string' ? currency : '',
      pricedAt: instantOf(time),
      source: 'yahoo',
      kind: PAIR.test(symbol) ? FX : DELAYED,
      splitAdjusted: false,
    },
  ]
}

/** Seconds, as Yahoo writes them, or what the package makes of them. */
function instantOf(time: unknown): Instant | undefined {
  if (time instanceof Date) return time.getTime() * 1_000
  return typeof time === 'number' ? time * MICROSECONDS_PER_SECOND : undefined
}
