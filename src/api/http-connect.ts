import { isUtf8 } from 'node:buffer'
import type { DescMessage, DescMethodUnary, DescService } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
} from '@connectrpc/connect'
import type { UniversalHandler, UniversalServerResponse } from '@connectrpc/connect/protocol'
import { errorFromJsonBytes, errorToJsonBytes } from '@connectrpc/connect/protocol-connect'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PortfolioError } from '../domain/errors.ts'
import { type HandlersOf, type UnaryHandler, unaryFacts } from './call.ts'
import type { Failure } from './errors.ts'
import { addCallRoute, type HttpCall } from './http-call.ts'
import { BODY_BYTES_MAX, DETAILS, httpStatusOf, putRetryAfter } from './http-failure.ts'
import { JSON_OPTIONS } from './http-json.ts'
import { checkJsonSize, checkSize } from './message-size.ts'
import type { Edge } from './served-call.ts'

const CALL = createContextKey<HttpCall | undefined>(undefined)

/** What of a request Connect's handlers read. */
const HEADERS = ['content-type', 'content-encoding', 'connect-protocol-version'] as const
const TIMEOUT = /^\d{1,10}$/

/** Serves every unary RPC of a table of handlers by the Connect protocol, with JSON and with protobuf. */
export function serveConnect<Service extends DescService>(
  app: FastifyInstance,
  service: Service,
  handlers: HandlersOf<Service>,
  edge: Edge,
): void {
  const table = handlers as Readonly<Record<string, unknown>>
  void app.register((scope, _options, done) => {
    // Whatever it is, Connect decides what to do with it: here it is bytes of a limited number.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => {
      parsed(null, body)
    })
    for (const method of service.methods) {
      if (method.methodKind !== 'unary') continue
      addRoute(scope, method as DescMethodUnary, table[method.localName] as Handler, edge)
    }
    done()
  })
}

type Handler = UnaryHandler<DescMethodUnary['input'], DescMethodUnary['output']>

function addRoute(
  scope: FastifyInstance,
  method: DescMethodUnary,
  handler: Handler,
  edge: Edge,
): void {
  const connect = connectHandler(method, handler)
  addCallRoute(scope, unaryFacts(method), edge, {
    httpMethods: connect.allowedMethods,
    url: connect.requestPath,
    system: 'connect_rpc',
    clientMs: timeoutMs,
    sendFailure: sendError,
    serve: async (call, request) => {
      checkBody(method.input, request)
      await serve(connect, call, request)
    },
  })
}

function connectHandler(method: DescMethodUnary, handler: Handler): UniversalHandler {
  const router = createConnectRouter({
    grpc: false,
    grpcWeb: false,
    readMaxBytes: BODY_BYTES_MAX,
    jsonOptions: JSON_OPTIONS,
  })
  router.rpc(method, async (request, { values }) => {
    const call = values.get(CALL)
    if (call === undefined) throw new Error('a request without its call')
    try {
      return await call.run(method, handler, request)
    } catch (error) {
      call.fail(error)
      throw error
    }
  })
  const [connect] = router.handlers
  if (connect === undefined) throw new Error(`Connect does not serve ${method.name}`)
  return connect
}

function timeoutMs({ headers }: FastifyRequest): number {
  const text = headers['connect-timeout-ms']
  return typeof text === 'string' && TIMEOUT.test(text) ? Number(text) : Infinity
}

/** What Connect would not refuse before it is read. */
function checkBody(input: DescMessage, request: FastifyRequest): void {
  const { body } = request
  if (!(body instanceof Uint8Array)) return
  if (!isJson(request)) {
    checkSize(input, body)
    return
  }
  // Connect would read what is no character as U+FFFD.
  if (!isUtf8(body)) throw new PortfolioError('MALFORMED_REQUEST', 'the body is no UTF-8')
  checkJsonSize(body)
}

async function serve(
  connect: UniversalHandler,
  call: HttpCall,
  request: FastifyRequest,
): Promise<void> {
  const response = await connect({
    httpVersion: request.raw.httpVersion,
    method: request.method,
    url: `http://localhost${request.url}`,
    header: headersOf(request),
    body: bodyOf(request.body),
    signal: call.signal,
    contextValues: createContextValues().set(CALL, call),
  })
  const body = await bytesOf(response)
  if (call.hasEnded) return
  if (response.status !== 200) throw refusalByConnect(response.status, body, call)
  const contentType = response.header?.get('content-type') ?? ''
  void call.complete().header('content-type', contentType).send(body)
}

function headersOf({ headers }: FastifyRequest): Headers {
  const result = new Headers()
  for (const name of HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') result.set(name, value)
  }
  const timeout = headers['connect-timeout-ms']
  // Deadlines are ours; Connect has to refuse those that are none.
  if (typeof timeout === 'string' && !TIMEOUT.test(timeout)) {
    result.set('connect-timeout-ms', timeout)
  }
  return result
}

function isJson({ headers }: FastifyRequest): boolean {
  return /json/i.test(headers['content-type'] ?? '')
}

async function* bodyOf(body: unknown): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
}

async function bytesOf({ body }: UniversalServerResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** What Connect refused before any handler of ours saw it, or could not encode. */
function refusalByConnect(httpStatus: number, body: Buffer, { hasRun }: HttpCall): Error {
  if (httpStatus === 415) {
    const message = 'the content type must be application/json or application/proto'
    return new PortfolioError('MEDIA_TYPE_UNSUPPORTED', message)
  }
  const unknown = new ConnectError(`Connect answers ${httpStatus}`, Code.Internal)
  const { code, rawMessage } = errorFromJsonBytes(body, undefined, unknown)
  if (hasRun) return new Error(rawMessage)
  // Unknown compression. Malformed protobuf is called internal, malformed JSON an invalid argument.
  const reason = code === Code.Unimplemented ? 'MEDIA_TYPE_UNSUPPORTED' : 'MALFORMED_REQUEST'
  return new PortfolioError(reason, rawMessage)
}

/** Its codes have gRPC's numbers. */
const CONNECT_CODES = new Map<number, Code>(
  Object.values(Code).flatMap((code) => (typeof code === 'number' ? [[code, code]] : [])),
)

/** Connect's own form of an error, with the same details and the same HTTP status as everywhere on this port. */
function sendError(reply: FastifyReply, failure: Failure): void {
  const { message, details } = failure.status
  const outgoing = details.flatMap((detail) => {
    const value = anyUnpack(detail, DETAILS)
    const desc = value && DETAILS.getMessage(value.$typeName)
    return value && desc ? [{ desc, value }] : []
  })
  const error = new ConnectError(message, CONNECT_CODES.get(failure.code), undefined, outgoing)
  putRetryAfter(reply, failure)
  void reply
    .code(httpStatusOf(failure))
    .header('content-type', 'application/json')
    .send(Buffer.from(errorToJsonBytes(error, undefined)))
}
