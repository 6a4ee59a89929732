import type { Instant } from '../time.ts'
import { changedLots, closedLots, holdingChanged, type LotKey } from './book-changes.ts'
import { withEpoch } from './action-fold.ts'
import { BookFold } from './book-fold.ts'
import type { Cash } from './cash.ts'
import { type Book, emptyHolding, type Holding, type Lot, type LotMatch } from './holding.ts'
import { chainHash } from './ledger-chain.ts'
import type { FoldRefusal } from './refusal.ts'
import { activeEntries } from './reversals.ts'
import type { PortfolioSettings, PortfolioState } from './state.ts'
import { compareEntries, type LedgerEntry } from './transaction.ts'

export type WarningReason =
  'BACKDATED' | 'BASIS_UNKNOWN' | 'POSSIBLE_DUPLICATE' | 'UNKNOWN_INSTRUMENT'

/** Something worth knowing about a transaction that was applied all the same; `index` counts from 0. */
export interface Warning {
  readonly index: number
  readonly reason: WarningReason
}

/** What one accepted request changes: the rows to write and the state after it. */
export interface PortfolioChange {
  readonly before: PortfolioState
  readonly after: PortfolioState
  readonly entries: readonly { readonly entry: LedgerEntry; readonly hash: Uint8Array }[]
  readonly holdings: readonly Holding[]
  readonly lots: readonly { readonly instrumentId: string; readonly lot: Lot }[]
  readonly closedLots: readonly LotKey[]
  readonly matches: readonly { readonly instrumentId: string; readonly match: LotMatch }[]
  /** Matches of disposals at or after `from` are no longer what is known: `matches` has their successors. */
  readonly superseded: readonly { readonly instrumentId: string; readonly from: Instant }[]
  readonly warnings: readonly Warning[]
}

/** An instrument before and after a request. */
export interface FoldedBook {
  readonly instrumentId: string
  readonly before: Book | undefined
  readonly after: Book
  readonly matches: readonly LotMatch[]
  readonly replayedFrom: Instant | undefined
}

interface FoldFacts {
  /** The instrument's whole ledger; undefined = what was added comes after all of it. */
  readonly history: readonly LedgerEntry[] | undefined
  /** How many corporate actions the book is folded up to. */
  readonly actionCount?: number
}

/** Folds what was added to an instrument, or its whole history with it; `state.settings` are the rules. */
export function foldInstrument(
  state: PortfolioState,
  instrumentId: string,
  added: readonly LedgerEntry[],
  { history, actionCount = 0 }: FoldFacts,
): FoldedBook | FoldRefusal {
  const before = state.books.get(instrumentId)
  const fold = new BookFold(history === undefined ? before : undefined, state.settings)
  const all = history === undefined ? added : [...history, ...added].toSorted(compareEntries)
  for (const entry of activeEntries(all)) {
    const refusal = fold.apply(entry)
    if (refusal !== undefined) return refusal
  }
  const from = history === undefined ? undefined : added[0]?.effectiveAt
  const matches =
    from === undefined ? fold.matches : fold.matches.filter((match) => match.disposedAt >= from)
  // Where every entry of an account was taken back its row stays, with nothing in it.
  const gone = [...(before?.keys() ?? [])].map(
    (id) => [id, emptyHolding(instrumentId, id)] as const,
  )
  const after = withEpoch(new Map([...gone, ...fold.book()]), actionCount)
  return { instrumentId, before, after, matches, replayedFrom: from }
}

/** The rows and the state that come of folded books. */
export function changeOf(
  state: PortfolioState,
  entries: readonly LedgerEntry[],
  result: {
    readonly folded: readonly FoldedBook[]
    readonly cash: Cash
    readonly settings: PortfolioSettings
    readonly recordedAt: Instant
    readonly warnings: readonly Warning[]
  },
): PortfolioChange {
  const { folded, cash, settings, recordedAt, warnings } = result
  let head = state.chainHead
  const chained = entries.map((entry) => {
    head = chainHash(state.userId, entry, head)
    return { entry, hash: head }
  })
  const books = new Map(state.books)
  for (const { instrumentId, after } of folded) books.set(instrumentId, after)
  return {
    before: state,
    after: {
      ...state,
      version: state.version + 1,
      lastSequence: state.lastSequence + entries.length,
      lastRecordedAt: recordedAt,
      chainHead: head,
      settings,
      books,
      cash,
    },
    entries: chained,
    holdings: folded.flatMap(({ before, after }) =>
      [...after.values()].filter((holding) =>
        holdingChanged(before?.get(holding.accountId), holding),
      ),
    ),
    lots: folded.flatMap(({ instrumentId, before, after }) =>
      changedLots(before, after).map((lot) => ({ instrumentId, lot })),
    ),
    closedLots: folded.flatMap(({ instrumentId, before, after }) =>
      closedLots(instrumentId, before, after),
    ),
    matches: folded.flatMap(({ instrumentId, matches }) =>
      matches.map((match) => ({ instrumentId, match })),
    ),
    superseded: folded.flatMap(({ instrumentId, replayedFrom }) =>
      replayedFrom === undefined ? [] : [{ instrumentId, from: replayedFrom }],
    ),
    warnings,
  }
}
