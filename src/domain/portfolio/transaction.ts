import type { Decimal } from '../decimal.ts'
import type { Instant } from '../time.ts'

export const TRANSACTION_TYPES = ['BUY', 'SELL', 'TRANSFER_IN', 'TRANSFER_OUT'] as const
export type TransactionType = (typeof TRANSACTION_TYPES)[number]

/** A validated transaction that is not recorded yet. */
export interface TransactionDraft {
  readonly instrumentId: string
  /** Empty = the unnamed account. */
  readonly accountId: string
  readonly type: TransactionType
  /** Units, always > 0: the type carries the direction. */
  readonly quantity: Decimal
  /** Per unit; for a transfer in the cost basis per unit, zero = basis unknown; zero for a transfer out. */
  readonly price: Decimal
  /** Undefined = the instant of receipt. */
  readonly effectiveAt: Instant | undefined
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
