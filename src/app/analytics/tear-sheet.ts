import type { EndHoldings } from '../../domain/analytics/analyze-job.ts'
import { lastCloseDay } from '../../domain/analytics/close-matrix.ts'
import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import { NET_OF_FEES } from '../../domain/analytics/analyze-job.ts'
import { instrumentIdOf, symbolOf } from '../../domain/market-data/instrument.ts'
import type { Instant } from '../../domain/time.ts'
import type { CallContext } from '../ports.ts'
import { allocationOf, type AllocationShare } from './allocation.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import {
  type AskedBenchmark,
  type BenchmarkComparison,
  comparisonsOf,
  instrumentsOf,
} from './compare-benchmarks.ts'
import { type PerformanceReport, reportOf } from './get-performance.ts'
import { type AnalyzedPortfolio, readPortfolio, refuseFutureStarts } from './one-portfolio.ts'

/** What a return has to reach for Sortino and omega not to count it as short; a year. */
export const MINIMUM_ACCEPTABLE_RETURN = 0

export interface TearSheetQuery {
  readonly userId: string
  /** Symbol that the portfolio is held against; undefined = none. */
  readonly benchmark: string | undefined
  /** Undefined = since inception. */
  readonly fromDay: EpochDay | undefined
  /** Undefined = today, in the portfolio's time zone. */
  readonly toDay: EpochDay | undefined
  /** Undefined = the portfolio's own. */
  readonly reportingCurrency: string | undefined
}

/** What is held of one instrument at the end of the period. */
export interface HeldShare {
  readonly symbol: string
  readonly quantity: number
  /** Undefined = it has no price, or no exchange rate is known. */
  readonly value: number | undefined
}

/** All that a report shows; every figure is of the same ledger. */
export interface TearSheet {
  readonly userId: string
  readonly computedAt: Instant
  readonly timeZone: string
  /** Of the whole portfolio, with its series by day. */
  readonly performance: PerformanceReport
  readonly benchmark: BenchmarkComparison | undefined
  /** Day of the last price of the benchmark that was used; undefined = none was. */
  readonly benchmarkPricedOn: EpochDay | undefined
  /** By value, the largest first; those without a value last. */
  readonly holdings: readonly HeldShare[]
  /** By asset class, cash being one. */
  readonly allocation: readonly AllocationShare[]
}

/**
 * Puts together what a report of a portfolio shows.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND, PERIOD_INVALID, ANALYSIS_FAILED, DATABASE_UNAVAILABLE.
 */
export async function tearSheet(
  ports: AnalyticsPorts,
  { userId, benchmark, fromDay, toDay, reportingCurrency }: TearSheetQuery,
  call: CallContext,
): Promise<TearSheet> {
  const benchmarks = benchmark === undefined ? [] : [indexOf(benchmark)]
  const view = { userId, effectiveAt: undefined, recordedUntil: undefined, reportingCurrency }
  const read = await readPortfolio(ports, view, instrumentsOf(ports, benchmarks))
  refuseFutureStarts([{ field: 'start_date', fromDay }], read)
  const asked = {
    periods: [{ fromDay, toDay }],
    symbols: [],
    interval: 'DAY',
    counted: NET_OF_FEES,
    riskFreeRate: undefined,
    minimumAcceptableReturn: MINIMUM_ACCEPTABLE_RETURN,
  } as const
  const reported = await reportOf(ports, asked, read, call)
  const performance = reported?.reports[0]
  const end = reported?.ends[0]
  if (performance === undefined || end === undefined) throw new Error('a period without report')
  const compared = { benchmarks, fromDay, toDay, interval: 'DAY' } as const
  const [comparison] =
    benchmarks.length === 0 ? [] : await comparisonsOf(ports, compared, read, call)
  return {
    userId,
    computedAt: ports.clock.now(),
    timeZone: read.ledger.timeZone,
    performance,
    benchmark: comparison,
    benchmarkPricedOn: comparison && lastPriceOf(ports, read, comparison),
    holdings: holdingsOf(ports, read, end),
    allocation: allocationOf(end, read.ledger, ports.instruments),
  }
}

function indexOf(symbol: string): AskedBenchmark {
  return { benchmarkId: symbol, components: [{ symbol, weight: 1 }], rebalance: 'NEVER' }
}

function lastPriceOf(
  { instruments, clock }: AnalyticsPorts,
  { prices: { closes } }: AnalyzedPortfolio,
  { benchmarkId, benchmark }: BenchmarkComparison,
): EpochDay | undefined {
  const row = closes.rowOf(instrumentIdOf(instruments, benchmarkId, clock.now()))
  return lastCloseDay(closes.matrix, row, benchmark.endDay)
}

function holdingsOf(
  { instruments }: AnalyticsPorts,
  { ledger }: AnalyzedPortfolio,
  end: EndHoldings,
): readonly HeldShare[] {
  const held = ledger.instrumentIds.flatMap((instrumentId, part): HeldShare[] => {
    const quantity = end.quantities[part] ?? 0
    const value = end.values[part] ?? NaN
    if (quantity === 0) return []
    const known = Number.isNaN(value) ? undefined : value
    return [{ symbol: symbolOf(instruments, instrumentId), quantity, value: known }]
  })
  return held.toSorted((left, right) => sizeOf(right) - sizeOf(left))
}

function sizeOf({ value }: HeldShare): number {
  return value === undefined ? -1 : Math.abs(value)
}
