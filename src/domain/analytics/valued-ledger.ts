import type { CloseMatrix } from './close-matrix.ts'
import type { EpochDay } from './epoch-day.ts'
import type { FlowMoments } from './flow-moments.ts'
import type { LedgerNumbers } from './ledger-numbers.ts'
import type { ValuationSeries } from './valuation-series.ts'

/** Which charges count as a loss; the others are as if paid out (decision 30). */
export interface CountedCharges {
  readonly fees: boolean
  readonly taxes: boolean
}

/** What the daily values of a portfolio are made of. Rows are places in the matrix, -1 = none. */
export interface ValuedLedger {
  readonly numbers: LedgerNumbers
  readonly matrix: CloseMatrix
  /** Row of each instrument's closes. */
  readonly priceRows: Int32Array
  /** Row of the rate from each instrument's currency to the reporting one; SAME_CURRENCY = one for one. */
  readonly priceRates: Int32Array
  /** The same from the base currency. */
  readonly baseRate: number
  /** The same from each currency of cash. */
  readonly cashRates: Int32Array
  /** Which series each instrument is part of; -1 = of the whole alone. */
  readonly groups: Int32Array
  /** The same of cash. */
  readonly cashGroup: number
  readonly groupCount: number
  /** Undefined = there are none. */
  readonly moments?: FlowMoments
}

export const SAME_CURRENCY = -1
/** No row has the rate: the value is unknown. */
export const NO_RATE = -2

/** True when nothing is converted. */
export function isOneCurrency({ baseRate, priceRates, cashRates }: ValuedLedger): boolean {
  return isSame(baseRate) && priceRates.every(isSame) && cashRates.every(isSame)
}

function isSame(rate: number): boolean {
  return rate === SAME_CURRENCY
}

/** What there is at the end of a day. */
export interface HeldAtEnd {
  /** Value of each instrument; NaN = it has no price. */
  readonly endValues: Float64Array
  readonly endQuantities: Float64Array
  readonly endCash: number
}

/** What there is at the end of the last day, and how it came to that. */
export interface ValuedDays extends HeldAtEnd {
  readonly whole: ValuationSeries
  /** One for each group, with the rows of the whole. */
  readonly groups: readonly ValuationSeries[]
  /** Of the days asked for, as far as they are not before the first. */
  readonly heldOn: ReadonlyMap<EpochDay, HeldAtEnd>
}
