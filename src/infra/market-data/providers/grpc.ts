import type { OpenProvider } from '../guarded-provider.ts'

export interface QuoteServer {
  batchGetQuotes: OpenProvider['fetch']
  close(): void
}

/** Any server of MarketDataService.BatchGetQuotes; this service itself is one. */
export function grpcProvider(server: QuoteServer): OpenProvider {
  return {
    name: 'grpc',
    fetch: (symbols, signal) => server.batchGetQuotes(symbols, signal),
    close: () => server.close(),
  }
}
