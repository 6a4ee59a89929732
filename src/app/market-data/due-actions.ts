import { CorporateActions, type DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'

/** The corporate actions that were known by `recordedUntil`; undefined = all that are known now. */
export function knownActions(
  { actions = CorporateActions.none }: Pick<QuoteSource, 'actions'>,
  recordedUntil: Instant | undefined,
): CorporateActions {
  return recordedUntil === undefined ? actions : actions.knownAt(recordedUntil)
}

/** Those of them that are in force at a moment. */
export function dueActions(
  quotes: Pick<QuoteSource, 'actions'>,
  at: Instant,
  recordedUntil?: Instant,
): DueActions {
  return knownActions(quotes, recordedUntil).dueAt(at)
}
