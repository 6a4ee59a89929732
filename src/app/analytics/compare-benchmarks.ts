import type { Rebalance } from '../../domain/analytics/blend.ts'
import type { BrinsonAttribution } from '../../domain/analytics/brinson.ts'
import type { CompareJob, Comparison } from '../../domain/analytics/compare-job.ts'
import { exactParts } from '../../domain/analytics/contribution.ts'
import type { EpochDay, Interval } from '../../domain/analytics/epoch-day.ts'
import { instrumentIdOf } from '../../domain/market-data/instrument.ts'
import type { Quality } from '../../domain/portfolio/quality.ts'
import type { CallContext } from '../ports.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import { levelIssues, type PricedComponent, pricedComponent } from './benchmark-components.ts'
import { withFlowPrices } from './flow-prices.ts'
import { qualityOf, withIssues } from './end-quality.ts'
import type { NamedAmount } from './get-performance.ts'
import {
  type AnalysisView,
  type AnalyzedPortfolio,
  readPortfolio,
  refuseFutureStarts,
  runOne,
} from './one-portfolio.ts'
import { valuedLedger } from './valued-ledger.ts'

export interface AskedBenchmark {
  readonly benchmarkId: string
  /** Weights add up to 1. */
  readonly components: readonly { readonly symbol: string; readonly weight: number }[]
  readonly rebalance: Rebalance
}

export interface CompareQuery {
  readonly view: AnalysisView
  readonly benchmarks: readonly AskedBenchmark[]
  readonly fromDay: EpochDay | undefined
  readonly toDay: EpochDay | undefined
  /** Of the benchmarks' series; undefined = none. */
  readonly interval: Interval | undefined
}

export interface BenchmarkComparison extends Omit<Comparison, 'attribution'> {
  readonly benchmarkId: string
  /** All that its components paid is in its levels; else they are prices alone, of one component at least. */
  readonly isTotalReturn: boolean
  readonly reportingCurrency: string
  /** Allocation, selection and interaction by asset class; adds up to the excess return exactly. */
  readonly attribution: readonly NamedAmount[]
  readonly quality: Quality
}

/**
 * Holds a portfolio against indices and blends of them, all in one currency.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND, PERIOD_INVALID, ANALYSIS_FAILED, DATABASE_UNAVAILABLE.
 */
export async function compareBenchmarks(
  ports: AnalyticsPorts,
  query: CompareQuery,
  call: CallContext,
): Promise<readonly BenchmarkComparison[]> {
  const read = await readPortfolio(ports, query.view, instrumentsOf(ports, query.benchmarks))
  refuseFutureStarts([{ field: 'period.start_date', fromDay: query.fromDay }], read)
  return comparisonsOf(ports, query, read, call)
}

/** The instruments that benchmarks are made of. */
export function instrumentsOf(
  { instruments, clock }: AnalyticsPorts,
  benchmarks: readonly AskedBenchmark[],
): readonly string[] {
  const components = benchmarks.flatMap((benchmark) => benchmark.components)
  return components.map(({ symbol }) => instrumentIdOf(instruments, symbol, clock.now()))
}

/** Compares a portfolio that was read together with what the benchmarks are made of. */
export async function comparisonsOf(
  ports: AnalyticsPorts,
  query: Omit<CompareQuery, 'view'>,
  read: AnalyzedPortfolio,
  call: CallContext,
): Promise<readonly BenchmarkComparison[]> {
  const { instruments, clock } = ports
  const idOf = (symbol: string): string => instrumentIdOf(instruments, symbol, clock.now())
  const ids = instrumentsOf(ports, query.benchmarks)
  const { ledger: packed, leftOut, prices, reportingCurrency } = read
  const source = { prices, instruments }
  const toDay = Math.min(query.toDay ?? read.today, read.today)
  // A rate may move the matrix: those of the benchmarks come before it is handed over.
  for (const id of ids) {
    prices.closes.rateRow(prices.closes.currencyOf(id) || packed.baseCurrency, reportingCurrency)
  }
  const { ledger: valued, groupNames } = valuedLedger(packed, source, reportingCurrency, 'class')
  const parts = new Map(
    ids.map((id) => [id, pricedComponent(ports, read, id, { groupNames, toDay })]),
  )
  const ledger = await withFlowPrices(ports, read, valued)
  const benchmarks = query.benchmarks.map((asked) => benchmarkOf(asked, idOf, parts))
  const period = { fromDay: query.fromDay, toDay }
  const { riskFree } = ports
  const { interval } = query
  const job: CompareJob = { kind: 'compare', ledger, period, riskFree, benchmarks, interval }
  const { comparisons, end } = await runOne(ports, job, call)
  const quality = qualityOf(end, { valued: ledger, ledger: packed, leftOut }, instruments, toDay)
  const { matrix } = ledger
  return comparisons.map((comparison, at) => {
    const { startDay } = comparison.benchmark
    const components = benchmarks[at]?.components ?? []
    const levels = components.flatMap((part) =>
      levelIssues(instruments, part, { matrix, startDay, endDay: toDay }),
    )
    return Object.assign({}, comparison, {
      benchmarkId: query.benchmarks[at]?.benchmarkId ?? '',
      isTotalReturn: components.every((part) => part.isTotalReturn),
      reportingCurrency,
      attribution: effectsOf(comparison.attribution, groupNames),
      quality: withIssues(quality, [...components.flatMap((part) => part.issues), ...levels]),
    })
  })
}

function benchmarkOf(
  { components, rebalance }: AskedBenchmark,
  idOf: (symbol: string) => string,
  parts: ReadonlyMap<string, PricedComponent>,
): { rebalance: Rebalance; components: readonly (PricedComponent & { weight: number })[] } {
  return {
    rebalance,
    components: components.flatMap(({ symbol, weight }) => {
      const part = parts.get(idOf(symbol))
      return part === undefined ? [] : [Object.assign({ weight }, part)]
    }),
  }
}

/** What only the benchmark has stands under OTHER; what had no effect is left out. */
function effectsOf(
  { status, classes, excessReturn }: BrinsonAttribution,
  names: readonly string[],
): readonly NamedAmount[] {
  if (status !== 'OK') return []
  const named = classes.flatMap(({ allocation, selection, interaction }, at) => {
    const name = names[at] ?? 'OTHER'
    return [
      { component: `${name}:ALLOCATION`, effect: allocation },
      { component: `${name}:SELECTION`, effect: selection },
      { component: `${name}:INTERACTION`, effect: interaction },
    ]
  })
  const effects = Float64Array.from(named, ({ effect }) => effect)
  return exactParts(effects, excessReturn)
    .map((amount, at) => ({ component: named[at]?.component ?? '', amount }))
    .filter(({ amount }) => !amount.isZero())
}
