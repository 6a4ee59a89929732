import { afterEach, expect, it } from '@jest/globals'
import { MarketDataService } from '../../../gen/portfolio/v1/market_data_service_pb.ts'
import { addService, type HandlersOf } from '../../../src/api/call.ts'
import { GrpcServer } from '../../../src/api/grpc-server.ts'
import type { Edge } from '../../../src/api/served-call.ts'
import { PortfolioError } from '../../../src/domain/errors.ts'
import { ApiClient, failureOf } from '../../support/client.ts'
import { silentTelemetry, systemClock, waitUntil } from '../../support/store.ts'

const server = new GrpcServer()
let client: ApiClient | undefined
afterEach(() => {
  client?.close()
  server.forceShutdown()
})

it('a stream that is over is not ended again at shutdown', async () => {
  const edge: Edge = {
    clock: systemClock,
    telemetry: silentTelemetry,
    logFailure: () => undefined,
    isDraining: false,
    streams: new Set(),
  }
  const handlers: Partial<HandlersOf<typeof MarketDataService>> = {
    ingestQuotes: async (requests) => {
      for await (const { quotes } of requests) {
        if (quotes.length > 0) throw new PortfolioError('TOO_MANY_QUOTES', 'no')
      }
      return { message: {} }
    },
  }
  addService(server, MarketDataService, handlers as HandlersOf<typeof MarketDataService>, edge)
  client = new ApiClient(await server.listen('GRPC_PORT', '127.0.0.1', 0))
  const open = client.openStream(MarketDataService.method.ingestQuotes)
  await waitUntil(() => edge.streams.size === 1)
  open.call.end()
  await open.answer
  expect(edge.streams.size).toBe(0)
  await failureOf(client.ingest({ quotes: [{}] }))
  expect(edge.streams.size).toBe(0)
})
