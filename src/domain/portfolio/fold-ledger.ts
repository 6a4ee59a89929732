import { type DueActions, NO_ACTIONS } from '../market-data/corporate-actions.ts'
import { foldEntries, withEpochs } from './action-fold.ts'
import { addPayments, foldCash } from './cash.ts'
import { isRefusal, markedLeftOut, withFittingActions } from './fitting-actions.ts'
import { chainHash } from './ledger-chain.ts'
import { notFoldable } from './refusal.ts'
import { activeEntries } from './reversals.ts'
import { newPortfolio, type PortfolioSettings, type PortfolioState } from './state.ts'
import type { LedgerEntry } from './transaction.ts'

/**
 * Rebuilds a portfolio from ledger entries alone, in whatever order they come: the present from all of them, a past
 * state from those effective or recorded by then. The chain's head is only right for all entries up to a version.
 * Corporate actions that the entries do not go with are left out, and the holdings say so.
 * @throws when the entries do not fold: a recorded ledger always does, and so does each of its prefixes.
 */
export function foldLedger(
  userId: string,
  entries: readonly LedgerEntry[],
  settings: PortfolioSettings,
  due: DueActions = NO_ACTIONS,
): PortfolioState {
  const active = activeEntries(entries)
  const { folded, leftOut } = withFittingActions(due, (fitting) =>
    foldEntries(active, settings, fitting),
  )
  if (isRefusal(folded)) throw notFoldable(folded)
  const books = withEpochs(markedLeftOut(folded.books(), leftOut, due), due)
  const cash = addPayments(foldCash(active), folded.payments)
  return { ...headOf(userId, entries), settings, books, cash }
}

function headOf(userId: string, entries: readonly LedgerEntry[]): PortfolioState {
  const inSequence = entries.toSorted((left, right) => left.sequence - right.sequence)
  const last = inSequence.at(-1)
  const empty = newPortfolio(userId)
  if (last === undefined) return empty
  return {
    ...empty,
    version: last.version,
    lastSequence: last.sequence,
    lastRecordedAt: last.recordedAt,
    chainHead: inSequence.reduce((head, entry) => chainHash(userId, entry, head), empty.chainHead),
  }
}
