import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { DescMethod } from '@bufbuild/protobuf'
import { status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll } from '@jest/globals'
import { AnalyticsService } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { RunningService } from './service.ts'

const SERVICES = [PortfolioService, MarketDataService, AnalyticsService]

/** Every RPC there is. */
export const METHODS: readonly DescMethod[] = SERVICES.flatMap(({ methods }) => methods)

/** What no client should read: names of a database's, a file's, a host's or a stack's. */
export const LEAKS =
  /select |insert |postgres|redis|\.[jt]s\b|node_modules| at \w+ \(|127\.0\.0\.1|ECONN/i

export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`
}

/** The code's name, as gRPC's headers tell it. */
export function nameOf(code: string | string[] | undefined): string {
  return status[Number(code)] ?? String(code)
}

/** One connection for the tests of a file; what a client did on it must be no news for operators. */
export function useRawSession(fixture: { readonly service: RunningService }): {
  readonly session: ClientHttp2Session
} {
  let session: ClientHttp2Session
  beforeAll(() => {
    // Its end is no error.
    session = connect(`http://127.0.0.1:${fixture.service.ports.grpc}`).on('error', () => undefined)
  })
  afterAll(() => session.close())
  afterEach(() => {
    const told = fixture.service.log.filter((line) => !line.includes('"level":"info"'))
    if (told.length > 0) throw new Error(`it was logged: ${told.join('')}`)
  })
  return {
    get session() {
      return session
    },
  }
}

/** What a call that no gRPC client would make is answered: headers and trailers in one. */
export async function rawCall(
  port: number,
  path: string,
  message: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const session = connect(`http://127.0.0.1:${port}`)
  try {
    return await rawExchange(session, path, framed(message), headers)
  } finally {
    session.close()
  }
}

/** A message as gRPC sends it; `flag` and `length` may lie. */
export function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt8(flag)
  prefix.writeUInt32BE(length, 1)
  return Buffer.concat([prefix, message])
}

/** Sends a body as it is, and gives headers and trailers; none where the stream was reset. */
export async function rawExchange(
  session: ClientHttp2Session,
  path: string,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
  const answered: IncomingHttpHeaders = {}
  stream.on('response', (received) => void Object.assign(answered, received))
  stream.on('trailers', (received) => void Object.assign(answered, received))
  stream.end(body)
  stream.resume()
  await closed(stream)
  return answered
}

/** Settles when a stream is over, by whatever end. */
export async function closed(stream: ClientHttp2Stream): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.on('error', () => undefined).on('close', () => resolve())
  })
}
