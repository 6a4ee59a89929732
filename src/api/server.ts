import { AnalyticsService } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { addService, type HandlersOf } from './call.ts'
import { GrpcServer } from './grpc-server.ts'
import { createHealth, type Health } from './health.ts'
import { type HttpServer, startHttpServer } from './http.ts'
import type { ReportHandler } from './http-report.ts'
import { addReflection } from './reflection.ts'
import type { Edge } from './served-call.ts'

export const HEALTH_SERVICE = PortfolioService.typeName
const SERVICES = [PortfolioService.typeName, MarketDataService.typeName, AnalyticsService.typeName]

export interface ApiServer {
  readonly ports: {
    readonly grpc: number
    readonly health: number | undefined
    readonly http: number | undefined
  }
  /** What health checks are told; at first it is not serving. */
  setServing(isServing: boolean): void
  /** Refuses new calls, waits for those under way, and ends the rest when the time is over. */
  close(timeoutMs: number): Promise<void>
}

/**
 * Serves the API, health checks and reflection.
 * @throws when a port cannot be had.
 */
export async function startServer(options: {
  readonly bindAddress: string
  /** 0 = a free one. */
  readonly grpcPort: number
  /** Undefined = health checks on the main port alone. */
  readonly healthPort: number | undefined
  /** Undefined = gRPC alone; 0 = a free one. */
  readonly httpPort: number | undefined
  readonly reflection: boolean
  readonly edge: Omit<Edge, 'isDraining' | 'streams'>
  readonly portfolio: HandlersOf<typeof PortfolioService>
  readonly marketData: HandlersOf<typeof MarketDataService>
  readonly analytics: HandlersOf<typeof AnalyticsService>
  readonly report: ReportHandler
}): Promise<ApiServer> {
  const { bindAddress, grpcPort, healthPort, httpPort } = options
  const edge: Edge = { ...options.edge, isDraining: false, streams: new Set() }
  const health = createHealth(SERVICES)
  const server = new GrpcServer()
  const healthServer = new GrpcServer()
  addService(server, PortfolioService, options.portfolio, edge)
  addService(server, MarketDataService, options.marketData, edge)
  addService(server, AnalyticsService, options.analytics, edge)
  health.addTo(server)
  health.addTo(healthServer)
  if (options.reflection) addReflection(server, SERVICES)
  let http: HttpServer | undefined
  try {
    if (httpPort !== undefined) http = await startHttpServer({ ...options, httpPort, edge })
    const ports = {
      http: http?.port,
      health:
        healthPort === undefined
          ? undefined
          : await healthServer.listen('HEALTH_PORT', bindAddress, healthPort),
      grpc: await server.listen('GRPC_PORT', bindAddress, grpcPort),
    }
    return {
      ports,
      setServing: (isServing) => {
        // A pass that ends late must not call a service that is going away back.
        if (!edge.isDraining) health.setServing(isServing)
      },
      close: async (timeoutMs) => {
        health.setServing(false)
        edge.isDraining = true
        await Promise.all([drain(server, { edge, health, timeoutMs }), http?.close(timeoutMs)])
        healthServer.forceShutdown()
      },
    }
  } catch (error) {
    await http?.close(0)
    server.forceShutdown()
    healthServer.forceShutdown()
    throw error
  }
}

async function drain(
  server: GrpcServer,
  { edge, health, timeoutMs }: { edge: Edge; health: Health; timeoutMs: number },
): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, timeoutMs)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
    health.endWatches()
    for (const endStream of edge.streams) endStream()
  })
}
