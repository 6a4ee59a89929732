import { type Decimal, multiply } from '../decimal.ts'
import { priceFactorOf } from '../market-data/instrument.ts'
import { PRICE_AGE_MAX_MICROSECONDS, type QuoteSource } from '../market-data/quote.ts'
import type { Instant } from '../time.ts'
import type { Book, Holding } from './holding.ts'

/** What a holding is priced at. */
export interface Price {
  /** As quoted, in `currency`; undefined = there is none. */
  readonly price: Decimal | undefined
  /** What one unit is worth at that price. */
  readonly unitPrice: Decimal | undefined
  readonly currency: string
  /** Undefined = of any moment: money is worth itself. */
  readonly pricedAt: Instant | undefined
  readonly staleAfter: Instant
  /** "TRADE" = the last trade, since there is no quote. */
  readonly source: string
}

/** Last quote, else the last trade's price, else none: never an unmarked substitute (decision 36). */
export function priceOf(
  book: Book,
  { instrumentId }: Holding,
  quotes: QuoteSource,
  baseCurrency: string,
): Price {
  const quote = quotes.latest(instrumentId)
  if (quote === undefined) return lastTradePrice(book, instrumentId, quotes, baseCurrency)
  const { staleAfter = staleAfterOf(quote.pricedAt) } = quote
  return {
    price: quote.price,
    unitPrice: quote.unitPrice ?? quote.price,
    currency: quote.currency === '' ? baseCurrency : quote.currency,
    pricedAt: staleAfter === Number.POSITIVE_INFINITY ? undefined : quote.pricedAt,
    staleAfter,
    source: quote.source,
  }
}

/** Of a price whose class nobody knows, or of an exchange rate; never without one. */
export function staleAfterOf(pricedAt: Instant | undefined): Instant {
  return pricedAt === undefined ? Number.POSITIVE_INFINITY : pricedAt + PRICE_AGE_MAX_MICROSECONDS
}

function lastTradePrice(
  book: Book,
  instrumentId: string,
  quotes: QuoteSource,
  currency: string,
): Price {
  let last: Holding['lastTrade']
  for (const { lastTrade } of book.values()) {
    if (lastTrade !== undefined && (last === undefined || lastTrade.at >= last.at)) last = lastTrade
  }
  const instrument = quotes.instruments?.get(instrumentId)
  return {
    price: last?.price,
    unitPrice: last && instrument ? multiply(last.price, priceFactorOf(instrument)) : last?.price,
    currency,
    pricedAt: last?.at,
    staleAfter: Number.POSITIVE_INFINITY,
    source: last === undefined ? '' : 'TRADE',
  }
}
