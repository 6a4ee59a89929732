import type { PortfolioError } from '../errors.ts'
import type { Instant } from '../time.ts'
import { changedLots, closedLots, holdingChanged, type LotKey } from './book-changes.ts'
import { BookFold } from './book-fold.ts'
import { type Book, type Holding, lastEffectiveAt, type Lot, type LotMatch } from './holding.ts'
import { chainHash } from './ledger-chain.ts'
import { type FoldRefusal, refusalError } from './refusal.ts'
import type { PortfolioState } from './state.ts'
import { compareEntries, type LedgerEntry, type TransactionDraft } from './transaction.ts'

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

export type Recording =
  | { readonly kind: 'recorded'; readonly change: PortfolioChange }
  /** A transaction is not later than all that is recorded of its instrument: its whole ledger is needed. */
  | { readonly kind: 'needs-history'; readonly instrumentIds: readonly string[] }
  | { readonly kind: 'refused'; readonly error: PortfolioError }

export interface RecordingContext {
  /** The server's clock; what is recorded never goes back behind it or behind the user's last record. */
  readonly now: Instant
  readonly requestId: string
  /** Ledgers read because an earlier decision needed them, each whole and in order. */
  readonly histories: ReadonlyMap<string, readonly LedgerEntry[]>
}

/**
 * Applies a request's transactions to a portfolio, all or none. The result depends on the effective times alone,
 * never on the order in which requests arrived (decisions 5 to 7).
 */
export function recordTransactions(
  state: PortfolioState,
  drafts: readonly TransactionDraft[],
  context: RecordingContext,
): Recording {
  const entries = numberEntries(state, drafts, context)
  const grouped = groupByInstrument(entries)
  const missing = [...grouped].filter(
    ([instrumentId, added]) =>
      needsHistory(state.books.get(instrumentId), added) && !context.histories.has(instrumentId),
  )
  if (missing.length > 0) {
    return { kind: 'needs-history', instrumentIds: missing.map(([instrumentId]) => instrumentId) }
  }
  const folded: FoldedBook[] = []
  const refusals: FoldRefusal[] = []
  for (const [instrumentId, added] of grouped) {
    const outcome = foldInstrument(state, instrumentId, added, context.histories.get(instrumentId))
    if ('reason' in outcome) refusals.push(outcome)
    else folded.push(outcome)
  }
  if (refusals.length > 0) return { kind: 'refused', error: refusalError(refusals, entries) }
  return { kind: 'recorded', change: changeOf(state, entries, folded, context) }
}

/** Sequences follow the request's order; entries without a time get the receipt's (decision 14). */
function numberEntries(
  state: PortfolioState,
  drafts: readonly TransactionDraft[],
  context: RecordingContext,
): readonly LedgerEntry[] {
  const recordedAt = Math.max(context.now, state.lastRecordedAt + 1)
  return drafts.map((draft, index) => ({
    ...draft,
    sequence: state.lastSequence + 1 + index,
    version: state.version + 1,
    effectiveAt: draft.effectiveAt ?? recordedAt,
    recordedAt,
    requestId: context.requestId,
  }))
}

function groupByInstrument(
  entries: readonly LedgerEntry[],
): ReadonlyMap<string, readonly LedgerEntry[]> {
  const groups = new Map<string, LedgerEntry[]>()
  for (const entry of entries) {
    const group = groups.get(entry.instrumentId)
    if (group === undefined) groups.set(entry.instrumentId, [entry])
    else group.push(entry)
  }
  for (const group of groups.values()) group.sort(compareEntries)
  return groups
}

/** An equal time needs the history too: only it can tell whether this is a look-alike (decision 9). */
function needsHistory(book: Book | undefined, added: readonly LedgerEntry[]): boolean {
  const [first] = added
  return book !== undefined && first !== undefined && first.effectiveAt <= lastEffectiveAt(book)
}

interface FoldedBook {
  readonly instrumentId: string
  readonly before: Book | undefined
  readonly after: Book
  readonly matches: readonly LotMatch[]
  readonly replayedFrom: Instant | undefined
}

function foldInstrument(
  state: PortfolioState,
  instrumentId: string,
  added: readonly LedgerEntry[],
  history: readonly LedgerEntry[] | undefined,
): FoldedBook | FoldRefusal {
  const before = state.books.get(instrumentId)
  const fold = new BookFold(history === undefined ? before : undefined, state.settings)
  const all = history === undefined ? added : [...history, ...added].toSorted(compareEntries)
  for (const entry of all) {
    const refusal = fold.apply(entry)
    if (refusal !== undefined) return refusal
  }
  const from = history === undefined ? undefined : added[0]?.effectiveAt
  const matches =
    from === undefined ? fold.matches : fold.matches.filter((match) => match.disposedAt >= from)
  return { instrumentId, before, after: fold.book(), matches, replayedFrom: from }
}

function changeOf(
  state: PortfolioState,
  entries: readonly LedgerEntry[],
  folded: readonly FoldedBook[],
  context: RecordingContext,
): PortfolioChange {
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
      lastRecordedAt: entries[0]?.recordedAt ?? state.lastRecordedAt,
      chainHead: head,
      books,
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
    warnings: warningsOf(state, entries, context),
  }
}

function warningsOf(
  state: PortfolioState,
  entries: readonly LedgerEntry[],
  { histories }: RecordingContext,
): readonly Warning[] {
  const seen = new Set<string>()
  for (const history of histories.values()) for (const entry of history) seen.add(likeness(entry))
  return entries.flatMap((entry, index) => {
    const warnings: Warning[] = []
    const book = state.books.get(entry.instrumentId)
    if (book !== undefined && entry.effectiveAt < lastEffectiveAt(book)) {
      warnings.push({ index, reason: 'BACKDATED' })
    }
    if (entry.type === 'TRANSFER_IN' && entry.price.isZero()) {
      warnings.push({ index, reason: 'BASIS_UNKNOWN' })
    }
    if (seen.has(likeness(entry))) warnings.push({ index, reason: 'POSSIBLE_DUPLICATE' })
    seen.add(likeness(entry))
    return warnings
  })
}

/** Equal for two entries that tell the same story: legal (two true fills may be equal), but worth a warning. */
function likeness(entry: LedgerEntry): string {
  const { instrumentId, accountId, type, quantity, price, effectiveAt } = entry
  return [instrumentId, accountId, type, quantity.toString(), price.toString(), effectiveAt].join(
    ' ',
  )
}
