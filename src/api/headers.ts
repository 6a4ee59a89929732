import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'

/** Mends headers before grpc-js reads them, which has no hook of its own that comes early enough. */
export function mendHeaders(http2Server: Http2Server): void {
  http2Server.prependListener('stream', mend)
}

function mend(_stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const timeout = headers['grpc-timeout']
  if (typeof timeout === 'string') {
    const isLegal = TIMEOUT.test(timeout)
    headers[isLegal ? 'grpc-timeout' : ILLEGAL_TIMEOUT] = shorterTimeout(timeout)
    if (!isLegal) delete headers['grpc-timeout']
  }
  blankIllegalValues(headers)
}

/**
 * A timeout that is none travels by this name: grpc-js would answer INTERNAL to it, as if we were to blame, or wait for
 * what it makes of a part of it.
 */
export const ILLEGAL_TIMEOUT = 'grpc-timeout-illegal'

const TIMEOUT = /^(\d{1,8})([HMSmun])$/
const UNIT_SECONDS: Readonly<Record<string, number>> = { H: 3_600, M: 60, S: 1 }
const TIMEOUT_SECONDS_MAX = 86_400

/**
 * grpc-js keeps a timeout in 32 bits of milliseconds, so that 600 hours are over at once. A day is longer than any
 * call may take. What is no timeout stays as it is.
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
