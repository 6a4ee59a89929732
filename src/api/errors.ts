import { create, toBinary } from '@bufbuild/protobuf'
import { type Any, anyPack, DurationSchema } from '@bufbuild/protobuf/wkt'
import { Metadata, status, type StatusObject } from '@grpc/grpc-js'
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.ts'
import { type Status, StatusSchema } from '../../gen/google/rpc/status_pb.ts'
import { PortfolioError, type Reason, type Violation } from '../domain/errors.ts'

const DOMAIN = 'portfolio.v1'
/**
 * Of a whole google.rpc.Status. In base64 and next to the longest message it leaves the trailers below 8 KiB, which is
 * what grpc-java accepts; with more than a client accepts the call fails without any of it.
 */
const STATUS_BYTES_MAX = 5_000
/** Tags and lengths of a text, and those of what holds several of them. */
const TEXT_FRAME_BYTES = 3
const DETAIL_FRAME_BYTES = 64
const TEXT_LENGTH_MAX = 300

/** The gRPC code of each reason. A new reason does not compile until it is here. */
const CODES: Readonly<Record<Reason, status>> = {
  USER_ID_REQUIRED: status.INVALID_ARGUMENT,
  USER_ID_INVALID: status.INVALID_ARGUMENT,
  TRANSACTIONS_REQUIRED: status.INVALID_ARGUMENT,
  TOO_MANY_TRANSACTIONS: status.INVALID_ARGUMENT,
  SYMBOL_INVALID: status.INVALID_ARGUMENT,
  TYPE_UNKNOWN: status.INVALID_ARGUMENT,
  QUANTITY_INVALID: status.INVALID_ARGUMENT,
  PRICE_INVALID: status.INVALID_ARGUMENT,
  AMOUNT_INVALID: status.INVALID_ARGUMENT,
  TIMESTAMP_OUT_OF_RANGE: status.INVALID_ARGUMENT,
  NOT_FINITE: status.INVALID_ARGUMENT,
  PRECISION_EXCEEDED: status.INVALID_ARGUMENT,
  CURRENCY_INVALID: status.INVALID_ARGUMENT,
  ETAG_INVALID: status.INVALID_ARGUMENT,
  SYMBOLS_REQUIRED: status.INVALID_ARGUMENT,
  TOO_MANY_SYMBOLS: status.INVALID_ARGUMENT,
  TOO_MANY_QUOTES: status.INVALID_ARGUMENT,
  INSTRUMENTS_REQUIRED: status.INVALID_ARGUMENT,
  TOO_MANY_INSTRUMENTS: status.INVALID_ARGUMENT,
  INSTRUMENT_INVALID: status.INVALID_ARGUMENT,
  ISIN_INVALID: status.INVALID_ARGUMENT,
  FIGI_INVALID: status.INVALID_ARGUMENT,
  INSTRUMENT_UNKNOWN: status.NOT_FOUND,
  ACTION_INVALID: status.INVALID_ARGUMENT,
  ACTION_NOT_FOUND: status.NOT_FOUND,
  SYMBOL_TAKEN: status.INVALID_ARGUMENT,
  IDEMPOTENCY_KEY_INVALID: status.INVALID_ARGUMENT,
  IDEMPOTENCY_KEY_REUSED: status.INVALID_ARGUMENT,
  METADATA_INVALID: status.INVALID_ARGUMENT,
  MALFORMED_REQUEST: status.INVALID_ARGUMENT,
  REQUEST_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  MEDIA_TYPE_UNSUPPORTED: status.INVALID_ARGUMENT,
  PATH_NOT_FOUND: status.NOT_FOUND,
  METHOD_NOT_ALLOWED: status.UNIMPLEMENTED,
  INSUFFICIENT_QUANTITY: status.FAILED_PRECONDITION,
  LOTS_REQUIRED: status.FAILED_PRECONDITION,
  LOT_NOT_OPEN: status.FAILED_PRECONDITION,
  ALREADY_REVERSED: status.FAILED_PRECONDITION,
  BASE_CURRENCY_FIXED: status.FAILED_PRECONDITION,
  EXTERNAL_ID_REUSED: status.INVALID_ARGUMENT,
  EXTERNAL_ID_INVALID: status.INVALID_ARGUMENT,
  ACCOUNT_INVALID: status.INVALID_ARGUMENT,
  DATE_INVALID: status.INVALID_ARGUMENT,
  LABELS_INVALID: status.INVALID_ARGUMENT,
  LOTS_INVALID: status.INVALID_ARGUMENT,
  PAGE_INVALID: status.INVALID_ARGUMENT,
  SETTINGS_INVALID: status.INVALID_ARGUMENT,
  FX_RATE_REQUIRED: status.INVALID_ARGUMENT,
  FIELD_NOT_ALLOWED: status.INVALID_ARGUMENT,
  CONCURRENT_UPDATE: status.ABORTED,
  TRANSACTION_NOT_FOUND: status.NOT_FOUND,
  BASIS_UNKNOWN: status.FAILED_PRECONDITION,
  ETAG_MISMATCH: status.ABORTED,
  PORTFOLIO_NOT_FOUND: status.NOT_FOUND,
  TOO_MANY_USERS: status.INVALID_ARGUMENT,
  MIN_MOVE_INVALID: status.INVALID_ARGUMENT,
  RESUME_TOKEN_INVALID: status.INVALID_ARGUMENT,
  SLOW_READER: status.RESOURCE_EXHAUSTED,
  TOO_MANY_WATCHES: status.RESOURCE_EXHAUSTED,
  PERIOD_INVALID: status.INVALID_ARGUMENT,
  RATE_INVALID: status.INVALID_ARGUMENT,
  BUDGET_INVALID: status.INVALID_ARGUMENT,
  BENCHMARK_INVALID: status.INVALID_ARGUMENT,
  TOO_MANY_PERIODS: status.INVALID_ARGUMENT,
  ANALYSIS_FAILED: status.INTERNAL,
  WRITE_QUEUE_FULL: status.RESOURCE_EXHAUSTED,
  DATABASE_UNAVAILABLE: status.UNAVAILABLE,
  DRAINING: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CANCELLED: status.CANCELLED,
}

export function codeOf(error: unknown): status {
  return error instanceof PortfolioError ? CODES[error.reason] : status.INTERNAL
}

/** What a failed call answers, on whichever transport. */
export interface Failure {
  readonly code: status
  readonly status: Status
  /** Undefined = an internal error. */
  readonly reason: Reason | undefined
  /** When to come back, milliseconds. */
  readonly retryAfterMs: number | undefined
}

/** google.rpc.Status with its details, the request id, and nothing that only the operators should see. */
export function failureOf(error: unknown, requestId: string): Failure {
  const known = error instanceof PortfolioError ? error : undefined
  const code = codeOf(error)
  const message =
    known === undefined ? `internal error, request id ${requestId}` : safeText(known.message)
  const details = known === undefined ? [] : detailsOf(known)
  details.push(anyPack(RequestInfoSchema, create(RequestInfoSchema, { requestId })))
  if (known !== undefined && known.violations.length > 0) {
    const room = STATUS_BYTES_MAX - message.length - bytesOf(details) - DETAIL_FRAME_BYTES
    details.splice(1, 0, violationsOf(known, code, room))
  }
  return {
    code,
    status: create(StatusSchema, { code, message, details }),
    reason: known?.reason,
    retryAfterMs: known?.retryAfterMs,
  }
}

/** The same as grpc-js takes it, with the details in the trailers. */
export function statusOf(error: unknown, requestId: string): StatusObject {
  const { code, status: answer, retryAfterMs } = failureOf(error, requestId)
  const metadata = new Metadata()
  metadata.set('x-request-id', requestId)
  if (retryAfterMs !== undefined) {
    metadata.set('grpc-retry-pushback-ms', String(Math.ceil(retryAfterMs)))
  }
  metadata.set('grpc-status-details-bin', Buffer.from(toBinary(StatusSchema, answer)))
  return { code, details: answer.message, metadata }
}

function detailsOf(error: PortfolioError): Any[] {
  const { reason, violations, retryAfterMs } = error
  const metadata: Record<string, string> = {}
  for (const [name, fact] of Object.entries(error.metadata)) metadata[name] = safeText(fact)
  if (violations.length > 0) metadata['violations'] = String(violations.length)
  const info = create(ErrorInfoSchema, { reason, domain: DOMAIN, metadata })
  const details = [anyPack(ErrorInfoSchema, info)]
  if (retryAfterMs !== undefined) {
    const retryDelay = create(DurationSchema, durationOf(retryAfterMs))
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })))
  }
  return details
}

/** The first violations, as many as there is room for; their number is in the ErrorInfo. */
function violationsOf({ violations }: PortfolioError, code: status, room: number): Any {
  const shown: Violation[] = []
  let left = room
  for (const { field, reason, description: text } of violations) {
    const description = safeText(text)
    left -= Buffer.byteLength(field) + reason.length + description.length + 4 * TEXT_FRAME_BYTES
    if (left < 0) break
    shown.push({ field, reason, description })
  }
  if (code === status.FAILED_PRECONDITION) {
    const failures = shown.map(({ reason, field, description }) => ({
      type: reason,
      subject: field,
      description,
    }))
    const failure = create(PreconditionFailureSchema, { violations: failures })
    return anyPack(PreconditionFailureSchema, failure)
  }
  return anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations: shown }))
}

function bytesOf(details: readonly Any[]): number {
  return details.reduce((sum, { value }) => sum + value.length + DETAIL_FRAME_BYTES, 0)
}

function durationOf(milliseconds: number): { seconds: bigint; nanos: number } {
  const whole = Math.ceil(milliseconds)
  return { seconds: BigInt(Math.floor(whole / 1_000)), nanos: (whole % 1_000) * 1_000_000 }
}

/** grpc-message is percent-encoded by a function that throws on lone surrogates, and has to stay short. */
function safeText(text: string): string {
  return text.slice(0, TEXT_LENGTH_MAX).replace(/[^\x20-\x7e]/g, '?')
}
