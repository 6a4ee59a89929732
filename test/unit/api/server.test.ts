import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { afterEach, expect, it } from '@jest/globals'
import { checkHealth } from '../../../src/api/health.ts'
import { type ApiServer, HEALTH_SERVICE, startServer } from '../../../src/api/server.ts'
import type { Edge } from '../../../src/api/served-call.ts'
import { silentTelemetry, systemClock } from '../../support/store.ts'

const LONG_MS = 60_000

const servers: ApiServer[] = []
const sessions: ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  for (const server of servers.splice(0)) await server.close(0)
})

/** A server of RPCs that nobody calls. */
async function start(bindAddress = '127.0.0.1'): Promise<ApiServer> {
  const edge: Omit<Edge, 'isDraining' | 'streams'> = {
    clock: systemClock,
    telemetry: silentTelemetry,
    logFailure: () => undefined,
  }
  const handlers = { portfolio: {}, marketData: {}, analytics: {}, report: {} } as Pick<
    Parameters<typeof startServer>[0],
    'portfolio' | 'marketData' | 'analytics' | 'report'
  >
  const server = await startServer({
    bindAddress,
    grpcPort: 0,
    healthPort: 0,
    httpPort: undefined,
    reflection: false,
    edge,
    ...handlers,
  })
  servers.push(server)
  return server
}

/** A connection with a request that never ends, once the server has seen it. */
async function openCall({ ports }: ApiServer): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${ports.grpc}`)
  sessions.push(session)
  await once(session, 'connect')
  const request = session.request({
    ':method': 'POST',
    ':path': '/portfolio.v1.PortfolioService/GetPortfolio',
    'content-type': 'application/grpc',
  })
  request.on('error', () => undefined)
  request.write(Buffer.of(0))
  // Frames are served in order.
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)))
  })
  return session
}

function health({ ports }: ApiServer): Promise<string> {
  return checkHealth(`127.0.0.1:${ports.health}`, HEALTH_SERVICE, LONG_MS)
}

it('a server that goes away is not called back by a pass that ends late', async () => {
  const server = await start()
  server.setServing(true)
  expect(await health(server)).toBe('SERVING')
  const session = await openCall(server)
  const closing = server.close(LONG_MS)
  server.setServing(true)
  expect(await health(server)).toBe('NOT_SERVING')
  session.destroy()
  await closing
})

it('ends connections with calls that do not end when the time is over', async () => {
  const server = await start()
  const session = await openCall(server)
  const closed = once(session, 'close')
  await server.close(50)
  await closed
  expect(session.destroyed).toBe(true)
})

it('says which port cannot be had, also on an address of IPv6', async () => {
  // Nobody has an address of the documentation's network.
  await expect(start('2001:db8::1')).rejects.toThrow('HEALTH_PORT [2001:db8::1]:0 cannot be had')
})
