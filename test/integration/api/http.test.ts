import { EventEmitter, once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { HandlersOf } from '../../../src/api/call.ts'
import { type HttpTimes, startHttpServer } from '../../../src/api/http.ts'
import type { Edge } from '../../../src/api/served-call.ts'
import type { CallContext, Span, Telemetry } from '../../../src/app/ports.ts'
import { PortfolioError } from '../../../src/domain/errors.ts'
import type { AnalyticsService } from '../../../gen/portfolio/v1/analytics_service_pb.ts'
import type { MarketDataService } from '../../../gen/portfolio/v1/market_data_service_pb.ts'
import type { PortfolioService } from '../../../gen/portfolio/v1/portfolio_service_pb.ts'
import { postJson, refusalOf, sendHttp } from '../../support/http.ts'

type Answer = Awaited<ReturnType<HandlersOf<typeof PortfolioService>['updatePortfolio']>>

const OK: Answer = { message: { success: true } }
const JSON_TYPE = { 'content-type': 'application/json' }
const CONNECT_PATH = '/portfolio.v1.PortfolioService/UpdatePortfolio'
const LONG_MS = 60_000

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const closer of closers.splice(0).toReversed()) await closer()
})

/** A server whose one RPC does as the test says, and what its edge was told. */
async function serve(
  updatePortfolio: (call: CallContext) => Promise<Answer>,
  times: Partial<HttpTimes> = {},
) {
  const ended: string[] = []
  const logged: unknown[] = []
  const systems: unknown[] = []
  const span: Span = {
    child: () => span,
    setAttribute: (name, value) => void (name === 'rpc.system' && systems.push(value)),
    fail() {},
    end() {},
  }
  const telemetry = {
    startCall: () => span,
    callEnded: (method: string, code: string) => void ended.push(`${method.split('/')[1]} ${code}`),
  } as unknown as Telemetry
  const edge: Edge = {
    clock: { now: () => 0, monotonicMs: () => performance.now() },
    telemetry,
    logFailure: (error) => void logged.push(error),
    isDraining: false,
    streams: new Set(),
  }
  const handlers: Partial<HandlersOf<typeof PortfolioService>> = {
    updatePortfolio: (_request, _metadata, call) => updatePortfolio(call),
  }
  const server = await startHttpServer({
    bindAddress: '127.0.0.1',
    httpPort: 0,
    edge,
    portfolio: handlers as HandlersOf<typeof PortfolioService>,
    marketData: {} as HandlersOf<typeof MarketDataService>,
    analytics: {} as HandlersOf<typeof AnalyticsService>,
    report: () => Promise.resolve(''),
    times: { headersMs: LONG_MS, requestMs: LONG_MS, keepAliveMs: LONG_MS, ...times },
  })
  let isClosed = false
  const close = async (timeoutMs: number): Promise<void> => {
    isClosed = true
    edge.isDraining = true
    await server.close(timeoutMs)
  }
  closers.push(async () => {
    if (!isClosed) await close(0)
  })
  return { port: server.port, edge, ended, logged, systems, close }
}

function openSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  closers.push(() => void socket.destroy())
  return socket
}

/** Everything a connection was sent until its end. */
const readAll = (socket: Socket): Promise<string> => text(socket)

/** A promise and what fulfils it. */
function signal<Value = void>() {
  const emitter = new EventEmitter()
  const arrived = once(emitter, 'sent').then(([value]) => value as Value)
  return { arrived, send: (value: Value) => void emitter.emit('sent', value) }
}

describe('a client that is too slow', () => {
  it('with its headers is told so, and its connection ends', async () => {
    const { port } = await serve(() => Promise.resolve(OK), { headersMs: 100 })
    const socket = openSocket(port)
    socket.write('POST /portfolio HTTP/1.1\r\nhost: here\r\nx-slow')
    const answer = await readAll(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(answer).toContain('"reason":"DEADLINE_EXCEEDED"')
  })

  it('with its body is told so, and nothing is done', async () => {
    const ran: CallContext[] = []
    const run = (call: CallContext) => {
      ran.push(call)
      return Promise.resolve(OK)
    }
    const { port, ended } = await serve(run, { headersMs: 50, requestMs: 100 })
    const socket = openSocket(port)
    const headers = 'host: here\r\ncontent-type: application/json\r\ncontent-length: 20'
    socket.write(`POST /portfolio HTTP/1.1\r\n${headers}\r\n\r\n{`)
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 408 /)
    expect(ran).toEqual([])
    expect(ended).toEqual(['UpdatePortfolio CANCELLED'])
  })

  it('with its next request loses its connection', async () => {
    const { port } = await serve(() => Promise.resolve(OK), { keepAliveMs: 50 })
    const socket = openSocket(port)
    socket.write('GET /openapi.json HTTP/1.1\r\nhost: here\r\n\r\n')
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /)
  })
})

it.each(['GET / HTTP/9.9\r\n\r\n', 'hello\r\n\r\n', '\0\0\0'])(
  'bytes that are no request (%j) are refused as such',
  async (bytes) => {
    const { port } = await serve(() => Promise.resolve(OK))
    const socket = openSocket(port)
    socket.write(bytes)
    const answer = await readAll(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(answer).toContain('"reason":"MALFORMED_REQUEST"')
  },
)

describe('a call', () => {
  it('is aborted when its client leaves', async () => {
    const started = signal<CallContext>()
    const { port, ended } = await serve(async (call) => {
      started.send(call)
      await once(call.signal, 'abort')
      throw new PortfolioError('CANCELLED', 'the caller has left')
    })
    const sent = startPost(port)
    const call = await started.arrived
    expect(call.signal.aborted).toBe(false)
    const aborted = once(call.signal, 'abort')
    sent.destroy()
    await aborted
    expect(ended).toEqual(['UpdatePortfolio CANCELLED'])
  })

  it('ends at the deadline of its client, whatever its handler does', async () => {
    const signals: AbortSignal[] = []
    const { port, ended } = await serve((call) => {
      signals.push(call.signal)
      return new Promise(() => undefined)
    })
    const answer = await postJson(port, CONNECT_PATH, {}, { 'connect-timeout-ms': '20' })
    expect(answer).toMatchObject({ status: 504, json: { code: 'deadline_exceeded' } })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(ended).toEqual(['UpdatePortfolio DEADLINE_EXCEEDED'])
  })

  it.each(['/portfolio', CONNECT_PATH])(
    'that breaks at %s says no more than that',
    async (path) => {
      const failure = new Error('select * from secrets')
      const { port, ended, logged } = await serve(() => Promise.reject(failure))
      const answer = await postJson(port, path, {})
      expect(answer.status).toBe(500)
      expect(answer.body).not.toContain('secrets')
      expect(answer.body).toContain(answer.headers['x-request-id'])
      expect(logged).toEqual([failure])
      expect(ended).toEqual(['UpdatePortfolio INTERNAL'])
    },
  )

  it.each(['/portfolio', CONNECT_PATH])(
    'whose answer cannot be encoded fails at %s',
    async (path) => {
      const broken = { message: { success: 'yes' } } as unknown as Answer
      const { port, ended, logged } = await serve(() => Promise.resolve(broken))
      expect((await postJson(port, path, {})).status).toBe(500)
      expect(logged).toHaveLength(1)
      expect(ended).toEqual(['UpdatePortfolio INTERNAL'])
    },
  )

  it.each(['/portfolio', CONNECT_PATH])(
    'that cannot be taken now at %s is asked back',
    async (path) => {
      const { port } = await serve(() => {
        const facts = { retryAfterMs: 1_500 }
        return Promise.reject(new PortfolioError('WRITE_QUEUE_FULL', 'later', facts))
      })
      const answer = await postJson(port, path, {})
      expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '2' } })
    },
  )

  it('counts once, refused ones too', async () => {
    const { port, ended, systems } = await serve(() => Promise.resolve(OK))
    await postJson(port, '/portfolio', {})
    await postJson(port, CONNECT_PATH, {})
    await postJson(port, '/portfolio', '{')
    await postJson(port, CONNECT_PATH, '{')
    await sendHttp(port, '/nothing')
    expect(ended).toEqual([
      'UpdatePortfolio OK',
      'UpdatePortfolio OK',
      'UpdatePortfolio INVALID_ARGUMENT',
      'UpdatePortfolio INVALID_ARGUMENT',
    ])
    expect(systems).toEqual(['http', 'connect_rpc', 'http', 'connect_rpc'])
  })
})

describe('a shutdown', () => {
  it('refuses new requests of open connections, and finishes those under way', async () => {
    const started = signal()
    const finished = signal<Answer>()
    const { port, close } = await serve(() => {
      started.send()
      return finished.arrived
    })
    const agent = new Agent({ keepAlive: true })
    closers.push(() => agent.destroy())
    const underWay = startPost(port, agent)
    await started.arrived
    // No request yet: it is not waited for.
    const second = openSocket(port)
    second.write('POST /portfolio HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n')
    await once(second, 'connect')
    const third = openSocket(port)
    third.write('GET /openapi.json HTTP/1.1\r\nhost: here\r\n\r\nPOST /portfolio HTTP/1.1\r\n')
    await once(third, 'data')
    const closing = close(LONG_MS)
    third.write('host: here\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
    const refused = await readAll(third)
    expect(refused).toMatch(/HTTP\/1\.1 503 Service Unavailable\r\n/)
    expect(refused).toContain('"reason":"DRAINING"')
    expect(refused).toMatch(/connection: close/i)
    finished.send(OK)
    const [answer] = (await once(underWay, 'response')) as [IncomingMessage]
    expect(answer).toMatchObject({ statusCode: 200, headers: { connection: 'close' } })
    answer.resume()
    await closing
  })

  it('does not wait for connections that have sent nothing', async () => {
    const { port, close } = await serve(() => Promise.resolve(OK))
    const socket = openSocket(port)
    await once(socket, 'connect')
    await sendHttp(port, '/openapi.json')
    await expect(close(LONG_MS)).resolves.toBeUndefined()
  })

  it('ends what is under way when its time is over', async () => {
    const started = signal()
    const aborted = signal()
    const { port, ended, close } = await serve(async (call) => {
      started.send()
      await once(call.signal, 'abort')
      aborted.send()
      return OK
    })
    startPost(port)
    await started.arrived
    await close(10)
    await aborted.arrived
    expect(ended).toEqual(['UpdatePortfolio CANCELLED'])
  })
})

it('refuses a call while the server drains, whatever protocol it came by', async () => {
  const { port, edge, ended } = await serve(() => Promise.resolve(OK))
  edge.isDraining = true
  const plain = await postJson(port, '/portfolio', {})
  expect(refusalOf(plain)).toMatchObject({ status: 503, code: 14, reason: 'DRAINING' })
  const byConnect = await postJson(port, CONNECT_PATH, {})
  expect(byConnect).toMatchObject({ status: 503, json: { code: 'unavailable' } })
  expect(byConnect.headers.connection).toBe('close')
  expect(ended).toEqual(['UpdatePortfolio UNAVAILABLE', 'UpdatePortfolio UNAVAILABLE'])
})

function startPost(port: number, agent?: Agent): ClientRequest {
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/portfolio',
    method: 'POST',
    headers: JSON_TYPE,
    ...(agent && { agent }),
  })
  sent.on('error', () => undefined)
  sent.end('{}')
  return sent
}
