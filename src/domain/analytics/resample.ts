import { type EpochDay, type Interval, intervalNumber } from './epoch-day.ts'
import { linkReturns } from './time-weighted.ts'
import type { PeriodValuations } from './valuation-series.ts'

/** One day, week, month, quarter or year of a period; a return that cannot be known is absent. */
export interface SeriesPoint {
  /** Its last valued day. */
  readonly day: EpochDay
  readonly value: number
  readonly netFlow: number
  /** Time-weighted, since the point before. */
  readonly periodReturn: number | undefined
  /** Time-weighted, since the period's start. */
  readonly cumulativeReturn: number | undefined
  /** Distance from the highest growth of any row so far, <= 0; the starting value counts. */
  readonly drawdown: number | undefined
}

/** The series of a period by calendar interval (ISO weeks); the first and last one may be cut by the period. */
export function resample(period: PeriodValuations, interval: Interval): SeriesPoint[] {
  const { growth } = linkReturns(period)
  const points: SeriesPoint[] = []
  let [netFlow, peak, before] = [0, 1, 1]
  for (let row = 0; row < growth.length; row += 1) {
    const [day, now] = [period.days[row] ?? 0, growth[row] ?? NaN]
    netFlow += (period.inflows[row] ?? 0) - (period.outflows[row] ?? 0)
    if (now > peak) peak = now
    const next = period.days[row + 1]
    if (next !== undefined && intervalNumber(next, interval) === intervalNumber(day, interval))
      continue
    points.push({
      day,
      value: period.values[row] ?? NaN,
      netFlow,
      periodReturn: known(now / before - 1),
      cumulativeReturn: known(now - 1),
      drawdown: known(now / peak - 1),
    })
    netFlow = 0
    before = now
  }
  return points
}

function known(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
