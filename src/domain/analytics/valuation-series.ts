import type { EpochDay } from './epoch-day.ts'

/**
 * What a portfolio, or one symbol of it, was worth over time, in one currency; arrays of one length, row by row in
 * order of time. A day's last row is its close. A row comes before it for each further moment of the day that has
 * a price and an outside flow, so that the day splits there exactly: its value is that of before the inflow and of
 * after the outflow, the outflow stands in it and the inflow in the row after it.
 */
export interface ValuationSeries {
  /** EpochDay of each row, never falling. */
  readonly days: Int32Array
  /** Value at the row's end, cash included where it is tracked; NaN where a price was missing. */
  readonly values: Float64Array
  /** What came in from outside since the row before, >= 0: counts from the row's start. */
  readonly inflows: Float64Array
  /** What left to outside since the row before, >= 0: counts until the row's end. */
  readonly outflows: Float64Array
  /** 1 where something held has a quote of that day; what other days earn belongs to the next such day. */
  readonly observed: Uint8Array
}

/** Rows of a series from `startDay` to `endDay`, both inclusive, and the value of the evening before. */
export interface PeriodValuations extends ValuationSeries {
  readonly startDay: EpochDay
  readonly endDay: EpochDay
  readonly startValue: number
  /** The last valuation before the period; the day before it when there is none. */
  readonly startValueDay: EpochDay
}

/** The period's length, both ends inclusive. */
export function dayCount(period: { startDay: EpochDay; endDay: EpochDay }): number {
  return period.endDay - period.startDay + 1
}

/**
 * The part of a series within two days, both inclusive, without copying. The start value is that of the evening
 * before; a period that starts before the first flow starts with it (semantics, "Periods").
 */
export function periodOf(
  series: ValuationSeries,
  startDay: EpochDay,
  endDay: EpochDay,
): PeriodValuations {
  const first = firstRowFrom(series.days, startDay)
  const startValue = first > 0 ? (series.values[first - 1] ?? 0) : 0
  const end = Math.max(first, firstRowFrom(series.days, endDay + 1))
  if (startValue !== 0 || hasFlowBefore(series, first)) {
    return rows(series, first, end, { startDay, endDay, startValue })
  }
  const opening = firstFlowRow(series, first, end)
  if (opening === end) return rows(series, first, end, { startDay, endDay, startValue })
  return rows(series, opening, end, {
    startDay: series.days[opening] ?? startDay,
    endDay,
    startValue,
  })
}

/** The rows of a part that are those of a period of the whole: also before the part's first flow. */
export function rowsLike(part: ValuationSeries, whole: PeriodValuations): PeriodValuations {
  const from = firstRowFrom(part.days, whole.days[0] ?? whole.startDay)
  const { startDay, endDay, startValueDay } = whole
  const startValue = whole.startValue === 0 ? 0 : (part.values[from - 1] ?? 0)
  const like = rows(part, from, from + whole.days.length, { startDay, endDay, startValue })
  return { ...like, startValueDay }
}

function rows(
  series: ValuationSeries,
  from: number,
  to: number,
  period: { startDay: EpochDay; endDay: EpochDay; startValue: number },
): PeriodValuations {
  return {
    ...period,
    startValueDay: series.days[from - 1] ?? period.startDay - 1,
    days: series.days.subarray(from, to),
    values: series.values.subarray(from, to),
    inflows: series.inflows.subarray(from, to),
    outflows: series.outflows.subarray(from, to),
    observed: series.observed.subarray(from, to),
  }
}

function hasFlowBefore(series: ValuationSeries, end: number): boolean {
  return firstFlowRow(series, 0, end) < end
}

function firstFlowRow(series: ValuationSeries, from: number, to: number): number {
  let row = from
  while (row < to && series.inflows[row] === 0 && series.outflows[row] === 0) row += 1
  return row
}

function firstRowFrom(days: Int32Array, day: EpochDay): number {
  let [low, high] = [0, days.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((days[middle] ?? day) < day) low = middle + 1
    else high = middle
  }
  return low
}
