import type { Instant } from '../time.ts'
import { holdingChanged, lotChanges } from './book-changes.ts'
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

interface InstrumentLot {
  readonly instrumentId: string
  readonly lot: Lot
}

interface InstrumentMatch {
  readonly instrumentId: string
  readonly match: LotMatch
}

interface Superseded {
  readonly instrumentId: string
  readonly from: Instant
}

/** What one accepted request changes: the rows to write and the state after it. */
export interface PortfolioChange {
  readonly before: PortfolioState
  readonly after: PortfolioState
  readonly entries: readonly { readonly entry: LedgerEntry; readonly hash: Uint8Array }[]
  readonly holdings: readonly Holding[]
  readonly lots: readonly InstrumentLot[]
  readonly closedLots: readonly InstrumentLot[]
  readonly matches: readonly InstrumentMatch[]
  /** Matches of disposals at or after `from` are no longer what is known: `matches` has their successors. */
  readonly superseded: readonly Superseded[]
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
  const replayedFrom = history === undefined ? undefined : added[0]?.effectiveAt
  const matches =
    replayedFrom === undefined
      ? fold.matches
      : fold.matches.filter((match) => match.disposedAt >= replayedFrom)
  const book = history === undefined ? fold.book() : withGone(before, fold.book(), instrumentId)
  return { instrumentId, before, after: withEpoch(book, actionCount), matches, replayedFrom }
}

/** Where every entry of an account was taken back its row stays, with nothing in it. */
function withGone(before: Book | undefined, after: Book, instrumentId: string): Book {
  const gone = [...(before?.keys() ?? [])].map(
    (id) => [id, emptyHolding(instrumentId, id)] as const,
  )
  return new Map([...gone, ...after])
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
  const holdings: Holding[] = []
  const lots: InstrumentLot[] = []
  const closedLots: InstrumentLot[] = []
  const matches: InstrumentMatch[] = []
  const superseded: Superseded[] = []
  for (const { instrumentId, before, after, ...found } of folded) {
    books.set(instrumentId, after)
    for (const holding of after.values()) {
      if (holdingChanged(before?.get(holding.accountId), holding)) holdings.push(holding)
    }
    const { changed, closed } = lotChanges(before, after)
    for (const lot of changed) lots.push({ instrumentId, lot })
    for (const lot of closed) closedLots.push({ instrumentId, lot })
    for (const match of found.matches) matches.push({ instrumentId, match })
    if (found.replayedFrom !== undefined)
      superseded.push({ instrumentId, from: found.replayedFrom })
  }
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
    holdings,
    lots,
    closedLots,
    matches,
    superseded,
    warnings,
  }
}
