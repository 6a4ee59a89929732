/** Every reason a request can be refused for: `ErrorInfo.reason` on the wire, one closed union. */
export type Reason =
  | 'USER_ID_REQUIRED'
  | 'USER_ID_INVALID'
  | 'TRANSACTIONS_REQUIRED'
  | 'TOO_MANY_TRANSACTIONS'
  | 'SYMBOL_INVALID'
  | 'TYPE_UNKNOWN'
  | 'QUANTITY_INVALID'
  | 'PRICE_INVALID'
  | 'AMOUNT_INVALID'
  | 'TIMESTAMP_OUT_OF_RANGE'
  | 'NOT_FINITE'
  | 'PRECISION_EXCEEDED'
  | 'CURRENCY_INVALID'
  | 'ETAG_INVALID'
  | 'SYMBOLS_REQUIRED'
  | 'TOO_MANY_SYMBOLS'
  | 'TOO_MANY_QUOTES'
  | 'INSTRUMENTS_REQUIRED'
  | 'TOO_MANY_INSTRUMENTS'
  | 'INSTRUMENT_INVALID'
  | 'ISIN_INVALID'
  | 'FIGI_INVALID'
  | 'SYMBOL_TAKEN'
  | 'INSTRUMENT_UNKNOWN'
  | 'ACTION_INVALID'
  | 'ACTION_NOT_FOUND'
  | 'IDEMPOTENCY_KEY_INVALID'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'METADATA_INVALID'
  | 'MALFORMED_REQUEST'
  | 'REQUEST_TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'PATH_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'INSUFFICIENT_QUANTITY'
  | 'LOTS_REQUIRED'
  | 'LOT_NOT_OPEN'
  | 'ALREADY_REVERSED'
  | 'TRANSACTION_NOT_FOUND'
  | 'EXTERNAL_ID_REUSED'
  | 'EXTERNAL_ID_INVALID'
  | 'ACCOUNT_INVALID'
  | 'DATE_INVALID'
  | 'LABELS_INVALID'
  | 'LOTS_INVALID'
  | 'PAGE_INVALID'
  | 'SETTINGS_INVALID'
  | 'FX_RATE_REQUIRED'
  | 'FIELD_NOT_ALLOWED'
  | 'CONCURRENT_UPDATE'
  | 'BASE_CURRENCY_FIXED'
  | 'BASIS_UNKNOWN'
  | 'ETAG_MISMATCH'
  | 'PORTFOLIO_NOT_FOUND'
  | 'TOO_MANY_USERS'
  | 'MIN_MOVE_INVALID'
  | 'RESUME_TOKEN_INVALID'
  | 'SLOW_READER'
  | 'TOO_MANY_WATCHES'
  | 'PERIOD_INVALID'
  | 'RATE_INVALID'
  | 'BUDGET_INVALID'
  | 'BENCHMARK_INVALID'
  | 'TOO_MANY_PERIODS'
  | 'ANALYSIS_FAILED'
  | 'WRITE_QUEUE_FULL'
  | 'DATABASE_UNAVAILABLE'
  | 'DRAINING'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'

/** One thing wrong with one field; `field` is a path into the request, such as `transactions[3].quantity`. */
export interface Violation {
  readonly field: string
  readonly reason: Reason
  readonly description: string
}

interface Facts {
  /** Facts for programs: `ErrorInfo.metadata`. Never another user's data. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly violations?: readonly Violation[]
  /** Advice for the caller, milliseconds. */
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/** A request refused for a reason the caller can act on. The message is safe to show to the caller. */
export class PortfolioError extends Error {
  override readonly name = 'PortfolioError'
  readonly reason: Reason
  readonly metadata: Readonly<Record<string, string>>
  readonly violations: readonly Violation[]
  readonly retryAfterMs: number | undefined

  constructor(reason: Reason, message: string, facts: Facts = {}) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause })
    this.reason = reason
    this.metadata = facts.metadata ?? {}
    this.violations = facts.violations ?? []
    this.retryAfterMs = facts.retryAfterMs
  }
}

/** The error of a request with at least one violation; its reason is the first one's. */
export function invalidRequest(violations: readonly Violation[]): PortfolioError {
  const [first] = violations
  if (first === undefined) throw new Error('a refusal needs a violation')
  const more = violations.length === 1 ? '' : ` (and ${violations.length - 1} more)`
  return new PortfolioError(first.reason, `${first.field}: ${first.description}${more}`, {
    violations,
  })
}
