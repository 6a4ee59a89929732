import { type Decimal, decimal, sum } from '../decimal.ts'
import type { NoFigure } from './figure.ts'
import { linkReturns } from './time-weighted.ts'
import type { PeriodValuations } from './valuation-series.ts'

export interface Contributions {
  readonly status: 'OK' | NoFigure
  /** One for each part, in their order; they add up to the time-weighted return of the whole. */
  readonly parts: Float64Array
}

/**
 * What each part (symbol, cash) added to the time-weighted return of the whole. A row's contribution is the part's
 * gain over the capital of the whole; over time it is multiplied by the growth of the whole up to that row
 * (Frongello 2002, Attribution Linking: Proofed and Clarified; GRAP 1997), so that the parts add up by construction,
 * also through a total loss, where Carino's logarithm has no value. A part's flows include the trades between parts;
 * the parts have the rows of the whole.
 */
export function contributions(
  whole: PeriodValuations,
  parts: readonly PeriodValuations[],
): Contributions {
  const { growth, capital, status } = linkReturns(whole)
  const linked = new Float64Array(parts.length)
  if (status !== 'OK') return { status, parts: linked }
  for (const [at, part] of parts.entries()) {
    let before = part.startValue
    for (let row = 0; row < capital.length; row += 1) {
      const base = capital[row] ?? NaN
      if (Number.isNaN(base)) continue
      const gain = rowGain(part, row, before)
      if (base > 0) linked[at] = (linked[at] ?? 0) + (gain / base) * (growth[row - 1] ?? 1)
      before = part.values[row] ?? NaN
    }
  }
  return linked.some(Number.isNaN)
    ? { status: 'MISSING_VALUATION', parts: linked }
    : { status, parts: linked }
}

/** What a part gained in one row: its value and outflow over the value before and its inflow. */
export function rowGain(part: PeriodValuations, row: number, before: number): number {
  const end = (part.values[row] ?? NaN) + (part.outflows[row] ?? 0)
  return end - before - (part.inflows[row] ?? 0)
}

/**
 * The parts as decimals that add up to the total to the last digit: what rounding left over, of the order of 1e-16
 * of them, goes to the largest.
 */
export function exactParts(parts: Float64Array, total: number): Decimal[] {
  const exact = Array.from(parts, decimal)
  const largest = exact.reduce(
    (best, part, at) => (part.abs().gt(exact[best]?.abs() ?? -1) ? at : best),
    0,
  )
  const rest = sum([decimal(total), ...exact.map((part) => part.negated())])
  return exact.map((part, at) => (at === largest ? sum([part, rest]) : part))
}
