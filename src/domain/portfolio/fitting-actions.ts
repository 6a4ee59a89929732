import { type DueActions, withoutActionsOf } from '../market-data/corporate-actions.ts'
import { withEpoch } from './action-fold.ts'
import type { Book } from './holding.ts'
import type { FoldRefusal } from './refusal.ts'

/**
 * Folds with the actions that go with what was recorded before them. Where an entry does not follow any more, all
 * actions of its instrument, and of those whose units came from it or went to it, are left out: those of others stay.
 * Gives the refusal of entries that do not fold without any action either.
 */
export function withFittingActions<Folded extends object>(
  due: DueActions,
  fold: (fitting: DueActions) => Folded | FoldRefusal,
): { readonly folded: Folded | FoldRefusal; readonly leftOut: ReadonlySet<string> } {
  const leftOut = new Set<string>()
  for (;;) {
    const folded = fold(leftOut.size === 0 ? due : withoutActionsOf(due, leftOut))
    if (!isRefusal(folded)) return { folded, leftOut }
    const { instrumentId } = folded.entry
    if (leftOut.has(instrumentId) || due.ever(instrumentId).length === 0) return { folded, leftOut }
    for (const linked of due.linked(instrumentId)) leftOut.add(linked)
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
