import type { CountedCharges } from '../../domain/analytics/valued-ledger.ts'
import { exactParts } from '../../domain/analytics/contribution.ts'
import type { EpochDay, Interval } from '../../domain/analytics/epoch-day.ts'
import type { Figure } from '../../domain/analytics/figure.ts'
import type { PerformanceFigures, RiskFigures } from '../../domain/analytics/measures.ts'
import type { EndHoldings } from '../../domain/analytics/analyze-job.ts'
import type { Report, ReportJob } from '../../domain/analytics/report-job.ts'
import { constantRate } from '../../domain/analytics/risk-free-rates.ts'
import type { SeriesPoint } from '../../domain/analytics/resample.ts'
import { concentration } from '../../domain/analytics/risk-ratios.ts'
import type { Decimal } from '../../domain/decimal.ts'
import { instrumentIdOf, symbolOf } from '../../domain/market-data/instrument.ts'
import type { Quality } from '../../domain/portfolio/quality.ts'
import type { CallContext } from '../ports.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import { qualityOf } from './end-quality.ts'
import { withFlowPrices } from './flow-prices.ts'
import {
  type AnalysisView,
  type AnalyzedPortfolio,
  readPortfolio,
  refuseFutureStarts,
  runOne,
} from './one-portfolio.ts'
import { valuedLedger } from './valued-ledger.ts'

export interface PerformanceQuery {
  readonly view: AnalysisView
  /** Undefined = since inception, until the valuation date. */
  readonly periods: readonly {
    readonly fromDay: EpochDay | undefined
    readonly toDay: EpochDay | undefined
  }[]
  /** Empty = the whole portfolio. */
  readonly symbols: readonly string[]
  readonly interval: Interval | undefined
  readonly counted: CountedCharges
  /** Per year; undefined = the configured ones. */
  readonly riskFreeRate: number | undefined
  readonly minimumAcceptableReturn: number
}

/** What one named part added. */
export interface NamedAmount {
  readonly component: string
  readonly amount: Decimal
}

export interface PerformanceReport {
  /** Empty = the whole portfolio. */
  readonly symbol: string
  readonly reportingCurrency: string
  readonly performance: PerformanceFigures
  readonly risk: RiskFigures
  /** Of all that was held at the end of the period, as is the quality. */
  readonly concentration: Figure
  readonly series: readonly SeriesPoint[]
  /** By symbol and cash; adds up to the time-weighted return exactly. */
  readonly attribution: readonly NamedAmount[]
  readonly quality: Quality
}

/**
 * What a portfolio, or some symbols of it, brought over several periods.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND, PERIOD_INVALID, ANALYSIS_FAILED, DATABASE_UNAVAILABLE.
 */
export async function getPerformance(
  ports: AnalyticsPorts,
  query: PerformanceQuery,
  call: CallContext,
): Promise<readonly PerformanceReport[]> {
  const portfolio = await readPortfolio(ports, query.view)
  const starts = query.periods.map(({ fromDay }, index) => ({
    field: `periods[${index}].start_date`,
    fromDay,
  }))
  refuseFutureStarts(starts, portfolio)
  return (await reportOf(ports, query, portfolio, call))?.reports ?? []
}

/**
 * What a portfolio that was read brought, and what it held at the end of each period; undefined when it never had the
 * symbols.
 */
export async function reportOf(
  ports: AnalyticsPorts,
  query: Omit<PerformanceQuery, 'view'>,
  read: AnalyzedPortfolio,
  call: CallContext,
): Promise<
  | { readonly reports: readonly PerformanceReport[]; readonly ends: readonly EndHoldings[] }
  | undefined
> {
  const { instruments } = ports
  const { ledger: packed, leftOut, prices, reportingCurrency, today } = read
  const source = { prices, instruments }
  const { ledger: valued, groupNames } = valuedLedger(
    packed,
    source,
    reportingCurrency,
    'instrument',
  )
  const ledger = await withFlowPrices(ports, read, valued)
  // Group 0 is cash, the others are the instruments in their order.
  const asked = query.symbols.map((symbol) => {
    const instrumentId = instrumentIdOf(instruments, symbol, ports.clock.now())
    return packed.instrumentIds.indexOf(instrumentId) + 1
  })
  const riskTerms = {
    riskFree: query.riskFreeRate === undefined ? ports.riskFree : constantRate(query.riskFreeRate),
    minimumAcceptableReturn: query.minimumAcceptableReturn,
  }
  const job: ReportJob = {
    kind: 'report',
    ledger,
    periods: query.periods.map(({ fromDay, toDay }) => ({
      fromDay,
      toDay: Math.min(toDay ?? today, today),
    })),
    groups: asked.filter((group) => group > 0),
    interval: query.interval,
    counted: query.counted,
    riskTerms,
  }
  // None of the symbols was ever held: there is nothing to report, and not the whole instead.
  if (query.symbols.length > 0 && job.groups.length === 0) return undefined
  const { reports, ends } = await runOne(ports, job, call)
  const { instrumentIds } = packed
  const atEnds = ends.map((end, at) => ({
    reportingCurrency,
    concentration: concentration(end.values),
    quality: qualityOf(
      end,
      { valued: ledger, ledger: packed, leftOut },
      instruments,
      job.periods[at]?.toDay ?? today,
    ),
  }))
  const named = reports.flatMap((report) => {
    const atEnd = atEnds[report.period]
    if (atEnd === undefined) return []
    const held = report.group === undefined ? undefined : instrumentIds[report.group - 1]
    return Object.assign({}, report, atEnd, {
      symbol: held === undefined ? '' : symbolOf(instruments, held),
      attribution: attributionOf(report, groupNames),
    })
  })
  return { reports: named, ends }
}

/** Parts that added nothing are left out. */
function attributionOf(report: Report, names: readonly string[]): readonly NamedAmount[] {
  const { timeWeighted } = report.performance
  if (report.attribution.length === 0 || timeWeighted.status !== 'OK') return []
  return exactParts(report.attribution, timeWeighted.cumulative)
    .map((amount, at) => ({ component: names[at] ?? '', amount }))
    .filter(({ amount }) => !amount.isZero())
}
