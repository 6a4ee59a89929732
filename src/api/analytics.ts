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
  type AnalyzePortfoliosResponse_BatchTotalsSchema,
  type BenchmarkComparisonSchema,
  type PerformanceReportSchema,
  PortfolioAnalysis_Outcome as SentOutcome,
  type PortfolioAnalysisSchema,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { readAnalyze, readCompare, readPerformance } from './analytics-request.ts'
import type { HandlersOf } from './call.ts'
import { figureText, numberText, presentPerformance, presentPoint, presentRisk } from './figures.ts'
import { durationOf, presentQuality } from './portfolio-detail.ts'

const PRESENTED_AT_ONCE = 100

/** The RPCs of AnalyticsService: parse, use case, present. */
export function analyticsHandlers(
  ports: AnalyticsPorts & { readonly lastGood: LastGood },
): HandlersOf<typeof AnalyticsService> {
  const { clock } = ports
  return {
    async analyzePortfolios(request, _metadata, call) {
      const startedMs = clock.monotonicMs()
      const query = readAnalyze(request)
      const outcomes = await analyzePortfolios(ports, query, call)
      const facts = { ...query, now: clock.now() }
      const analyses: MessageInitShape<typeof PortfolioAnalysisSchema>[] = []
      for (const [at, outcome] of outcomes.entries()) {
        // Others are served in between: a thousand take tens of milliseconds.
        if (at % PRESENTED_AT_ONCE === PRESENTED_AT_ONCE - 1) await nextTurn()
        analyses.push(presentOutcome(query.userIds[at] ?? '', outcome, facts))
      }
      return {
        message: {
          analyses,
          totals: totalsOf(outcomes),
          incompleteUserIds: query.userIds.filter((_, at) => outcomes[at]?.kind === 'TIMED_OUT'),
          elapsed: millisecondsOf(clock.monotonicMs() - startedMs),
        },
      }
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

function presentOutcome(
  userId: string,
  outcome: AnalysisOutcome,
  facts: { readonly wantsReturns: boolean; readonly now: Instant },
): MessageInitShape<typeof PortfolioAnalysisSchema> {
  const sent = { userId, outcome: SentOutcome[outcome.kind] }
  if (outcome.kind === 'FAILED') return { ...sent, errorReason: outcome.reason }
  if (outcome.kind !== 'OK' && outcome.kind !== 'STALE') return sent
  const { analysis } = outcome
  const { reportingCurrency, performance, risk } = analysis
  return {
    ...sent,
    performance: presentPerformance(performance, reportingCurrency, facts.wantsReturns),
    // Of the drawdowns the deepest alone was measured, and it stands in fields of its own.
    ...(risk && {
      risk: { ...presentRisk(risk, analysis.concentration), deepestDrawdowns: [] },
    }),
    allocation: analysis.allocation.map(({ dimension, key, value, weight }) => ({
      dimension,
      key,
      value: numberText(value),
      weight: numberText(weight),
    })),
    quality: qualityMessage(analysis.quality, facts.now),
    computeTime: millisecondsOf(analysis.timeMs),
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

function millisecondsOf(milliseconds: number) {
  return durationOf(Math.round(milliseconds * 1_000))
}
