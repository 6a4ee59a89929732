import type { BenchmarkComparison } from '../../../../src/app/analytics/compare-benchmarks.ts'
import type { TearSheet } from '../../../../src/app/analytics/tear-sheet.ts'
import { dayText, type EpochDay, epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import { performanceOf, riskOf } from '../../../../src/domain/analytics/measures.ts'
import { constantRate } from '../../../../src/domain/analytics/risk-free-rates.ts'
import { resample } from '../../../../src/domain/analytics/resample.ts'
import type { PeriodValuations } from '../../../../src/domain/analytics/valuation-series.ts'
import { decimal } from '../../../../src/domain/decimal.ts'
import { period, type Row } from '../../domain/analytics/periods.ts'

const TERMS = { riskFree: constantRate(0.02), minimumAcceptableReturn: 0 }

/** Some 500 market days of a portfolio that goes up and down, with a flow now and then. */
export function twoYears(): PeriodValuations {
  const first = epochDay('2023-01-02')
  const rows: Row[] = []
  let value = 0
  for (let at = 0; at < 730; at += 1) {
    const day: EpochDay = first + at
    if (at % 7 > 4) continue
    const inflow = at % 91 === 0 ? 1_000 : 0
    value = (value + inflow) * (1 + 0.012 * Math.sin(at / 9) + 0.0006)
    rows.push({ day: dayText(day), value, inflow })
  }
  return period(rows, rows[0]!.day, rows.at(-1)!.day)
}

/** The sheet of a period; what is not given is as plain as it can be. */
export function sheetOf(history: PeriodValuations, more: Partial<TearSheet> = {}): TearSheet {
  const performance = performanceOf(history)
  const { timeWeighted } = performance
  const added = timeWeighted.status === 'OK' ? timeWeighted.cumulative : undefined
  return {
    userId: 'alice',
    computedAt: Date.parse('2025-01-03T10:20:30Z') * 1_000,
    timeZone: 'Europe/Berlin',
    performance: {
      symbol: '',
      reportingCurrency: 'USD',
      performance,
      risk: riskOf(history, TERMS),
      concentration: { status: 'OK', value: 0.68 },
      series: resample(history, 'DAY'),
      attribution: added === undefined ? [] : [{ component: 'AAPL', amount: decimal(added) }],
      quality: { completeness: 'COMPLETE', pricedAt: undefined, issues: [] },
    },
    benchmark: undefined,
    benchmarkPricedOn: undefined,
    holdings: [],
    allocation: [],
    ...more,
  }
}

const known = { status: 'OK', value: 0.5 } as const

/** A comparison with a benchmark whose series is that of a period. */
export function comparisonOf(benchmarkId: string, history: PeriodValuations): BenchmarkComparison {
  return {
    benchmarkId,
    isTotalReturn: false,
    reportingCurrency: 'USD',
    benchmark: performanceOf(history),
    series: resample(history, 'DAY'),
    excess: known,
    sameCashFlows: {
      endValue: { status: 'SHORT_BENCHMARK' },
      difference: { status: 'SHORT_BENCHMARK' },
      moneyWeighted: { status: 'SHORT_BENCHMARK' },
      publicMarketEquivalent: known,
    },
    regression: { alpha: known, beta: known, correlation: known, rSquared: known },
    trackingError: known,
    informationRatio: known,
    upCapture: { status: 'OK', value: 0.000_23 },
    downCapture: known,
    attribution: [],
    quality: { completeness: 'COMPLETE', pricedAt: undefined, issues: [] },
  }
}
