import type { Decimal } from '../decimal.ts'
import type { Instant } from '../time.ts'

/** Money per unit that an action pays. */
export interface Payment {
  readonly perUnit: Decimal
  /** Empty = the base currency of whoever holds the instrument. */
  readonly currency: string
  /** Rates of the ex-date as they were known when it was recorded, by pair ("EUR/USD"). */
  readonly rates: Readonly<Record<string, Decimal>>
}

/** What an action says; all amounts are per unit held when its ex-date begins. */
export type ActionTerms =
  | { readonly kind: 'SPLIT'; readonly numerator: Decimal; readonly denominator: Decimal }
  | { readonly kind: 'SYMBOL_CHANGE'; readonly newSymbol: string; readonly oldSymbol: string }
  | {
      readonly kind: 'SPIN_OFF'
      readonly newInstrumentId: string
      /** New units for one old. */
      readonly ratio: Decimal
      /** The part of the basis that goes to the new units, from 0 to 1. */
      readonly basisFraction: Decimal
    }
  | {
      readonly kind: 'MERGER'
      /** Empty = for cash alone, and then the ratio is zero. */
      readonly newInstrumentId: string
      readonly ratio: Decimal
      /** Undefined = for units alone. */
      readonly cash: Payment | undefined
    }
  | {
      readonly kind: 'CASH_DIVIDEND'
      readonly payment: Payment
      /** "YYYY-MM-DD" or empty. */
      readonly payDay: string
      readonly returnOfCapital: boolean
    }

/** A corporate action: recorded once for its instrument, folded into each holding of it (decision 28). */
export interface CorporateAction {
  readonly actionId: number
  readonly instrumentId: string
  /** "YYYY-MM-DD". */
  readonly exDay: string
  /** When that day begins, at the instrument's exchange where it is a known one, else in UTC. */
  readonly effectiveAt: Instant
  readonly terms: ActionTerms
  readonly recordedAt: Instant
  /** When it was taken back; undefined = it counts. */
  readonly reversedAt: Instant | undefined
  /** Number of the newest of its record and its reversal; the record's own is `actionId`. */
  readonly epoch: number
}

/** The instrument that units pass to; undefined = none. */
export function targetOf({ terms }: CorporateAction): string | undefined {
  return 'newInstrumentId' in terms && terms.newInstrumentId !== ''
    ? terms.newInstrumentId
    : undefined
}

/** The money it pays; undefined = none. */
export function paymentOf({ terms }: CorporateAction): Payment | undefined {
  if (terms.kind === 'CASH_DIVIDEND') return terms.payment
  return terms.kind === 'MERGER' ? terms.cash : undefined
}

/** What is per old unit comes before the units change; the order in which actions were recorded is no matter. */
const RANKS: Readonly<Record<ActionTerms['kind'], number>> = {
  CASH_DIVIDEND: 0,
  SPIN_OFF: 1,
  SPLIT: 2,
  MERGER: 3,
  SYMBOL_CHANGE: 4,
}

export function compareActions(left: CorporateAction, right: CorporateAction): number {
  return (
    left.effectiveAt - right.effectiveAt ||
    RANKS[left.terms.kind] - RANKS[right.terms.kind] ||
    compareTexts(left.instrumentId, right.instrumentId) ||
    compareTexts(termsKey(left), termsKey(right)) ||
    left.actionId - right.actionId
  )
}

function termsKey({ terms }: CorporateAction): string {
  return JSON.stringify(terms)
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
