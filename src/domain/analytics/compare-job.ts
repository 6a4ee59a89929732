import { type EndHoldings, endHoldings, type JobPeriod, NET_OF_FEES } from './analyze-job.ts'
import {
  downCapture,
  informationRatio,
  type PairedReturns,
  pairReturns,
  type Regression,
  regression,
  trackingError,
  upCapture,
} from './benchmark.ts'
import { type Blend, blendLevels, type Rebalance } from './blend.ts'
import { type BrinsonAttribution, brinsonAttribution } from './brinson.ts'
import { closeOf, lastClose } from './close-matrix.ts'
import { SAME_CURRENCY, type ValuedDays, type ValuedLedger, valueDays } from './daily-values.ts'
import type { EpochDay } from './epoch-day.ts'
import { type Figure, figure } from './figure.ts'
import { type PerformanceFigures, performanceOf } from './measures.ts'
import { observationRates, type RiskFreeRates } from './risk-free-rates.ts'
import { excessReturns } from './risk-ratios.ts'
import { sameCashFlows, type SameCashFlows } from './same-cash-flows.ts'
import { dailyReturns } from './time-weighted.ts'
import { type PeriodValuations, periodOf, rowsLike } from './valuation-series.ts'

export interface JobComponent {
  /** Weights of a benchmark add up to 1. */
  readonly weight: number
  readonly priceRow: number
  /** Row of the rate to the reporting currency. */
  readonly rate: number
  /** Which of the ledger's groups it belongs to, by its class; -1 = to none that is held. */
  readonly group: number
}

export interface JobBenchmark {
  readonly components: readonly JobComponent[]
  readonly rebalance: Rebalance
}

/** Compares a portfolio, its groups being its asset classes, with benchmarks. */
export interface CompareJob {
  readonly kind: 'compare'
  readonly ledger: ValuedLedger
  readonly period: JobPeriod
  readonly benchmarks: readonly JobBenchmark[]
  readonly riskFree: RiskFreeRates
}

export interface Comparison {
  readonly benchmark: PerformanceFigures
  readonly excess: Figure
  readonly sameCashFlows: SameCashFlows
  readonly regression: Regression
  readonly trackingError: Figure
  readonly informationRatio: Figure
  readonly upCapture: Figure
  readonly downCapture: Figure
  readonly attribution: BrinsonAttribution
}

export interface CompareResult {
  readonly comparisons: readonly Comparison[]
  readonly end: EndHoldings
}

/** Undefined when `shouldStop` said so. */
export function compareBenchmarks(
  job: CompareJob,
  shouldStop: () => boolean,
): CompareResult | undefined {
  const { ledger } = job
  const { fromDay = ledger.numbers.days[0] ?? job.period.toDay, toDay } = job.period
  const valued = valueDays(ledger, { fromDay, toDay, counted: NET_OF_FEES }, shouldStop)
  if (valued === undefined) return undefined
  const whole = periodOf(valued.whole, fromDay, toDay)
  return {
    comparisons: job.benchmarks.map((benchmark) => compare(job, { valued, whole }, benchmark)),
    end: endHoldings(ledger, valued, toDay),
  }
}

interface Compared {
  readonly valued: ValuedDays
  readonly whole: PeriodValuations
}

function compare(job: CompareJob, compared: Compared, benchmark: JobBenchmark): Comparison {
  const { whole } = compared
  const levels = levelsOf(job, whole, benchmark)
  const { blend, period } = levels
  const figures = performanceOf(period)
  const pairs = pairReturns(dailyReturns(whole), dailyReturns(period))
  const own = performanceOf(whole).timeWeighted
  const { timeWeighted } = figures
  const isKnown = own.status === 'OK' && timeWeighted.status === 'OK'
  return {
    benchmark: figures,
    excess: isKnown
      ? figure(own.cumulative - timeWeighted.cumulative, 'NO_SOLUTION')
      : { status: own.status === 'OK' ? 'MISSING_VALUATION' : own.status },
    sameCashFlows: sameCashFlows(whole, {
      start: period.startValue,
      rows: period.values,
    }),
    regression: regression(excessOf(pairs, observationRates(job.riskFree, pairs.days))),
    trackingError: trackingError(pairs),
    informationRatio: informationRatio(pairs),
    upCapture: upCapture(pairs),
    downCapture: downCapture(pairs),
    attribution: attribute(compared, benchmark, { blend, components: levels.components }),
  }
}

function excessOf({ portfolio, benchmark }: PairedReturns, rates: Float64Array): PairedReturns {
  return {
    portfolio: excessReturns(portfolio, rates),
    benchmark: excessReturns(benchmark, rates),
  }
}

interface Levels {
  readonly blend: Blend
  /** Level of each component at the start value and at each row. */
  readonly components: readonly Float64Array[]
  /** The benchmark as a period with the rows of the portfolio's. */
  readonly period: PeriodValuations
}

function levelsOf(
  { ledger }: CompareJob,
  whole: PeriodValuations,
  { components, rebalance }: JobBenchmark,
): Levels {
  const days = Int32Array.of(whole.startValueDay, ...whole.days)
  const series = components.map((component) =>
    Float64Array.from(days, (day) => levelOf(ledger, component, day)),
  )
  const weighted = components.map(({ weight }, at) => ({
    weight,
    levels: series[at] ?? new Float64Array(),
  }))
  const blend = blendLevels(days, weighted, rebalance)
  const none = new Float64Array(whole.days.length)
  const observed = Uint8Array.from(whole.days, (day) =>
    Number(components.some(({ priceRow }) => !Number.isNaN(closeOf(ledger.matrix, priceRow, day)))),
  )
  const values = blend.levels.subarray(1)
  const period = { ...whole, startValue: blend.levels[0] ?? NaN, values, observed }
  return { blend, components: series, period: { ...period, inflows: none, outflows: none } }
}

function levelOf({ matrix }: ValuedLedger, component: JobComponent, day: EpochDay): number {
  const close = lastClose(matrix, component.priceRow, day)
  return component.rate === SAME_CURRENCY ? close : close * lastClose(matrix, component.rate, day)
}

/** Brinson attribution over the classes of the portfolio and one more for what only the benchmark has. */
function attribute(
  { valued, whole }: Compared,
  { components }: JobBenchmark,
  levels: Pick<Levels, 'blend' | 'components'>,
): BrinsonAttribution {
  const rows = whole.days.length
  const none = new Float64Array(rows)
  const elsewhere = { ...whole, startValue: 0, values: none, inflows: none, outflows: none }
  const groups = [...valued.groups.map((group) => rowsLike(group, whole)), elsewhere]
  const classes = groups.map((portfolio, at) => {
    const group = at === groups.length - 1 ? -1 : at
    const own = components.flatMap((component, place) => (component.group === group ? [place] : []))
    return Object.assign({ portfolio }, classRows(own, levels, rows))
  })
  return brinsonAttribution(whole, classes)
}

/** What some components together weigh in each row, and what they returned. */
function classRows(
  places: readonly number[],
  levels: Pick<Levels, 'blend' | 'components'>,
  rows: number,
): { benchmarkWeights: Float64Array; benchmarkReturns: Float64Array } {
  const benchmarkWeights = new Float64Array(rows)
  const benchmarkReturns = new Float64Array(rows)
  for (let row = 0; row < rows; row += 1) {
    let [weight, added] = [0, 0]
    for (const place of places) {
      const own = levels.components[place]
      const share = levels.blend.weights[place]?.[row + 1] ?? NaN
      weight += share
      added += share * ((own?.[row + 1] ?? NaN) / (own?.[row] ?? NaN) - 1)
    }
    benchmarkWeights[row] = weight
    benchmarkReturns[row] = weight === 0 ? 0 : added / weight
  }
  return { benchmarkWeights, benchmarkReturns }
}
