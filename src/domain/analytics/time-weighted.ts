import { returnFigure } from './annualize.ts'
import type { EpochDay } from './epoch-day.ts'
import type { NoFigure, ReturnFigure } from './figure.ts'
import { dayCount, type PeriodValuations, type ValuationSeries } from './valuation-series.ts'

/** Returns of days on which the market was open, as fractions, each from the observation before it. */
export interface DailyReturns {
  readonly days: Int32Array
  readonly returns: Float64Array
  /** Where the first return is measured from. */
  readonly startDay: EpochDay
}

export interface LinkedReturns {
  /** Growth of one unit from the period's start to the end of each row; NaN from where there is no return on. */
  readonly growth: Float64Array
  /** What was at work in each row: the value before it and its inflow. NaN in a row that could not be valued. */
  readonly capital: Float64Array
  /** OK, or why growth ends in NaN. */
  readonly status: 'OK' | NoFigure
}

/**
 * Links the rows of a period (decision 32; Portfolio Performance's rule): an inflow counts from the start of its
 * row, an outflow until its end, so the row grows by (value + outflow) / (value before + inflow). A row without
 * price and flow is passed over. A row that starts with nothing and ends with nothing neither gains nor loses.
 */
export function linkReturns(period: PeriodValuations): LinkedReturns {
  const { values, inflows, outflows } = period
  const growth = new Float64Array(values.length)
  const capital = new Float64Array(values.length)
  let status: LinkedReturns['status'] = 'OK'
  let [before, linked] = [period.startValue, 1]
  for (let row = 0; row < values.length; row += 1) {
    if (isPassedOver(period, row)) {
      capital[row] = NaN
    } else {
      const base = before + (inflows[row] ?? 0)
      const end = (values[row] ?? NaN) + (outflows[row] ?? 0)
      if (status === 'OK') status = rowStatus(base, end)
      if (base !== 0) linked *= end / base
      capital[row] = base
      before = values[row] ?? NaN
    }
    growth[row] = status === 'OK' ? linked : NaN
  }
  if (status === 'OK' && !capital.some((base) => base > 0)) status = 'NO_CAPITAL'
  return { growth, capital, status }
}

/** The next row measures from the one before. The last row has to have a price. */
function isPassedOver(period: PeriodValuations, row: number): boolean {
  return row < period.values.length - 1 && isUntold(period, row)
}

/** Nothing moved and there is no price. */
export function isUntold(
  { values, inflows, outflows }: Pick<ValuationSeries, 'values' | 'inflows' | 'outflows'>,
  row: number,
): boolean {
  return Number.isNaN(values[row]) && inflows[row] === 0 && outflows[row] === 0
}

/** Below nothing there is no return that could be linked: a short position owes more than it has. */
export function rowStatus(base: number, end: number): LinkedReturns['status'] {
  if (Number.isNaN(base) || Number.isNaN(end)) return 'MISSING_VALUATION'
  return base < 0 || end < 0 || (base === 0 && end !== 0) ? 'NO_CAPITAL' : 'OK'
}

/** The time-weighted return of a period: what one unit of money that stayed in from start to end earned. */
export function timeWeightedReturn(
  period: PeriodValuations,
  { growth, status }: LinkedReturns = linkReturns(period),
): ReturnFigure {
  if (growth.length === 0) return { status: 'TOO_SHORT' }
  if (status !== 'OK') return { status }
  return returnFigure((growth.at(-1) ?? NaN) - 1, dayCount(period))
}

/**
 * The returns behind the risk figures. An observation is a day on which something held has a quote of that day;
 * what changed on other days is part of the next observation, so that a closed market is no return of zero.
 * Empty when the rows cannot be linked.
 */
export function dailyReturns(
  period: PeriodValuations,
  { growth, capital, status }: LinkedReturns = linkReturns(period),
): DailyReturns {
  const days = new Int32Array(growth.length)
  const returns = new Float64Array(growth.length)
  const rows = status === 'OK' ? growth.length : 0
  let [count, before] = [0, 1]
  for (let row = 0; row < rows; row += 1) {
    const closes = period.days[row] !== period.days[row + 1]
    const now = growth[row] ?? NaN
    if (!closes || period.observed[row] !== 1 || before === 0) continue
    if (!hadCapital(period, capital, row)) continue
    days[count] = period.days[row] ?? 0
    returns[count] = now / before - 1
    count += 1
    before = now
  }
  return {
    days: days.subarray(0, count),
    returns: returns.subarray(0, count),
    startDay: period.startValueDay,
  }
}

/** A day on which nothing was at work has no return, not one of zero. */
function hadCapital(period: PeriodValuations, capital: Float64Array, lastRow: number): boolean {
  for (let row = lastRow; period.days[row] === period.days[lastRow]; row -= 1) {
    if ((capital[row] ?? 0) > 0) return true
  }
  return false
}
