import { type Decimal, ONE, ZERO } from '../decimal.ts'
import type { Instant } from '../time.ts'
import type { TransactionType } from './transaction-types.ts'

/** Units of one lot that a disposal names. */
export interface LotSelection {
  readonly lotSequence: number
  readonly lotPart: number
  /** Units, > 0. */
  readonly quantity: Decimal
}

/** A lot that a transfer in brings along, with the date and the cost it has at the other side. */
export interface CarriedLot {
  readonly acquiredAt: Instant
  readonly quantity: Decimal
  /** Of all its units. */
  readonly basis: Decimal
}

/** A validated transaction that is not recorded yet. */
export interface TransactionDraft {
  readonly type: TransactionType
  /** Empty = of the portfolio as a whole: money in and out, and income and charges of no instrument. */
  readonly instrumentId: string
  /** Empty = the unnamed account. */
  readonly accountId: string
  /** Units, > 0 where the type moves units, else zero: the type carries the direction. */
  readonly quantity: Decimal
  /** Per unit; for a transfer in the cost basis per unit. Zero where the type has none, or it is unknown. */
  readonly price: Decimal
  /** Undefined = the instant of receipt. */
  readonly effectiveAt: Instant | undefined
  /** What a plain trade has not; absent there, so that the specification's four fields stay four fields. */
  readonly terms?: TransactionTerms
}

/** Terms of a rich transaction; all amounts >= 0, in the portfolio's base currency unless `currency` says otherwise. */
export interface TransactionTerms {
  /** Money of an income, a charge, a deposit or a withdrawal, before fee and tax. */
  readonly amount: Decimal
  readonly fee: Decimal
  readonly tax: Decimal
  /** Of price, amount, fee and tax; empty = the base currency. */
  readonly currency: string
  /** Units of the base currency for one of `currency`; one where they are the same. */
  readonly exchangeRate: Decimal
  /** Money for one unit at a price of one: what the instrument's multiplier and divisor were when it was recorded. */
  readonly priceFactor: Decimal
  /** FX_CONVERSION: what came in, and in which currency. */
  readonly counterCurrency: string
  readonly counterAmount: Decimal
  readonly lots: readonly LotSelection[]
  readonly carriedLots: readonly CarriedLot[]
  /** The source's own id, unique for the user and the source; empty = none. */
  readonly externalId: string
  readonly source: string
  /** "YYYY-MM-DD" or empty. */
  readonly settlementDate: string
  readonly labels: Readonly<Record<string, string>>
  readonly counterpartyUserId: string
  readonly counterpartyAccountId: string
  readonly externalTransfer: boolean
  /** The entry this one takes back, and why; undefined = none. */
  readonly reverses?: { readonly sequence: number; readonly reason: string }
}

/** Terms that say nothing: what a rich transaction starts from. */
export const NO_TERMS: TransactionTerms = {
  amount: ZERO,
  fee: ZERO,
  tax: ZERO,
  currency: '',
  exchangeRate: ONE,
  priceFactor: ONE,
  counterCurrency: '',
  counterAmount: ZERO,
  lots: [],
  carriedLots: [],
  externalId: '',
  source: '',
  settlementDate: '',
  labels: {},
  counterpartyUserId: '',
  counterpartyAccountId: '',
  externalTransfer: false,
}

/** A row of the append-only ledger. Its order in time is (effectiveAt, sequence): decision 6. */
export interface LedgerEntry extends Omit<TransactionDraft, 'effectiveAt'> {
  readonly sequence: number
  /** The portfolio's version that this entry's request made. */
  readonly version: number
  readonly effectiveAt: Instant
  readonly recordedAt: Instant
  readonly requestId: string
}

export function compareEntries(left: LedgerEntry, right: LedgerEntry): number {
  return left.effectiveAt - right.effectiveAt || left.sequence - right.sequence
}
