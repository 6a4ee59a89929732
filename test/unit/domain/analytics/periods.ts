import { epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import {
  type PeriodValuations,
  periodOf,
  type ValuationSeries,
} from '../../../../src/domain/analytics/valuation-series.ts'

export interface Row {
  readonly day: string
  readonly value: number
  readonly inflow?: number
  readonly outflow?: number
  readonly observed?: boolean
}

export function seriesOf(rows: readonly Row[]): ValuationSeries {
  return {
    days: Int32Array.from(rows, ({ day }) => epochDay(day)),
    values: Float64Array.from(rows, ({ value }) => value),
    inflows: Float64Array.from(rows, ({ inflow }) => inflow ?? 0),
    outflows: Float64Array.from(rows, ({ outflow }) => outflow ?? 0),
    observed: Uint8Array.from(rows, ({ observed }) => Number(observed ?? true)),
  }
}

export function period(rows: readonly Row[], startDay: string, endDay: string): PeriodValuations {
  return periodOf(seriesOf(rows), epochDay(startDay), epochDay(endDay))
}

/** Worked case V6: 1,100 come in on day 1 after that day's price. */
export const V6: readonly Row[] = [
  { day: '2024-01-01', value: 1_000 },
  { day: '2024-01-02', value: 1_100 },
  { day: '2024-01-02', value: 2_200, inflow: 1_100 },
  { day: '2024-01-03', value: 2_090 },
]

export const v6Period = (): PeriodValuations => period(V6, '2024-01-02', '2024-01-03')

/** Day number `at` after 2024-01-01, as text. */
export function dayAfter(at: number): string {
  return new Date(Date.UTC(2024, 0, 1 + at)).toISOString().slice(0, 10)
}
