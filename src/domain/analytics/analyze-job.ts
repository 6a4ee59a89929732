import { lastCloseDay } from './close-matrix.ts'
import { valueDays } from './daily-values.ts'
import type { CountedCharges, HeldAtEnd, ValuedLedger } from './valued-ledger.ts'
import type { EpochDay } from './epoch-day.ts'
import {
  type PerformanceFigures,
  performanceOf,
  riskOf,
  type RiskFigures,
  type RiskTerms,
} from './measures.ts'
import { linkReturns } from './time-weighted.ts'
import { periodOf } from './valuation-series.ts'

/** Days of a period, both inclusive; without a start it is since inception. */
export interface JobPeriod {
  readonly fromDay: EpochDay | undefined
  readonly toDay: EpochDay
}

/** Measures one portfolio over one period. */
export interface AnalyzeJob {
  readonly kind: 'analyze'
  readonly ledger: ValuedLedger
  readonly period: JobPeriod
  readonly wantsRisk: boolean
  readonly riskTerms: RiskTerms
}

export interface EndHoldings {
  /** Value of each instrument at the end, in the places of the ledger's instruments; NaN = it cannot be valued. */
  readonly values: Float64Array
  readonly quantities: Float64Array
  readonly cash: number
  /** Day of the last quote of each instrument; 0 = none. */
  readonly pricedOn: Int32Array
}

export interface AnalyzeResult {
  readonly performance: PerformanceFigures
  readonly risk: RiskFigures | undefined
  readonly end: EndHoldings
}

/** Fees count and taxes do not: net of fees (decision 30). */
export const NET_OF_FEES: CountedCharges = { fees: true, taxes: false }

/** Undefined when `shouldStop` said so. */
export function analyze(job: AnalyzeJob, shouldStop: () => boolean): AnalyzeResult | undefined {
  const { ledger, wantsRisk, riskTerms } = job
  const { fromDay = firstDayOf(job), toDay } = job.period
  const valued = valueDays(ledger, { fromDay, toDay, counted: NET_OF_FEES }, shouldStop)
  if (valued === undefined) return undefined
  const period = periodOf(valued.whole, fromDay, toDay)
  const linked = linkReturns(period)
  return {
    performance: performanceOf(period, linked),
    risk: wantsRisk ? riskOf(period, riskTerms, 1, linked) : undefined,
    end: endHoldings(ledger, valued, toDay),
  }
}

export function endHoldings(ledger: ValuedLedger, held: HeldAtEnd, toDay: EpochDay): EndHoldings {
  const { matrix, priceRows } = ledger
  return {
    values: held.endValues,
    quantities: held.endQuantities,
    cash: held.endCash,
    pricedOn: priceRows.map((row, part) =>
      held.endQuantities[part] === 0 ? 0 : (lastCloseDay(matrix, row, toDay) ?? 0),
    ),
  }
}

function firstDayOf({ ledger, period }: AnalyzeJob): EpochDay {
  return ledger.numbers.days[0] ?? period.toDay
}
