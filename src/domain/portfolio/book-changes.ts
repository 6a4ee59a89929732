import type { Decimal } from '../decimal.ts'
import type { Book, Holding, Lot } from './holding.ts'

export function holdingChanged(before: Holding | undefined, after: Holding): boolean {
  return (
    before === undefined ||
    countsChanged(before, after) ||
    before.lastEffectiveAt !== after.lastEffectiveAt ||
    !before.quantity.equals(after.quantity) ||
    !before.unknownQuantity.equals(after.unknownQuantity) ||
    !before.basis.equals(after.basis) ||
    !before.realized.equals(after.realized) ||
    !before.income.equals(after.income) ||
    !before.fees.equals(after.fees) ||
    !before.taxes.equals(after.taxes) ||
    !before.capital.equals(after.capital)
  )
}

function countsChanged(before: Holding, after: Holding): boolean {
  return (
    before.transactionCount !== after.transactionCount ||
    before.actionEpoch !== after.actionEpoch ||
    before.lotCount !== after.lotCount
  )
}

/** What became of a book's lots. */
export interface LotChanges {
  /** New, or not what they were. */
  readonly changed: readonly Lot[]
  /** Open before, and not any more. */
  readonly closed: readonly Lot[]
}

export function lotChanges(before: Book | undefined, after: Book): LotChanges {
  const { removed, added } = replacedLots(before, after)
  if (removed.length === 0) return { changed: added, closed: [] }
  const old = new Map(removed.map((lot) => [lotId(lot), lot]))
  const open = new Set(added.map(lotId))
  return {
    changed: added.filter((lot) => !sameLot(old.get(lotId(lot)), lot)),
    closed: removed.filter((lot) => !open.has(lotId(lot))),
  }
}

/** A fold copies what it changes: of hundreds of lots all but a few are the very same objects, and are left out. */
function replacedLots(
  before: Book | undefined,
  after: Book,
): { readonly removed: readonly Lot[]; readonly added: readonly Lot[] } {
  const removed: Lot[] = []
  const added: Lot[] = []
  for (const [accountId, { lots = [] }] of before ?? []) {
    if (!after.has(accountId)) removed.push(...lots)
  }
  for (const [accountId, { lots = [] }] of after) {
    const old = before?.get(accountId)?.lots ?? []
    const [start, end] = sameEnds(old, lots)
    removed.push(...old.slice(start, old.length - end))
    added.push(...lots.slice(start, lots.length - end))
  }
  return { removed, added }
}

/** How many lots at the start, and how many of the rest at the end, are the same objects. */
function sameEnds(before: readonly Lot[], after: readonly Lot[]): [start: number, end: number] {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start += 1
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1
  return [start, end]
}

function lotId(lot: Lot): string {
  return `${lot.openedSequence}.${lot.part}.${lot.accountId}`
}

function sameLot(before: Lot | undefined, after: Lot): boolean {
  if (before === undefined || before === after) return before === after
  return (
    before.quantity.equals(after.quantity) &&
    before.quantityAcquired.equals(after.quantityAcquired) &&
    before.acquiredAt === after.acquiredAt &&
    sameBasis(before.basis, after.basis)
  )
}

function sameBasis(before: Decimal | null, after: Decimal | null): boolean {
  return before === null || after === null ? before === after : before.equals(after)
}
