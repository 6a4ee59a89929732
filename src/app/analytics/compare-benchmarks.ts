import type { Rebalance } from '../../domain/analytics/blend.ts'
import type { BrinsonAttribution } from '../../domain/analytics/brinson.ts'
import type { CompareJob, Comparison } from '../../domain/analytics/compare-job.ts'
import { exactParts } from '../../domain/analytics/contribution.ts'
import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import { instrumentIdOf } from '../../domain/market-data/instrument.ts'
import type { Quality } from '../../domain/portfolio/quality.ts'
import type { CallContext } from '../ports.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import { qualityOf } from './end-quality.ts'
import type { NamedAmount } from './get-performance.ts'
import { type AnalysisView, readPortfolio, runOne } from './one-portfolio.ts'
import { classOf, valuedLedger } from './valued-ledger.ts'

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
}

export interface BenchmarkComparison extends Omit<Comparison, 'attribution'> {
  readonly benchmarkId: string
  readonly reportingCurrency: string
  /** Allocation, selection and interaction by asset class; adds up to the excess return exactly. */
  readonly attribution: readonly NamedAmount[]
  readonly quality: Quality
}

/**
 * Holds a portfolio against indices and blends of them, all in one currency.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND, ANALYSIS_FAILED, DATABASE_UNAVAILABLE.
 */
export async function compareBenchmarks(
  ports: AnalyticsPorts,
  query: CompareQuery,
  call: CallContext,
): Promise<readonly BenchmarkComparison[]> {
  const { instruments, clock } = ports
  const idOf = (symbol: string): string => instrumentIdOf(instruments, symbol, clock.now())
  const symbols = query.benchmarks.flatMap(({ components }) => components)
  const ids = symbols.map(({ symbol }) => idOf(symbol))
  const read = await readPortfolio(ports, query.view, ids)
  const { ledger: packed, prices, reportingCurrency, today } = read
  const source = { prices, instruments }
  // A rate may move the matrix: those of the benchmarks come before it is handed over.
  const benchmarkRates = new Map(
    ids.map((id) => {
      const currency = prices.closes.currencyOf(id) || packed.baseCurrency
      return [id, prices.closes.rateRow(currency, reportingCurrency)]
    }),
  )
  const { ledger, groupNames } = valuedLedger(packed, source, reportingCurrency, 'class')
  const toDay = Math.min(query.toDay ?? today, today)
  const job: CompareJob = {
    kind: 'compare',
    ledger,
    period: { fromDay: query.fromDay, toDay },
    riskFreeRate: ports.riskFreeRate,
    benchmarks: query.benchmarks.map(({ components, rebalance }) => ({
      rebalance,
      components: components.map(({ symbol, weight }) => ({
        weight,
        priceRow: prices.closes.rowOf(idOf(symbol)),
        rate: benchmarkRates.get(idOf(symbol)) ?? -1,
        group: groupNames.indexOf(classOf(instruments, idOf(symbol))),
      })),
    })),
  }
  const { comparisons, end } = await runOne(ports, job, call)
  const { instrumentIds } = packed
  const quality = qualityOf(end, { valued: ledger, instrumentIds }, ports, toDay)
  return comparisons.map((comparison, at) =>
    Object.assign({}, comparison, {
      benchmarkId: query.benchmarks[at]?.benchmarkId ?? '',
      reportingCurrency,
      attribution: effectsOf(comparison.attribution, groupNames),
      quality,
    }),
  )
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
