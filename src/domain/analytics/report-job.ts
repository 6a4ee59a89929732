import { type EndHoldings, endHoldings, type JobPeriod } from './analyze-job.ts'
import { contributions } from './contribution.ts'
import { valueDays } from './daily-values.ts'
import type { CountedCharges, HeldAtEnd, ValuedLedger } from './valued-ledger.ts'
import type { Interval } from './epoch-day.ts'
import {
  type PerformanceFigures,
  performanceOf,
  riskOf,
  type RiskFigures,
  type RiskTerms,
} from './measures.ts'
import { resample, type SeriesPoint } from './resample.ts'
import {
  type PeriodValuations,
  periodOf,
  rowsLike,
  type ValuationSeries,
} from './valuation-series.ts'

/** Reports a portfolio, or some of its groups, over several periods. */
export interface ReportJob {
  readonly kind: 'report'
  readonly ledger: ValuedLedger
  readonly periods: readonly JobPeriod[]
  /** Groups to report each by itself; empty = the whole. */
  readonly groups: readonly number[]
  readonly interval: Interval | undefined
  readonly counted: CountedCharges
  readonly riskTerms: RiskTerms
}

export interface Report {
  /** The place of its period among those asked. */
  readonly period: number
  /** Undefined = the whole. */
  readonly group: number | undefined
  readonly performance: PerformanceFigures
  readonly risk: RiskFigures
  readonly series: readonly SeriesPoint[]
  /** What each group added to the time-weighted return; empty where that is no number, and for one group. */
  readonly attribution: Float64Array
}

export interface ReportResult {
  /** By period, and within it by group in the order asked. */
  readonly reports: readonly Report[]
  /** What was held at the end of each period. */
  readonly ends: readonly EndHoldings[]
}

/** Undefined when `shouldStop` said so. */
export function reportPerformance(
  job: ReportJob,
  shouldStop: () => boolean,
): ReportResult | undefined {
  const { ledger } = job
  const inception = ledger.numbers.days[0] ?? Number.MAX_SAFE_INTEGER
  const periods = job.periods.map(({ fromDay, toDay }) => ({
    fromDay: fromDay ?? Math.min(inception, toDay),
    toDay,
  }))
  const fromDay = Math.min(...periods.map((period) => period.fromDay))
  const toDay = Math.max(...periods.map((period) => period.toDay))
  const heldOn = new Set(periods.map((period) => period.toDay))
  const valued = valueDays(ledger, { fromDay, toDay, counted: job.counted, heldOn }, shouldStop)
  if (valued === undefined) return undefined
  const reports: Report[] = []
  for (const [at, period] of periods.entries()) {
    if (shouldStop()) return undefined
    const of = (series: ValuationSeries): PeriodValuations =>
      periodOf(series, period.fromDay, period.toDay)
    const whole = of(valued.whole)
    if (job.groups.length === 0) {
      const parts = valued.groups.map((group) => rowsLike(group, whole))
      const { status, parts: attribution } = contributions(whole, parts)
      const added = status === 'OK' ? attribution : new Float64Array()
      reports.push({ ...reportOf(whole, job), period: at, group: undefined, attribution: added })
    }
    for (const group of job.groups) {
      const series = valued.groups[group]
      if (series === undefined) continue
      const attribution = new Float64Array()
      reports.push({ ...reportOf(of(series), job), period: at, group, attribution })
    }
  }
  const ends = periods.map((period) => {
    const held = valued.heldOn.get(period.toDay) ?? nothingHeld(ledger.priceRows.length)
    return endHoldings(ledger, held, period.toDay)
  })
  return { reports, ends }
}

/** Before the first transaction. */
function nothingHeld(parts: number): HeldAtEnd {
  const none = new Float64Array(parts)
  return { endValues: none, endQuantities: none, endCash: 0 }
}

function reportOf(
  period: PeriodValuations,
  { interval, riskTerms }: ReportJob,
): Pick<Report, 'performance' | 'risk' | 'series'> {
  return {
    performance: performanceOf(period),
    risk: riskOf(period, riskTerms),
    series: interval === undefined ? [] : resample(period, interval),
  }
}
