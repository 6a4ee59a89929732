import { type DueActions, knownByNumber } from '../market-data/corporate-actions.ts'
import { withEpoch } from './action-fold.ts'
import type { Book } from './holding.ts'
import type { FoldRefusal } from './refusal.ts'

/**
 * Folds with the actions that go with what was recorded. Where an entry does not follow, what was recorded or taken
 * back last of its instrument's actions, and of those whose units came from it or went to it, is left out, then what
 * was before that, until it follows: with what was known when it was recorded it did. The actions of others stay.
 * Gives the refusal of entries that do not fold in any of these ways.
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
  const numbers = new Map<string, number>()
  for (;;) {
    const fitting = numbers.size === 0 ? due : knownByNumber(due, numbers)
    const folded = fold(fitting)
    if (!isRefusal(folded)) return { folded, fitting, leftOut: new Set(numbers.keys()) }
    const { instrumentId } = folded.entry
    const number = numberBefore(due, instrumentId, numbers.get(instrumentId))
    if (number === undefined) return { folded, fitting, leftOut: new Set(numbers.keys()) }
    for (const linked of due.linked(instrumentId)) numbers.set(linked, number)
  }
}

/** Of the record or reversal before the last one that is in; 0 = of none, undefined = none is in. */
function numberBefore(
  due: DueActions,
  instrumentId: string,
  last: number = Number.POSITIVE_INFINITY,
): number | undefined {
  const changes = due
    .ever(instrumentId)
    .flatMap(({ actionId, epoch }) => [actionId, epoch])
    .filter((number) => number <= last)
  const newest = Math.max(...changes)
  if (changes.length === 0) return undefined
  return Math.max(0, ...changes.filter((number) => number < newest))
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
