import {
  type DueActions,
  withoutActionsOf,
  withReversedOf,
} from '../market-data/corporate-actions.ts'
import { withEpoch } from './action-fold.ts'
import type { Book } from './holding.ts'
import type { FoldRefusal } from './refusal.ts'

/**
 * Folds with the actions that go with what was recorded. Where an entry does not follow, all actions of its instrument,
 * and of those whose units came from it or went to it, are left out: those of others stay. Where it does not follow
 * then either, it was recorded when an action was in force that was taken back since: for it that stays in force. Gives
 * the refusal of entries that do not fold in any of these ways.
 */
export function withFittingActions<Folded extends object>(
  due: DueActions,
  fold: (fitting: DueActions) => Folded | FoldRefusal,
): {
  readonly folded: Folded | FoldRefusal
  readonly fitting: DueActions
  /** Instruments whose holdings are not what their actions say. */
  readonly leftOut: ReadonlySet<string>
} {
  const without = new Set<string>()
  const reversed = new Set<string>()
  for (;;) {
    const leftOut = new Set([...without, ...reversed])
    const fitting =
      leftOut.size === 0 ? due : withReversedOf(withoutActionsOf(due, without), reversed)
    const folded = fold(fitting)
    if (!isRefusal(folded)) return { folded, fitting, leftOut }
    const { instrumentId } = folded.entry
    if (reversed.has(instrumentId) || due.ever(instrumentId).length === 0) {
      return { folded, fitting, leftOut }
    }
    for (const linked of due.linked(instrumentId)) {
      if (without.delete(linked)) reversed.add(linked)
      else without.add(linked)
    }
  }
}

export function isRefusal(folded: object): folded is FoldRefusal {
  return 'reason' in folded
}

/** The books with a note of the actions that are not in them. */
export function markedLeftOut(
  books: ReadonlyMap<string, Book>,
  leftOut: ReadonlySet<string>,
  due: DueActions,
): ReadonlyMap<string, Book> {
  if (leftOut.size === 0) return books
  return new Map(
    [...books].map(([instrumentId, book]) => [
      instrumentId,
      leftOut.has(instrumentId) ? withEpoch(book, due.countOf(instrumentId), true) : book,
    ]),
  )
}
