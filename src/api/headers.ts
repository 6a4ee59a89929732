import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Server } from '@grpc/grpc-js'

/**
 * Mends headers before grpc-js reads them, which has no hook of its own that comes early enough.
 * To be called for each port that was bound.
 * @throws when grpc-js no longer keeps its HTTP/2 servers where it did.
 */
export function mendHeaders(server: Server): void {
  const { http2Servers } = server as unknown as { http2Servers?: Map<Http2Server, unknown> }
  if (http2Servers === undefined || http2Servers.size === 0) {
    throw new Error('this version of grpc-js is not known: its http2Servers are not there')
  }
  for (const http2Server of http2Servers.keys()) http2Server.prependListener('stream', mend)
}

function mend(_stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const timeout = headers['grpc-timeout']
  if (typeof timeout === 'string') headers['grpc-timeout'] = shorterTimeout(timeout)
  blankIllegalValues(headers)
}

const TIMEOUT = /^(\d{1,8})\s*([HMS])$/
const UNIT_SECONDS: Readonly<Record<string, number>> = { H: 3_600, M: 60, S: 1 }
const TIMEOUT_SECONDS_MAX = 86_400

/**
 * grpc-js keeps a timeout in 32 bits of milliseconds, so that 600 hours are over at once. A day is longer than any
 * call may take. Illegal timeouts stay as they are: refusing them is grpc-js's business.
 */
export function shorterTimeout(timeout: string): string {
  const [, amount, unit = ''] = TIMEOUT.exec(timeout) ?? []
  const seconds = Number(amount) * (UNIT_SECONDS[unit] ?? Number.NaN)
  return seconds > TIMEOUT_SECONDS_MAX ? `${TIMEOUT_SECONDS_MAX}S` : timeout
}

const LEGAL_VALUE = /^[ -~]*$/

/**
 * grpc-js drops values that are not printable ASCII, and prints them: a key that was sent would count as none, and a
 * retry would apply twice. Blank, they are refused by whoever reads them.
 */
function blankIllegalValues(headers: IncomingHttpHeaders): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (typeof value === 'string') headers[name] = legalValue(value)
  }
}

/** A header's value, blank when it is none that metadata can carry. */
export function legalValue(value: string): string {
  return LEGAL_VALUE.test(value) ? value : ''
}
