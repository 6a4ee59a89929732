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
} as const

/**
 * A ledger as numbers, so that a thread can be handed it without building objects; arrays of one length, one place
 * for each entry in order of time. Amounts are in the base currency unless said otherwise.
 */
export interface LedgerNumbers {
  /** EpochDay of each entry in the portfolio's time zone. */
  readonly days: Int32Array
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

/** A ledger as numbers with the names they stand for. */
export interface PackedLedger {
  readonly userId: string
  readonly version: number
  readonly baseCurrency: string
  readonly timeZone: string
  readonly instrumentIds: readonly string[]
  /** Of cash; "" = the base currency. */
  readonly currencies: readonly string[]
  readonly numbers: LedgerNumbers
}
