import type { LotMethod } from '../portfolio/lot-methods.ts'

/** How an entry moves value between a holding, cash and the world outside. */
export const entryKinds = {
  /** Against cash: a trade, an income, a charge. */
  PAID: 0,
  /** Units that move in or out without money: a flow at market value (decision 2). */
  TRANSFER: 1,
  /** Money in or out. */
  CASH_FLOW: 2,
  /** One side of a conversion between currencies. */
  CONVERSION: 3,
  /** Units alone: a reward, an expiry. */
  UNITS: 4,
  /** Units that a corporate action made of those of the entry before: a flow between two holdings. */
  PASSED: 5,
} as const

/** Units that are left by the rounding of doubles, as a part of what moved, are none. */
export const UNITS_ROUNDING = 1e-12

/**
 * A ledger as numbers, so that a thread can be handed it without building objects; arrays of one length, one place
 * for each entry in order of time. Amounts are in the base currency unless said otherwise.
 */
export interface LedgerNumbers {
  /** EpochDay of each entry in the portfolio's time zone. */
  readonly days: Int32Array
  readonly instants: Float64Array
  /** Place of the instrument in {@link PackedLedger.instrumentIds}; -1 = of the portfolio as a whole. */
  readonly parts: Int32Array
  readonly kinds: Uint8Array
  /** 1 where cash is tracked (decision 31). */
  readonly tracked: Uint8Array
  /** Change of units. */
  readonly quantities: Float64Array
  /** What the entry does to cash, charges included; > 0 comes in. */
  readonly cash: Float64Array
  /** The same in its own currency. */
  readonly cashAmounts: Float64Array
  /** Place of that currency in {@link PackedLedger.currencies}. */
  readonly cashCurrencies: Int32Array
  readonly fees: Float64Array
  readonly taxes: Float64Array
  /** What a trade says one unit is worth; NaN = nothing. */
  readonly prices: Float64Array
}

/** Bytes of an entry in all arrays. */
const ENTRY_BYTES =
  7 * Float64Array.BYTES_PER_ELEMENT +
  3 * Int32Array.BYTES_PER_ELEMENT +
  2 * Uint8Array.BYTES_PER_ELEMENT

/**
 * Room for so many entries; what is not written is zero, and trades say nothing. All arrays are of one buffer, which
 * is handed to a thread in a fraction of the time that twelve would take.
 */
export function emptyNumbers(size: number): LedgerNumbers {
  const buffer = new ArrayBuffer(size * ENTRY_BYTES)
  let place = 0
  const placed = (bytesEach: number): number => {
    place += size * bytesEach
    return place - size * bytesEach
  }
  // The widest first: each begins at a multiple of its width.
  const doubles = (): Float64Array =>
    new Float64Array(buffer, placed(Float64Array.BYTES_PER_ELEMENT), size)
  const integers = (): Int32Array =>
    new Int32Array(buffer, placed(Int32Array.BYTES_PER_ELEMENT), size)
  const flags = (): Uint8Array => new Uint8Array(buffer, placed(Uint8Array.BYTES_PER_ELEMENT), size)
  return {
    instants: doubles(),
    quantities: doubles(),
    cash: doubles(),
    cashAmounts: doubles(),
    fees: doubles(),
    taxes: doubles(),
    prices: doubles().fill(NaN),
    days: integers(),
    parts: integers(),
    cashCurrencies: integers(),
    kinds: flags(),
    tracked: flags(),
  }
}

/** Writes the entries from `start` up to `end` to places from `place` on. */
export function copyEntries(
  from: LedgerNumbers,
  [start, end]: readonly [number, number],
  to: LedgerNumbers,
  place: number,
): void {
  to.days.set(from.days.subarray(start, end), place)
  to.instants.set(from.instants.subarray(start, end), place)
  to.parts.set(from.parts.subarray(start, end), place)
  to.kinds.set(from.kinds.subarray(start, end), place)
  to.tracked.set(from.tracked.subarray(start, end), place)
  to.quantities.set(from.quantities.subarray(start, end), place)
  to.cash.set(from.cash.subarray(start, end), place)
  to.cashAmounts.set(from.cashAmounts.subarray(start, end), place)
  to.cashCurrencies.set(from.cashCurrencies.subarray(start, end), place)
  to.fees.set(from.fees.subarray(start, end), place)
  to.taxes.set(from.taxes.subarray(start, end), place)
  to.prices.set(from.prices.subarray(start, end), place)
}

/** A ledger as numbers with the names they stand for. */
export interface PackedLedger {
  readonly userId: string
  readonly version: number
  readonly baseCurrency: string
  readonly timeZone: string
  readonly lotMethod: LotMethod
  readonly instrumentIds: readonly string[]
  /** Of cash; "" = the base currency. */
  readonly currencies: readonly string[]
  readonly numbers: LedgerNumbers
  /**
   * Places of the entries that need lots or units to be there: what a corporate action that was recorded later may
   * have made impossible.
   */
  readonly bindingEntries: Int32Array
}
