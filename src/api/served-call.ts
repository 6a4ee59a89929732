import { randomUUID } from 'node:crypto'
import { type Metadata, status } from '@grpc/grpc-js'
import type { CallContext, Clock, Span, Telemetry } from '../app/ports.ts'
import { PortfolioError } from '../domain/errors.ts'
import { callerOf } from './auth.ts'
import { codeOf } from './errors.ts'

/** What every call needs of the server around it. */
export interface Edge {
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** What operators should read in full and clients should not. */
  readonly logFailure: (error: unknown, facts: { requestId: string; method: string }) => void
  /** True once the server is shutting down. */
  isDraining: boolean
  /** Ends each stream that is open, with the reason that the server is shutting down. */
  readonly streams: Set<() => void>
}

export interface MethodFacts {
  /** "portfolio.v1.PortfolioService/GetPortfolio". */
  readonly name: string
  /** Milliseconds a call may take at most, whatever its client asks for. */
  readonly timeMsMax: number
}

/** What a call brings along, whatever it came by. */
export interface Arrival {
  readonly metadata: Metadata
  /** Milliseconds the client waits; Infinity = it did not say. */
  readonly clientMs: number
  /** The transport itself ends a call at its client's deadline. */
  readonly endsAtClientDeadline: boolean
}

export type ReplyHeaders = ReadonlyMap<string, string | readonly string[]>

const METADATA_BYTES_MAX = 8_192
const REQUEST_ID = /^[\x21-\x7e]([\x20-\x7e]{0,126}[\x21-\x7e])?$/

/** One call from its arrival to its end, which comes once: answered, failed, out of time, or left by its client. */
export abstract class ServedCall implements CallContext {
  readonly requestId: string
  readonly caller: string
  readonly deadlineMs: number
  readonly span: Span
  readonly metadata: Metadata
  readonly #method: MethodFacts
  readonly #edge: Edge
  readonly #startedMs: number
  readonly #timer: NodeJS.Timeout | undefined
  #aborting: AbortController | undefined
  #ended = false

  constructor(method: MethodFacts, edge: Edge, arrival: Arrival) {
    const { metadata, clientMs, endsAtClientDeadline } = arrival
    this.#method = method
    this.#edge = edge
    this.#startedMs = edge.clock.monotonicMs()
    this.metadata = metadata
    this.requestId = requestIdOf(metadata)
    this.caller = callerOf(metadata)
    this.span = edge.telemetry.startCall(method.name, firstText(metadata, 'traceparent'))
    this.span.setAttribute('portfolio.request_id', this.requestId)
    const timeMs = Math.min(clientMs, method.timeMsMax)
    this.deadlineMs = this.#startedMs + timeMs
    if (!endsAtClientDeadline || clientMs > method.timeMsMax) {
      this.#timer = setTimeout(() => this.#expire(), timeMs)
    }
  }

  /** Sends the headers of an answer, and the request's id; its message follows. */
  protected abstract sendHeaders(headers: ReplyHeaders | undefined): void

  protected abstract sendFailure(error: unknown): void

  get signal(): AbortSignal {
    this.#aborting ??= new AbortController()
    if (this.#ended) this.#aborting.abort()
    return this.#aborting.signal
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** @throws PortfolioError when the call is not to be looked at. */
  admit(): void {
    if (this.#edge.isDraining) {
      throw new PortfolioError('DRAINING', 'the server is shutting down')
    }
    const actual = metadataBytes(this.metadata)
    if (actual > METADATA_BYTES_MAX) {
      const maximum = METADATA_BYTES_MAX
      throw new PortfolioError(
        'METADATA_INVALID',
        `at most ${maximum} bytes of metadata, ${actual} sent`,
        { metadata: { actual: String(actual), maximum: String(maximum) } },
      )
    }
  }

  /** Ends the call and sends the headers; the message follows. */
  succeed(headers: ReplyHeaders | undefined): void {
    this.#end(status.OK)
    this.sendHeaders(headers)
  }

  /** Sends the headers of an answer that is a stream: its messages follow, and then its end. */
  begin(): void {
    this.sendHeaders(undefined)
  }

  /** All messages of a stream were sent. */
  finish(): void {
    this.#end(status.OK)
  }

  /** Ends the call with an error and tells whoever serves it to stop. */
  drop(error: PortfolioError): void {
    this.fail(error)
    this.#aborting?.abort()
  }

  fail(error: unknown): void {
    if (isForOperators(error, this.#ended)) {
      this.#edge.logFailure(error, { requestId: this.requestId, method: this.#method.name })
    }
    if (this.#ended) return
    const code = codeOf(error)
    if (code === status.INTERNAL) this.span.fail(error)
    this.#end(code)
    this.sendFailure(error)
  }

  #expire(): void {
    this.drop(new PortfolioError('DEADLINE_EXCEEDED', 'the time for this call is over'))
  }

  /** The client is gone; transports say so after every call, answered or not. */
  protected leave(): void {
    if (this.#ended) return
    const isLate = this.#edge.clock.monotonicMs() >= this.deadlineMs
    this.#end(isLate ? status.DEADLINE_EXCEEDED : status.CANCELLED)
    this.#aborting?.abort()
  }

  #end(code: status): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.span.setAttribute('rpc.grpc.status_code', code)
    this.span.end()
    const durationMs = this.#edge.clock.monotonicMs() - this.#startedMs
    this.#edge.telemetry.callEnded(this.#method.name, status[code], durationMs)
  }
}

/** Of what came after the end only surprises count; a stream that its client left breaks by itself. */
function isForOperators(error: unknown, isOver: boolean): boolean {
  if (error instanceof PortfolioError) return error.cause !== undefined
  return !(isOver && (error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE')
}

export function requestIdOf(metadata: Metadata): string {
  const given = firstText(metadata, 'x-request-id')
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID()
}

function firstText(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name)
  return typeof value === 'string' ? value : undefined
}

function metadataBytes(metadata: Metadata): number {
  let total = 0
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) total += name.length + value.length
  }
  return total
}
