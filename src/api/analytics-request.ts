import type { AnalyzeQuery } from '../app/analytics/analyze-portfolios.ts'
import type { AskedBenchmark, CompareQuery } from '../app/analytics/compare-benchmarks.ts'
import type { PerformanceQuery } from '../app/analytics/get-performance.ts'
import type { AnalysisView } from '../app/analytics/one-portfolio.ts'
import type { Rebalance } from '../domain/analytics/blend.ts'
import { type EpochDay, epochDay, type Interval } from '../domain/analytics/epoch-day.ts'
import { ONE, parseDecimal, sum } from '../domain/decimal.ts'
import type { Violation } from '../domain/errors.ts'
import { canonicalSymbol, isCurrencyCode } from '../domain/market-data/symbol.ts'
import { isPlainText } from '../domain/text.ts'
import type { Instant } from '../domain/time.ts'
import {
  type AnalyzePortfoliosRequest,
  AnalyzePortfoliosRequest_MetricGroup as MetricGroup,
  type Benchmark,
  Benchmark_Rebalance as SentRebalance,
  type CompareBenchmarksRequest,
  type GetPerformanceRequest,
  GetPerformanceRequest_Basis as Basis,
  GetPerformanceRequest_Interval as SentInterval,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'
import type { Period, Temporal } from '../../gen/portfolio/v1/common_pb.ts'
import { instantOf } from './instant.ts'
import { readDay } from './pages.ts'
import { readUserId } from './portfolio-request.ts'
import {
  countProblem,
  CURRENCY_PROBLEM,
  INSTANT_PROBLEM,
  type Problem,
  readMoment,
  readOptional,
  refusalOf,
  SYMBOL_PROBLEM,
} from './violations.ts'

const USERS_MAX = 1_000
const BUDGET_MS_MAX = 500
const PERIODS_MAX = 20
const SYMBOLS_MAX = 100
const BENCHMARKS_MAX = 20
const COMPONENTS_MAX = 50
const NAME_LENGTH_MAX = 64

const CHOICE: Problem = { reason: 'SETTINGS_INVALID', description: 'must be one of the contract' }
const PERIOD: Problem = { reason: 'PERIOD_INVALID', description: 'must not end before it starts' }
const RATE: Problem = { reason: 'RATE_INVALID', description: 'must be above -1 and below 10' }

const METRIC_GROUPS: ReadonlySet<number> = new Set([
  MetricGroup.VALUE,
  MetricGroup.RETURNS,
  MetricGroup.RISK,
  MetricGroup.ALLOCATION,
])

/** @throws PortfolioError with everything that is wrong with the request. */
export function readAnalyze(
  request: AnalyzePortfoliosRequest,
): AnalyzeQuery & { readonly wantsReturns: boolean } {
  const violations: Violation[] = []
  const count = { actual: request.userIds.length, maximum: USERS_MAX }
  const problem = countProblem({ none: 'USER_ID_REQUIRED', tooMany: 'TOO_MANY_USERS' }, count)
  if (problem !== undefined) violations.push({ field: 'user_ids', ...problem })
  for (const [index, userId] of request.userIds.slice(0, USERS_MAX).entries()) {
    const wrong: Violation[] = []
    readUserId(userId, wrong)
    for (const { reason, description } of wrong) {
      violations.push({ field: `user_ids[${index}]`, reason, description })
    }
  }
  if (!request.metrics.every((metric) => METRIC_GROUPS.has(metric))) {
    violations.push({ field: 'metrics', ...CHOICE })
  }
  const wants = (group: MetricGroup): boolean =>
    request.metrics.length === 0 || request.metrics.includes(group)
  const query = {
    userIds: request.userIds,
    ...readPeriod('period', request.period, violations),
    budgetMs: readBudget(request, violations),
    wants: { risk: wants(MetricGroup.RISK), allocation: wants(MetricGroup.ALLOCATION) },
    wantsReturns: wants(MetricGroup.RETURNS),
    allowStale: request.allowStale,
    reportingCurrency: readCurrency(request.reportingCurrency, violations),
  }
  if (violations.length > 0) throw refusalOf(violations, count)
  return query
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readPerformance(request: GetPerformanceRequest, now: Instant): PerformanceQuery {
  const violations: Violation[] = []
  const symbols = request.symbols.slice(0, SYMBOLS_MAX).map((symbol, index) => {
    const canonical = canonicalSymbol(symbol)
    if (canonical === undefined) violations.push({ field: `symbols[${index}]`, ...SYMBOL_PROBLEM })
    return canonical ?? ''
  })
  if (request.symbols.length > SYMBOLS_MAX) {
    const description = `at most ${SYMBOLS_MAX}, ${request.symbols.length} sent`
    violations.push({ field: 'symbols', reason: 'TOO_MANY_SYMBOLS', description })
  }
  if (request.periods.length > PERIODS_MAX) {
    const description = `at most ${PERIODS_MAX}, ${request.periods.length} sent`
    violations.push({ field: 'periods', reason: 'TOO_MANY_PERIODS', description })
  }
  const { periods } = request
  const sent = periods.length === 0 ? [undefined] : periods.slice(0, PERIODS_MAX)
  const query = {
    view: readView(request, now, violations),
    periods: sent.map((period, index) => readPeriod(`periods[${index}]`, period, violations)),
    symbols: [...new Set(symbols)],
    interval: readInterval(request.interval, violations),
    counted: readBasis(request.basis, violations),
    riskFreeRate: readRate('risk_free_rate', request.riskFreeRate, violations),
    minimumAcceptableReturn:
      readRate('minimum_acceptable_return', request.minimumAcceptableReturn, violations) ?? 0,
  }
  if (violations.length > 0) throw refusalOf(violations)
  return query
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readCompare(request: CompareBenchmarksRequest, now: Instant): CompareQuery {
  const violations: Violation[] = []
  const { benchmarks } = request
  if (benchmarks.length === 0 || benchmarks.length > BENCHMARKS_MAX) {
    const description = `must be 1 to ${BENCHMARKS_MAX}, ${benchmarks.length} sent`
    violations.push({ field: 'benchmarks', reason: 'BENCHMARK_INVALID', description })
  }
  const query = {
    view: readView({ ...request, temporal: undefined }, now, violations),
    benchmarks: benchmarks
      .slice(0, BENCHMARKS_MAX)
      .map((benchmark, index) => readBenchmark(`benchmarks[${index}]`, benchmark, violations)),
    ...readPeriod('period', request.period, violations),
    interval: undefined,
  }
  if (violations.length > 0) throw refusalOf(violations)
  return query
}

function readView(
  {
    userId,
    reportingCurrency,
    temporal,
  }: { userId: string; reportingCurrency: string; temporal?: Temporal | undefined },
  now: Instant,
  violations: Violation[],
): AnalysisView {
  const invalid = (field: string) => (): void => {
    violations.push({ field: `temporal.${field}`, ...INSTANT_PROBLEM })
  }
  const { effectiveAt, asKnownAt } = temporal ?? {}
  return {
    userId: readUserId(userId, violations),
    effectiveAt: readMoment(effectiveAt && instantOf(effectiveAt, now), invalid('effective_at')),
    recordedUntil: readMoment(asKnownAt && instantOf(asKnownAt, now), invalid('as_known_at')),
    reportingCurrency: readCurrency(reportingCurrency, violations),
  }
}

export function readCurrency(text: string, violations: Violation[]): string | undefined {
  return readOptional(
    text,
    (code) => (isCurrencyCode(code) ? code : undefined),
    () => violations.push({ field: 'reporting_currency', ...CURRENCY_PROBLEM }),
  )
}

export function readPeriod(
  field: string,
  period: Pick<Period, 'startDate' | 'endDate'> | undefined,
  violations: Violation[],
): { fromDay: EpochDay | undefined; toDay: EpochDay | undefined } {
  const prefix = field === '' ? '' : `${field}.`
  const start = readDay(`${prefix}start_date`, period?.startDate, violations)
  const end = readDay(`${prefix}end_date`, period?.endDate, violations)
  if (start !== undefined && end !== undefined && end < start) {
    violations.push({ field: field === '' ? 'end_date' : field, ...PERIOD })
  }
  return {
    fromDay: start === undefined ? undefined : epochDay(start),
    toDay: end === undefined ? undefined : epochDay(end),
  }
}

function readBudget({ budget }: AnalyzePortfoliosRequest, violations: Violation[]): number {
  if (budget === undefined) return BUDGET_MS_MAX
  const milliseconds = Number(budget.seconds) * 1_000 + budget.nanos / 1e6
  if (milliseconds > 0 && milliseconds <= BUDGET_MS_MAX) return milliseconds
  const description = `must be above 0 and at most ${BUDGET_MS_MAX} ms`
  violations.push({ field: 'budget', reason: 'BUDGET_INVALID', description })
  return BUDGET_MS_MAX
}

function readRate(field: string, text: string, violations: Violation[]): number | undefined {
  const rate = readOptional(text, parseDecimal, () => violations.push({ field, ...RATE }))
  if (rate === undefined) return undefined
  if (rate.lte(-1) || rate.gte(10)) violations.push({ field, ...RATE })
  return rate.toNumber()
}

const INTERVALS: Readonly<Record<SentInterval, Interval | undefined>> = {
  [SentInterval.UNSPECIFIED]: undefined,
  [SentInterval.DAY]: 'DAY',
  [SentInterval.WEEK]: 'WEEK',
  [SentInterval.MONTH]: 'MONTH',
  [SentInterval.QUARTER]: 'QUARTER',
  [SentInterval.YEAR]: 'YEAR',
}

function readInterval(sent: SentInterval, violations: Violation[]): Interval | undefined {
  if (!(sent in INTERVALS)) violations.push({ field: 'interval', ...CHOICE })
  return INTERVALS[sent]
}

const NET_OF_FEES = { fees: true, taxes: false }
const BASES: Readonly<Record<number, PerformanceQuery['counted']>> = {
  [Basis.UNSPECIFIED]: NET_OF_FEES,
  [Basis.GROSS_OF_FEES]: { fees: false, taxes: false },
  [Basis.NET_OF_FEES]: NET_OF_FEES,
  [Basis.NET_OF_FEES_AND_TAXES]: { fees: true, taxes: true },
}

function readBasis(sent: Basis, violations: Violation[]): PerformanceQuery['counted'] {
  const counted = BASES[sent]
  if (counted === undefined) violations.push({ field: 'basis', ...CHOICE })
  return counted ?? NET_OF_FEES
}

const REBALANCES: Readonly<Record<number, Rebalance>> = {
  [SentRebalance.UNSPECIFIED]: 'NEVER',
  [SentRebalance.MONTHLY]: 'MONTH',
  [SentRebalance.QUARTERLY]: 'QUARTER',
  [SentRebalance.YEARLY]: 'YEAR',
}

function readBenchmark(field: string, sent: Benchmark, violations: Violation[]): AskedBenchmark {
  const refuse = (description: string): void => {
    violations.push({ field, reason: 'BENCHMARK_INVALID', description })
  }
  if (!isPlainText(sent.benchmarkId, NAME_LENGTH_MAX)) refuse('has no usable benchmark_id')
  const rebalance = REBALANCES[sent.rebalance]
  if (rebalance === undefined) violations.push({ field: `${field}.rebalance`, ...CHOICE })
  const { components } = sent
  if (components.length === 0 || components.length > COMPONENTS_MAX) {
    refuse(`must have 1 to ${COMPONENTS_MAX} components`)
  }
  const weighed = components.slice(0, COMPONENTS_MAX).map((component, index) => {
    const symbol = canonicalSymbol(component.symbol)
    const place = `${field}.components[${index}].symbol`
    if (symbol === undefined) violations.push({ field: place, ...SYMBOL_PROBLEM })
    return { symbol: symbol ?? '', weight: parseDecimal(component.weight) }
  })
  const weights = weighed.flatMap(({ weight }) => (weight?.gt(0) ? [weight] : []))
  if (weights.length < weighed.length || !sum(weights).equals(ONE)) {
    refuse('weights must be decimals above 0 that add up to 1')
  }
  return {
    benchmarkId: sent.benchmarkId,
    components: weighed.map(({ symbol, weight }) => ({ symbol, weight: weight?.toNumber() ?? 0 })),
    rebalance: rebalance ?? 'NEVER',
  }
}
