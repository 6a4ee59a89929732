import { returnFigure } from './annualize.ts'
import type { EpochDay } from './epoch-day.ts'
import { type Figure, figure, type ReturnFigure } from './figure.ts'
import { dayCount, type PeriodValuations } from './valuation-series.ts'

export interface PeriodTotals {
  readonly startValue: number
  readonly endValue: number
  readonly inflows: number
  readonly outflows: number
  /** end - start - inflows + outflows. */
  readonly gain: number
}

/** What a period started and ended with, and what moved in and out of it. */
export function periodTotals(period: PeriodValuations): PeriodTotals {
  const { startValue } = period
  const endValue = period.values.length > 0 ? (period.values.at(-1) ?? NaN) : startValue
  const [inflows, outflows] = [total(period.inflows), total(period.outflows)]
  return {
    startValue,
    endValue,
    inflows,
    outflows,
    gain: endValue - startValue - inflows + outflows,
  }
}

/** Gain / (start value + inflows): the measure of decision 23, over any period. */
export function simpleReturn({ startValue, inflows, gain }: PeriodTotals): Figure {
  const capital = startValue + inflows
  if (Number.isNaN(gain)) return { status: 'MISSING_VALUATION' }
  return capital > 0 ? figure(gain / capital, 'NO_SOLUTION') : { status: 'NO_CAPITAL' }
}

/**
 * Modified Dietz (Bacon, Practical Portfolio Performance Measurement and Attribution; GIPS): gain over the start
 * value and each flow weighted by the part of the period that follows its day, with the start value on the evening
 * before. A period that begins with its first flow is measured from that day.
 */
export function modifiedDietz(
  period: PeriodValuations,
  { startValue, gain }: PeriodTotals = periodTotals(period),
): ReturnFigure {
  if (period.values.length === 0) return { status: 'TOO_SHORT' }
  if (Number.isNaN(gain)) return { status: 'MISSING_VALUATION' }
  const since = startValue === 0 ? period.startDay : period.startDay - 1
  let capital = startValue
  for (let row = 0; row < period.days.length; row += 1) {
    const flow = (period.inflows[row] ?? 0) - (period.outflows[row] ?? 0)
    if (flow === 0) continue
    capital += flow * weight(period.days[row] ?? since, since, period.endDay)
  }
  return capital > 0 ? returnFigure(gain / capital, dayCount(period)) : { status: 'NO_CAPITAL' }
}

function weight(day: EpochDay, since: EpochDay, endDay: EpochDay): number {
  return endDay === since ? 1 : (endDay - day) / (endDay - since)
}

function total(values: Float64Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at += 1) sum += values[at] ?? 0
  return sum
}
