import type { Decimal } from '../decimal.ts'
import type { Book, Holding, Lot } from './holding.ts'

export type LotKey = Pick<Holding, 'instrumentId' | 'accountId'> &
  Pick<Lot, 'openedSequence' | 'part'>

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

function lotIndex(book: Book | undefined): Map<string, Lot> {
  const index = new Map<string, Lot>()
  for (const holding of book?.values() ?? []) {
    for (const lot of holding.lots ?? []) index.set(lotId(lot), lot)
  }
  return index
}

function lotId(lot: Lot): string {
  return `${lot.openedSequence}.${lot.part}.${lot.accountId}`
}

/** Lots that are new or not what they were. */
export function changedLots(before: Book | undefined, after: Book): readonly Lot[] {
  const old = lotIndex(before)
  return [...lotIndex(after)].flatMap(([id, lot]) => (sameLot(old.get(id), lot) ? [] : [lot]))
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

/** Lots that were open before and are not any more. */
export function closedLots(
  instrumentId: string,
  before: Book | undefined,
  after: Book,
): readonly LotKey[] {
  const open = lotIndex(after)
  return [...lotIndex(before)].flatMap(([id, { accountId, openedSequence, part }]) =>
    open.has(id) ? [] : [{ instrumentId, accountId, openedSequence, part }],
  )
}
