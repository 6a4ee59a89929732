import type { SentQuote } from '../domain/market-data/accept-quote.ts'
import type { Instant } from '../domain/time.ts'
import type { Quote as QuoteMessage } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { instantOf } from './instant.ts'

/** A message's quote, nothing checked. */
export function readSentQuote(sent: QuoteMessage, now: Instant): SentQuote {
  const { symbol, price, currencyCode, source, kind, splitAdjusted } = sent
  const instant = sent.pricedAt && instantOf(sent.pricedAt, now)
  // What no clock shows is later than any, so that the quote is set aside and named.
  const pricedAt = instant === 'out of range' ? Number.MAX_SAFE_INTEGER : instant
  return { symbol, price, currencyCode, source, kind, splitAdjusted, pricedAt }
}
