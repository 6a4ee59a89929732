import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { AnalyticsService } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { PortfolioError } from '../domain/errors.ts'
import type { HandlersOf } from './call.ts'
import { failureOf } from './errors.ts'
import { metadataOf } from './http-call.ts'
import { serveConnect } from './http-connect.ts'
import { BODY_BYTES_MAX, refusalByServer, sendStatus, statusJson } from './http-failure.ts'
import { servePortfolio } from './http-portfolio.ts'
import { type ReportHandler, serveReport } from './http-report.ts'
import { openApiDocument } from './openapi.ts'
import { type Edge, requestIdOf } from './served-call.ts'

/** How long a client may take. */
export interface HttpTimes {
  /** From the first byte of a request, or the opening of its connection, to the end of its headers. */
  readonly headersMs: number
  /** To the end of its body. */
  readonly requestMs: number
  /** Between two requests of a connection. */
  readonly keepAliveMs: number
}

const TIMES: HttpTimes = { headersMs: 10_000, requestMs: 20_000, keepAliveMs: 60_000 }
/** Nothing sent in either direction: longer than a call may take. */
const SILENCE_MS = 30_000
/** How often Node looks for requests that are late. */
const CHECK_MS = 1_000
/** Connections end now and then, so that clients find replicas that came later. */
const REQUESTS_OF_CONNECTION_MAX = 1_000
const HEADER_BYTES_MAX = 16_384
/** What a connection without a request has left at shutdown, should one be on its way. */
const UNUSED_GRACE_MS = 500

export interface HttpServer {
  readonly port: number
  /** Waits for the requests under way, and ends the rest when the time is over. */
  close(timeoutMs: number): Promise<void>
}

/**
 * Serves `POST` and `GET /portfolio`, `GET /report`, every unary RPC by the Connect protocol, and the description of the
 * former ones at `/openapi.json`; HTTP/1.1 in plain text.
 * @throws when the port cannot be had.
 */
export async function startHttpServer(options: {
  readonly bindAddress: string
  /** 0 = a free one. */
  readonly httpPort: number
  readonly edge: Edge
  readonly portfolio: HandlersOf<typeof PortfolioService>
  readonly marketData: HandlersOf<typeof MarketDataService>
  readonly analytics: HandlersOf<typeof AnalyticsService>
  readonly report: ReportHandler
  readonly times?: HttpTimes
}): Promise<HttpServer> {
  const { edge } = options
  const app = createApp(options.times ?? TIMES)
  const unused = watchUnused(app)
  app.addHook('onSend', (_request, reply, _payload, done) => {
    void reply.header('x-content-type-options', 'nosniff')
    // Whoever is answered now is to come back elsewhere.
    if (edge.isDraining) void reply.header('connection', 'close')
    done()
  })
  const allowed = allowedMethods(app)
  app.setErrorHandler((error, request, reply) => {
    const requestId = refuse(request, reply, refusalByServer(error))
    edge.logFailure(error, { requestId, method: request.routeOptions.url ?? '' })
  })
  app.setNotFoundHandler((request, reply) => refuseRoute(allowed, request, reply))
  servePortfolio(app, options.portfolio, edge)
  serveReport(app, options.report, edge)
  serveConnect(app, PortfolioService, options.portfolio, edge)
  serveConnect(app, MarketDataService, options.marketData, edge)
  serveConnect(app, AnalyticsService, options.analytics, edge)
  const description = JSON.stringify(openApiDocument())
  app.get('/openapi.json', (_request, reply) => {
    void reply.header('content-type', 'application/json').send(description)
  })
  try {
    await app.listen({ host: options.bindAddress, port: options.httpPort })
  } catch (cause) {
    await app.close()
    const address = `${options.bindAddress}:${options.httpPort}`
    throw new Error(`HTTP_PORT ${address} cannot be had`, { cause })
  }
  const { port } = app.server.address() as AddressInfo
  return { port, close: (timeoutMs) => drain(app, unused, timeoutMs) }
}

function createApp({ headersMs, requestMs, keepAliveMs }: HttpTimes): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    connectionTimeout: SILENCE_MS,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    maxRequestsPerSocket: REQUESTS_OF_CONNECTION_MAX,
    http: {
      headersTimeout: headersMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, headersMs),
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    // Ours is google.rpc.Status, as everywhere.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => refuse(request, reply, refusalByServer(error)),
    clientErrorHandler: answerClientError,
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, parsed) => {
    parsed(null, body)
  })
  return app
}

/** The methods of each path, kept up to date with the routes. */
function allowedMethods(app: FastifyInstance): ReadonlyMap<string, readonly string[]> {
  const allowed = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    allowed.set(url, [...(allowed.get(url) ?? []), ...[method].flat()])
  })
  return allowed
}

function refuseRoute(
  allowed: ReadonlyMap<string, readonly string[]>,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const [path = ''] = request.url.split('?')
  const methods = allowed.get(path)
  if (methods === undefined) {
    refuse(request, reply, new PortfolioError('PATH_NOT_FOUND', 'nothing is served at this path'))
    return
  }
  void reply.header('allow', methods.join(', '))
  const text = `the method must be one of ${methods.join(', ')}`
  refuse(request, reply, new PortfolioError('METHOD_NOT_ALLOWED', text))
}

/** Refuses what is no call, and returns the request id of the refusal. */
function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): string {
  const requestId = requestIdOf(metadataOf(request))
  void reply.header('x-request-id', requestId)
  sendStatus(reply, failureOf(error, requestId))
  return requestId
}

/** Answers bytes that are no request, or that come too slowly, and ends their connection. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [httpStatus, refusal] = refusalOfBytes(error)
  const body = statusJson(failureOf(refusal, randomUUID()))
  socket.end(
    [
      `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus]}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  )
}

function refusalOfBytes({ code }: { code?: string }): [number, PortfolioError] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return [408, new PortfolioError('DEADLINE_EXCEEDED', 'the request came too slowly')]
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const text = `at most ${HEADER_BYTES_MAX} bytes of headers`
    return [431, new PortfolioError('METADATA_INVALID', text)]
  }
  return [400, new PortfolioError('MALFORMED_REQUEST', 'not a request of HTTP/1.1')]
}

/** Connections that have not brought a request yet: Node takes them for busy ones. */
function watchUnused(app: FastifyInstance): ReadonlySet<Socket> {
  const unused = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  app.server.on('request', ({ socket }) => unused.delete(socket))
  return unused
}

async function drain(
  app: FastifyInstance,
  unused: ReadonlySet<Socket>,
  timeoutMs: number,
): Promise<void> {
  const endUnused = (): void => {
    for (const socket of unused) socket.destroy()
  }
  const timers = [
    setTimeout(endUnused, Math.min(UNUSED_GRACE_MS, timeoutMs)),
    setTimeout(() => app.server.closeAllConnections(), timeoutMs),
  ]
  try {
    await app.close()
  } finally {
    for (const timer of timers) clearTimeout(timer)
  }
}
