import { invalidRequest, PortfolioError, type Reason, type Violation } from '../domain/errors.ts'

/** What is wrong with a field, whichever it is. Short: many of them have to fit into a call's trailers. */
export type Problem = Omit<Violation, 'field'>

export const SYMBOL_PROBLEM: Problem = {
  reason: 'SYMBOL_INVALID',
  description: 'must be 1 to 32 of A-Z 0-9 . : / = ^ _ -',
}
export const TIMESTAMP_PROBLEM: Problem = {
  reason: 'TIMESTAMP_OUT_OF_RANGE',
  description: 'must be from 1970 to 24 hours ahead',
}
export const INSTANT_PROBLEM: Problem = {
  reason: 'TIMESTAMP_OUT_OF_RANGE',
  description: 'must be from 1700 to 24 hours ahead',
}
export const CURRENCY_PROBLEM: Problem = {
  reason: 'CURRENCY_INVALID',
  description: 'must be three capital letters',
}
export const ETAG_PROBLEM: Problem = {
  reason: 'ETAG_INVALID',
  description: 'must be an etag that this service returned',
}

/** How many there are and may be. */
export interface Count {
  readonly actual: number
  readonly maximum: number
}

export function countProblem(
  reasons: { readonly none: Reason; readonly tooMany: Reason },
  { actual, maximum }: Count,
): Problem | undefined {
  if (actual === 0) return { reason: reasons.none, description: 'must have at least one' }
  if (actual <= maximum) return undefined
  return { reason: reasons.tooMany, description: `at most ${maximum}, ${actual} sent` }
}

/** The error of a request with violations, with the numbers when there was too much of something. */
export function refusalOf(violations: readonly Violation[], count?: Count): PortfolioError {
  const error = invalidRequest(violations)
  if (count === undefined || count.actual <= count.maximum) return error
  const metadata = { actual: String(count.actual), maximum: String(count.maximum) }
  return new PortfolioError(error.reason, error.message, { violations, metadata })
}

/** What an optional text stands for; a text that stands for nothing is a violation. */
export function readOptional<Value>(
  text: string,
  parse: (text: string) => Value | undefined,
  onInvalid: () => void,
): Value | undefined {
  if (text === '') return undefined
  const value = parse(text)
  if (value === undefined) onInvalid()
  return value
}

/** An optional moment; one that is out of range is a violation. */
export function readMoment(
  moment: number | undefined | 'out of range',
  onInvalid: () => void,
): number | undefined {
  if (moment !== 'out of range') return moment
  onInvalid()
  return undefined
}
