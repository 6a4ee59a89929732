import type { Metadata } from '@grpc/grpc-js'
import type { Warning } from '../domain/portfolio/portfolio-change.ts'
import { parseEtag } from '../domain/portfolio/state.ts'
import type { Completeness } from '../domain/portfolio/quality.ts'
import { isCurrencyCode } from '../domain/market-data/symbol.ts'
import type { Violation } from '../domain/errors.ts'
import { type Instant, rfc3339 } from '../domain/time.ts'
import { CURRENCY_PROBLEM, ETAG_PROBLEM } from './violations.ts'

/** Node refuses more than 128 header pairs; whoever has more warnings has their count. */
const WARNINGS_MAX = 16
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,128}$/

/** `request_id` of the newer RPCs and the header are one namespace; both given and different is neither. */
export function readRequestKey(
  requestId: string,
  metadata: Metadata,
  violations: Violation[],
): string | undefined {
  const header = readIdempotencyKey(metadata, violations)
  if (requestId === '') return header
  if (IDEMPOTENCY_KEY.test(requestId) && (header === undefined || header === requestId)) {
    return requestId
  }
  const description = 'must be 1 to 128 printable ASCII characters, and equal to idempotency-key'
  violations.push({ field: 'request_id', reason: 'IDEMPOTENCY_KEY_INVALID', description })
  return undefined
}

export interface UpdateHeaders {
  readonly idempotencyKey: string | undefined
  readonly ifMatch: string | undefined
  readonly validateOnly: boolean
  readonly reportingCurrency: string | undefined
}

/** What a write's metadata asks for; wrong ones are added to the violations. */
export function readUpdateHeaders(metadata: Metadata, violations: Violation[]): UpdateHeaders {
  return {
    idempotencyKey: readIdempotencyKey(metadata, violations),
    ifMatch: readIfMatch(metadata, violations),
    validateOnly: readValidateOnly(metadata, violations),
    reportingCurrency: readReportingCurrency(metadata, violations),
  }
}

/** The currency of the answer, or undefined for the portfolio's own. */
export function readReportingCurrency(
  metadata: Metadata,
  violations: Violation[],
): string | undefined {
  const field = 'portfolio-reporting-currency'
  const text = headerText(metadata, field)
  if (text === undefined || isCurrencyCode(text)) return text
  violations.push({ field, ...CURRENCY_PROBLEM })
  return undefined
}

function readIdempotencyKey(metadata: Metadata, violations: Violation[]): string | undefined {
  const field = 'idempotency-key'
  const text = headerText(metadata, field)
  if (text === undefined || IDEMPOTENCY_KEY.test(text)) return text
  const description = 'must be 1 to 128 printable ASCII characters'
  violations.push({ field, reason: 'IDEMPOTENCY_KEY_INVALID', description })
  return undefined
}

export function readIfMatch(metadata: Metadata, violations: Violation[]): string | undefined {
  const field = 'if-match'
  const text = headerText(metadata, field)
  if (text === undefined) return undefined
  const etag = parseEtag(text)?.etag
  if (etag === undefined) {
    violations.push({ field, ...ETAG_PROBLEM })
  }
  return etag
}

function readValidateOnly(metadata: Metadata, violations: Violation[]): boolean {
  const field = 'portfolio-validate-only'
  const text = headerText(metadata, field)
  if (text !== undefined && text !== 'true' && text !== 'false') {
    violations.push({ field, reason: 'METADATA_INVALID', description: 'must be true or false' })
  }
  return text === 'true'
}

/** A header that is there twice is neither of the two: '' is no valid value of any of these. */
function headerText(metadata: Metadata, name: string): string | undefined {
  const values = metadata.get(name)
  const [value] = values
  if (value === undefined) return undefined
  return values.length === 1 && typeof value === 'string' ? value : ''
}

/** The state that was answered, and how far its numbers can be trusted. */
export function answerHeaders(answer: {
  readonly etag: string
  readonly version: number
  readonly completeness: Completeness
  readonly pricedAt: Instant | undefined
}): Map<string, string | readonly string[]> {
  const headers = new Map<string, string | readonly string[]>([
    ['portfolio-etag', answer.etag],
    ['portfolio-version', String(answer.version)],
    ['portfolio-data-quality', answer.completeness.toLowerCase()],
  ])
  if (answer.pricedAt !== undefined) headers.set('portfolio-priced-at', rfc3339(answer.pricedAt))
  return headers
}

export function addWarnings(
  headers: Map<string, string | readonly string[]>,
  warnings: readonly Warning[],
): void {
  if (warnings.length === 0) return
  const shown = warnings.slice(0, WARNINGS_MAX)
  headers.set(
    'portfolio-warning',
    shown.map(({ index, reason }) => `${index}:${reason}`),
  )
  headers.set('portfolio-warning-count', String(warnings.length))
}
