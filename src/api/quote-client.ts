import { Client, credentials } from '@grpc/grpc-js'
import type { SentQuote } from '../domain/market-data/accept-quote.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { callUnary } from './client.ts'
import { readSentQuote } from './sent-quote.ts'

export interface QuoteClient {
  /** What the server knows of at most 1,000 symbols, nothing checked. @throws grpc-js' ServiceError. */
  batchGetQuotes(symbols: readonly string[], signal: AbortSignal): Promise<readonly SentQuote[]>
  close(): void
}

/** A connection to a server of MarketDataService at `target` ("host:port"), in plain text. */
export function openQuoteClient(target: string): QuoteClient {
  const client = new Client(target, credentials.createInsecure(), {
    'grpc.enable_http_proxy': 0,
    // A server that was away is found again as soon as it is asked again.
    'grpc.max_reconnect_backoff_ms': 1_000,
  })
  return {
    async batchGetQuotes(symbols, signal) {
      const { quotes } = await callUnary(
        client,
        MarketDataService.method.batchGetQuotes,
        { symbols: [...symbols] },
        signal,
      )
      const now = Date.now() * 1_000
      return quotes.map((quote) => readSentQuote(quote, now))
    },
    close: () => client.close(),
  }
}
