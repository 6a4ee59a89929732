import type { Violation } from '../domain/errors.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import { isDay } from '../domain/portfolio/calendar-day.ts'
import { type Problem, SYMBOL_PROBLEM } from './violations.ts'

const PAGE_SIZE_DEFAULT = 100
const PAGE_SIZE_MAX = 1_000
const SYMBOLS_MAX = 1_000

export const PAGE_PROBLEM: Problem = {
  reason: 'PAGE_INVALID',
  description: 'must be the next_page_token of the same listing',
}

export function readSize(size: number, violations: Violation[]): number {
  if (size === 0) return PAGE_SIZE_DEFAULT
  if (size > 0 && size <= PAGE_SIZE_MAX) return size
  const description = `must be from 1 to ${PAGE_SIZE_MAX}; 0 = ${PAGE_SIZE_DEFAULT}`
  violations.push({ field: 'page_size', reason: 'PAGE_INVALID', description })
  return PAGE_SIZE_DEFAULT
}

/** Canonical symbols of a filter. */
export function readSymbols(
  symbols: readonly string[],
  violations: Violation[],
): readonly string[] {
  if (symbols.length > SYMBOLS_MAX) {
    const description = `at most ${SYMBOLS_MAX}, ${symbols.length} sent`
    violations.push({ field: 'symbols', reason: 'PAGE_INVALID', description })
    return []
  }
  return symbols.flatMap((text, index) => {
    const symbol = canonicalSymbol(text)
    if (symbol !== undefined) return [symbol]
    violations.push({ field: `symbols[${index}]`, ...SYMBOL_PROBLEM })
    return []
  })
}

export function readDay(
  field: string,
  day: string | undefined,
  violations: Violation[],
): string | undefined {
  if (day === undefined || day === '') return undefined
  if (isDay(day)) return day
  const description = 'must be a day such as 2024-02-29'
  violations.push({ field, reason: 'DATE_INVALID', description })
  return undefined
}

/** Opaque to clients: what a listing needs to go on. */
export function tokenOfPlace(...parts: readonly (string | number)[]): string {
  return Buffer.from(parts.join(' ')).toString('base64url')
}

/** What a token says, by the listing's own pattern; undefined for the first page. */
export function readPlace(
  token: string,
  pattern: RegExp,
  violations: Violation[],
): RegExpExecArray | undefined {
  if (token === '') return undefined
  const match = pattern.exec(Buffer.from(token, 'base64url').toString())
  if (match === null) violations.push({ field: 'page_token', ...PAGE_PROBLEM })
  return match ?? undefined
}
