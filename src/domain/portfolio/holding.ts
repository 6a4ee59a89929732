import { type Decimal, ZERO } from '../decimal.ts'
import type { Instant } from '../time.ts'

/** Units acquired together, as far as they are still held. Its id is (openedSequence, part): stable under replay. */
export interface Lot {
  readonly openedSequence: number
  readonly part: number
  readonly accountId: string
  readonly acquiredAt: Instant
  readonly quantityAcquired: Decimal
  /** Open units; negative = sold short. */
  readonly quantity: Decimal
  /** Cost of the open units, null = unknown; of a short lot the proceeds, negative. */
  readonly basis: Decimal | null
}

/** Units of a lot that a disposal took, and what that realised. */
export interface LotMatch {
  readonly disposalSequence: number
  readonly part: number
  readonly disposedAt: Instant
  readonly lotSequence: number
  readonly lotPart: number
  readonly accountId: string
  readonly acquiredAt: Instant
  /** Units, > 0. */
  readonly quantity: Decimal
  readonly basis: Decimal | null
  readonly proceeds: Decimal
  /** proceeds - basis; null when the basis is unknown. */
  readonly gain: Decimal | null
  /** The method that chose the lot. */
  readonly rule: string
}

/** What one account holds of one instrument, with all that ever happened to it summed up. */
export interface Holding {
  readonly instrumentId: string
  readonly accountId: string
  /** Units; negative = short. */
  readonly quantity: Decimal
  /** The part of `quantity` that came in without a known cost. */
  readonly unknownQuantity: Decimal
  /** Cost of the rest of `quantity`. */
  readonly basis: Decimal
  readonly realized: Decimal
  /** Dividends, interest, coupons and rewards before charges; charges that are in no basis and no proceeds. */
  readonly income: Decimal
  readonly fees: Decimal
  readonly taxes: Decimal
  /** Cost of all acquisitions less the basis that transfers out carried away: decision 23's denominator. */
  readonly capital: Decimal
  readonly lotCount: number
  /** Open lots in order of acquisition; undefined = not loaded, which is not the same as none. */
  readonly lots: readonly Lot[] | undefined
  readonly lastEffectiveAt: Instant
  /** Price and time of the last BUY or SELL: what values the holding when no quote does (decision 36). */
  readonly lastTrade: { readonly price: Decimal; readonly at: Instant } | undefined
  readonly transactionCount: number
  /**
   * Up to where corporate actions are folded into it: see `DueActions.countOf`. Negative = up to there they were looked
   * at, and not all are in it: what was recorded does not go with them, or nobody knew what they paid.
   */
  readonly actionEpoch: number
}

/** One instrument of a portfolio: its holdings by account id. */
export type Book = ReadonlyMap<string, Holding>

export function emptyHolding(instrumentId: string, accountId: string): Holding {
  return {
    instrumentId,
    accountId,
    quantity: ZERO,
    unknownQuantity: ZERO,
    basis: ZERO,
    realized: ZERO,
    income: ZERO,
    fees: ZERO,
    taxes: ZERO,
    capital: ZERO,
    lotCount: 0,
    lots: [],
    lastEffectiveAt: Number.MIN_SAFE_INTEGER,
    lastTrade: undefined,
    transactionCount: 0,
    actionEpoch: 0,
  }
}

/** The latest moment at which anything happened to the instrument. */
export function lastEffectiveAt(book: Book): Instant {
  let last = Number.MIN_SAFE_INTEGER
  for (const holding of book.values()) last = Math.max(last, holding.lastEffectiveAt)
  return last
}

/** Order of acquisition. */
export function compareLots(left: Lot, right: Lot): number {
  return (
    left.acquiredAt - right.acquiredAt ||
    left.openedSequence - right.openedSequence ||
    left.part - right.part
  )
}
