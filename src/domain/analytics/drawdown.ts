import type { EpochDay } from './epoch-day.ts'
import type { DailyReturns } from './time-weighted.ts'

/** A fall of the growth below its highest point. */
export interface Drawdown {
  /** Lowest growth over the peak's, less 1: negative. */
  readonly depth: number
  readonly peakDay: EpochDay
  readonly troughDay: EpochDay
  /** The first day that is as high as the peak again; absent while under water. */
  readonly recoveryDay: EpochDay | undefined
}

/**
 * The deepest drawdowns of a series of returns, deepest first, the earlier first among equals. They do not overlap:
 * each lasts from a peak to the recovery. The starting value counts as a peak, dated the valuation before the first
 * return; of a peak held for several days the last day counts.
 */
export function drawdowns(series: DailyReturns, countMax: number): Drawdown[] {
  const found: Drawdown[] = []
  let [growth, peak, peakDay] = [1, 1, series.startDay]
  let [lowest, troughDay] = [1, series.startDay]
  for (let at = 0; at < series.returns.length; at += 1) {
    const day = series.days[at] ?? peakDay
    growth *= 1 + (series.returns[at] ?? NaN)
    if (growth >= peak) {
      if (lowest < peak) {
        found.push({ depth: lowest / peak - 1, peakDay, troughDay, recoveryDay: day })
      }
      ;[peak, peakDay, lowest] = [growth, day, growth]
    } else if (growth < lowest) {
      ;[lowest, troughDay] = [growth, day]
    }
  }
  if (lowest < peak) {
    found.push({ depth: lowest / peak - 1, peakDay, troughDay, recoveryDay: undefined })
  }
  return found.toSorted((left, right) => left.depth - right.depth).slice(0, countMax)
}

/** The depth of the deepest drawdown, 0 for a series that never fell. */
export function maxDrawdown(series: DailyReturns): number {
  return drawdowns(series, 1)[0]?.depth ?? 0
}
