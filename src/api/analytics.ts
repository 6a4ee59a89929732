import type { MessageInitShape } from '@bufbuild/protobuf'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AnalyticsPorts } from '../app/analytics/analytics-ports.ts'
import {
  type AnalysisOutcome,
  analyzePortfolios,
  type LastGood,
} from '../app/analytics/analyze-portfolios.ts'
import { type BenchmarkComparison, compareBenchmarks } from '../app/analytics/compare-benchmarks.ts'
import {
  getPerformance,
  type NamedAmount,
  type PerformanceReport,
} from '../app/analytics/get-performance.ts'
import { decimal, decimalText, sum } from '../domain/decimal.ts'
import type { Quality } from '../domain/portfolio/quality.ts'
import { type Instant } from '../domain/time.ts'
import {
  type AnalyticsService,
  AnalyzePortfoliosResponseSchema,
  type AnalyzePortfoliosResponse_BatchTotalsSchema,
  type BenchmarkComparisonSchema,
  type PerformanceReportSchema,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { AnalysisBytes, millisecondsOf } from './analysis-bytes.ts'
import { readAnalyze, readCompare, readPerformance } from './analytics-request.ts'
import type { HandlersOf } from './call.ts'
import { figureText, numberText, presentPerformance, presentPoint, presentRisk } from './figures.ts'
import { messageBytes } from './message-bytes.ts'
import { presentQuality } from './portfolio-detail.ts'

const WRITTEN_AT_ONCE = 100

/** The RPCs of AnalyticsService: parse, use case, present. */
export function analyticsHandlers(
  ports: AnalyticsPorts & { readonly lastGood: LastGood },
): HandlersOf<typeof AnalyticsService> {
  const { clock } = ports
  const written = new AnalysisBytes()
  return {
    async analyzePortfolios(request, _metadata, call) {
      const startedMs = clock.monotonicMs()
      const query = readAnalyze(request)
      const outcomes = await analyzePortfolios(ports, query, call, (analysis) => {
        written.of(analysis, query.wantsReturns)
      })
      const facts = { ...query, now: clock.now() }
      const parts: Buffer[] = []
      for (let first = 0; first < outcomes.length; first += WRITTEN_AT_ONCE) {
        // Others are served in between.
        if (first > 0) await nextTurn()
        const analyses = outcomes
          .slice(first, first + WRITTEN_AT_ONCE)
          .map((outcome, at) => written.present(query.userIds[first + at] ?? '', outcome, facts))
        parts.push(messageBytes(AnalyzePortfoliosResponseSchema, { analyses }))
      }
      const rest = {
        totals: totalsOf(outcomes),
        incompleteUserIds: query.userIds.filter((_, at) => outcomes[at]?.kind === 'TIMED_OUT'),
        elapsed: millisecondsOf(clock.monotonicMs() - startedMs),
      }
      // A message's bytes are those of its fields one after another, and those of a list the same of its parts.
      parts.push(messageBytes(AnalyzePortfoliosResponseSchema, rest))
      return { bytes: Buffer.concat(parts) }
    },

    async getPerformance(request, _metadata, call) {
      const query = readPerformance(request, clock.now())
      const reports = await getPerformance(ports, query, call)
      return { message: { reports: reports.map((report) => presentReport(report, clock.now())) } }
    },

    async compareBenchmarks(request, _metadata, call) {
      const query = readCompare(request, clock.now())
      const found = await compareBenchmarks(ports, query, call)
      const comparisons = found.map((comparison) => presentComparison(comparison, clock.now()))
      return { message: { comparisons } }
    },
  }
}

function totalsOf(
  outcomes: readonly AnalysisOutcome[],
): MessageInitShape<typeof AnalyzePortfoliosResponse_BatchTotalsSchema> {
  const count = (kind: AnalysisOutcome['kind']): number =>
    outcomes.reduce((total, outcome) => total + Number(outcome.kind === kind), 0)
  const analyses = outcomes.flatMap((outcome) => ('analysis' in outcome ? [outcome.analysis] : []))
  const [first] = analyses
  const isOne =
    first !== undefined &&
    analyses.every(
      ({ reportingCurrency, performance }) =>
        reportingCurrency === first.reportingCurrency && Number.isFinite(performance.endValue),
    )
  return {
    requested: outcomes.length,
    ok: count('OK'),
    stale: count('STALE'),
    timedOut: count('TIMED_OUT'),
    failed: count('FAILED'),
    ...(isOne && {
      totalValue: decimalText(
        sum(analyses.map(({ performance }) => decimal(performance.endValue))),
      ),
      reportingCurrency: first.reportingCurrency,
    }),
  }
}

function presentReport(
  report: PerformanceReport,
  now: Instant,
): MessageInitShape<typeof PerformanceReportSchema> {
  return {
    symbol: report.symbol,
    summary: presentPerformance(report.performance, report.reportingCurrency),
    risk: presentRisk(report.risk, report.concentration),
    series: report.series.map(presentPoint),
    attribution: report.attribution.map(presentAmount),
    quality: qualityMessage(report.quality, now),
  }
}

function presentComparison(
  comparison: BenchmarkComparison,
  now: Instant,
): MessageInitShape<typeof BenchmarkComparisonSchema> {
  const { sameCashFlows, regression } = comparison
  const { moneyWeighted } = sameCashFlows
  return {
    benchmarkId: comparison.benchmarkId,
    benchmark: presentPerformance(comparison.benchmark, comparison.reportingCurrency),
    totalReturn: comparison.isTotalReturn,
    excessReturn: figureText(comparison.excess),
    sameCashFlows: {
      endValue: figureText(sameCashFlows.endValue),
      difference: figureText(sameCashFlows.difference),
      moneyWeightedReturn: numberText(
        moneyWeighted.status === 'OK' ? moneyWeighted.cumulative : undefined,
      ),
      publicMarketEquivalent: figureText(sameCashFlows.publicMarketEquivalent),
    },
    alpha: figureText(regression.alpha),
    beta: figureText(regression.beta),
    rSquared: figureText(regression.rSquared),
    correlation: figureText(regression.correlation),
    trackingError: figureText(comparison.trackingError),
    informationRatio: figureText(comparison.informationRatio),
    upCapture: figureText(comparison.upCapture),
    downCapture: figureText(comparison.downCapture),
    attribution: comparison.attribution.map(presentAmount),
    quality: qualityMessage(comparison.quality, now),
  }
}

function presentAmount({ component, amount }: NamedAmount) {
  return { component, amount: decimalText(amount) }
}

function qualityMessage(quality: Quality, now: Instant) {
  return presentQuality({ quality }, now)
}
