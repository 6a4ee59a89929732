import { isNewClose } from './close-matrix.ts'
import type { EpochDay } from './epoch-day.ts'
import { NO_RATE, type ValuedLedger } from './valued-ledger.ts'

/** What is held at the end of a day, in the places of the ledger's instruments and currencies. */
export interface HeldUnits {
  readonly quantities: Float64Array
  /** Last close of each; NaN = there is none, and it is worth its last trade in the base currency. */
  readonly closes: Float64Array
  readonly balances: Float64Array
}

/** Whether a rate that something held is converted at is another one than the day before. */
export function hasNewRate(
  { baseRate, cashRates, matrix, priceRates }: ValuedLedger,
  { quantities, closes, balances }: HeldUnits,
  day: EpochDay,
): boolean {
  for (const [part, quantity] of quantities.entries()) {
    if (quantity === 0) continue
    const rate = Number.isNaN(closes[part]) ? baseRate : (priceRates[part] ?? NO_RATE)
    if (isNewClose(matrix, rate, day)) return true
  }
  return balances.some(
    (balance, at) => balance !== 0 && isNewClose(matrix, cashRates[at] ?? NO_RATE, day),
  )
}
