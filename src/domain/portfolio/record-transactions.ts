import { PortfolioError } from '../errors.ts'
import { type DueActions, NO_ACTIONS } from '../market-data/corporate-actions.ts'
import type { Instant } from '../time.ts'
import { type Cash, extendCash, foldCash } from './cash.ts'
import { type Book, lastEffectiveAt } from './holding.ts'
import {
  cashOf,
  foldLinked,
  linkedGroups,
  recountsCash,
  refoldedInstruments,
} from './linked-fold.ts'
import {
  changeOf,
  type FoldedBook,
  foldInstrument,
  type PortfolioChange,
  type Warning,
} from './portfolio-change.ts'
import { type FoldRefusal, refusalError } from './refusal.ts'
import { activeEntries } from './reversals.ts'
import { type PortfolioState, receiptTime } from './state.ts'
import { compareEntries, type LedgerEntry, type TransactionDraft } from './transaction.ts'

/** Ledgers a decision cannot do without: those of instruments, or the whole one. */
export interface NeededHistory {
  readonly instrumentIds: readonly string[]
  readonly wholeLedger: boolean
}

/** Ledgers read because a decision needed them, each whole and in order. */
export interface Histories {
  readonly books: ReadonlyMap<string, readonly LedgerEntry[]>
  readonly ledger: readonly LedgerEntry[] | undefined
}

export const NO_HISTORIES: Histories = { books: new Map(), ledger: undefined }

export type Recording =
  | { readonly kind: 'recorded'; readonly change: PortfolioChange }
  /** A transaction is not later than all that is recorded of its instrument: its whole ledger is needed. */
  | ({ readonly kind: 'needs-history' } & NeededHistory)
  | { readonly kind: 'refused'; readonly error: PortfolioError }

export interface RecordingContext {
  /** The server's clock; what is recorded never goes back behind it or behind the user's last record. */
  readonly now: Instant
  readonly requestId: string
  readonly histories: Histories
  /** Where the drafts stand in the request, when it has others besides: what errors and warnings name. */
  readonly positions?: readonly number[]
  /** Corporate actions that are in force, for every decision of one request the same; undefined = there are none. */
  readonly due?: DueActions
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
  const { histories, due = NO_ACTIONS } = context
  const refolded = refoldedInstruments(state, grouped, due, (instrumentId) =>
    needsHistory(state.books.get(instrumentId), grouped.get(instrumentId) ?? []),
  )
  const cash = cashAfter(state, entries, { histories, refolded, due })
  const needed = neededHistory(state, grouped, { cash, histories, refolded })
  if (needed !== undefined) return { kind: 'needs-history', ...needed }
  const reversalError = checkReversals(entries, context.histories)
  if (reversalError !== undefined) return { kind: 'refused', error: reversalError }
  const { folded, refusals } = foldGroups(state, grouped, { histories, refolded, due })
  if (refusals.length > 0)
    return { kind: 'refused', error: refusalError(refusals, entries, context.positions) }
  const change = changeOf(state, entries, {
    folded,
    cash: cash ?? state.cash,
    settings: state.settings,
    recordedAt: receiptTime(state, context.now),
    warnings: warningsOf(state, entries, context),
  })
  return { kind: 'recorded', change }
}

interface FoldPlan {
  readonly histories: Histories
  /** Instruments to fold from their whole ledgers, with their corporate actions. */
  readonly refolded: ReadonlySet<string>
  readonly due: DueActions
}

function foldGroups(
  state: PortfolioState,
  grouped: ReadonlyMap<string, readonly LedgerEntry[]>,
  { histories, refolded, due }: FoldPlan,
): { readonly folded: readonly FoldedBook[]; readonly refusals: readonly FoldRefusal[] } {
  const folded: FoldedBook[] = []
  const refusals: FoldRefusal[] = []
  for (const linked of linkedGroups(refolded, due)) {
    const ids = [...linked]
    const outcome = foldLinked(
      state,
      linked,
      {
        history: ids.flatMap((instrumentId) => historyOf(instrumentId, histories) ?? []),
        added: ids.flatMap((instrumentId) => grouped.get(instrumentId) ?? []),
      },
      due,
    )
    if ('reason' in outcome) refusals.push(outcome)
    else folded.push(...outcome)
  }
  for (const [instrumentId, added] of grouped) {
    if (refolded.has(instrumentId)) continue
    // With actions it is folded from its whole ledger above, or what was added comes after all of them.
    const history =
      due.ever(instrumentId).length > 0 ? undefined : historyOf(instrumentId, histories)
    const actionCount = due.countOf(instrumentId)
    const outcome = foldInstrument(state, instrumentId, added, { history, actionCount })
    if ('reason' in outcome) refusals.push(outcome)
    else folded.push(outcome)
  }
  return { folded, refusals }
}

/** Cash after the entries; undefined when the whole ledger is needed to tell. */
function cashAfter(
  state: PortfolioState,
  entries: readonly LedgerEntry[],
  { histories: { ledger }, refolded, due }: FoldPlan,
): Cash | undefined {
  if (ledger !== undefined) return cashOf([...ledger, ...entries], state.settings, due)
  if (recountsCash(state, entries, { refolded, due })) return undefined
  const reverses = entries.some(({ terms }) => terms?.reverses)
  const replacesByFlow = reverses && foldCash(activeEntries(entries)).since !== undefined
  if (replacesByFlow || (reverses && state.cash.since !== undefined)) return undefined
  return extendCash(state.cash, reverses ? [] : entries, () => {
    let lastAt = Number.MIN_SAFE_INTEGER
    for (const book of state.books.values()) lastAt = Math.max(lastAt, lastEffectiveAt(book))
    return lastAt
  })
}

function neededHistory(
  state: PortfolioState,
  grouped: ReadonlyMap<string, readonly LedgerEntry[]>,
  {
    cash,
    histories,
    refolded,
  }: { cash: Cash | undefined } & Pick<FoldPlan, 'histories' | 'refolded'>,
): NeededHistory | undefined {
  const instrumentIds = new Set<string>()
  for (const [instrumentId, added] of grouped) {
    if (needsHistory(state.books.get(instrumentId), added)) instrumentIds.add(instrumentId)
  }
  for (const instrumentId of refolded) instrumentIds.add(instrumentId)
  const missing = [...instrumentIds].filter(
    (instrumentId) => historyOf(instrumentId, histories) === undefined,
  )
  const wholeLedger = cash === undefined
  return wholeLedger || missing.length > 0 ? { instrumentIds: missing, wholeLedger } : undefined
}

/** An instrument's ledger; undefined where it was not read. */
export function historyOf(
  instrumentId: string,
  { books, ledger }: Histories,
): readonly LedgerEntry[] | undefined {
  return books.get(instrumentId) ?? ledger?.filter((entry) => entry.instrumentId === instrumentId)
}

/** What is taken back must be there, and be there still. */
function checkReversals(
  entries: readonly LedgerEntry[],
  histories: Histories,
): PortfolioError | undefined {
  for (const { terms, instrumentId } of entries) {
    const target = terms?.reverses?.sequence
    if (target === undefined) continue
    const history = historyOf(instrumentId, histories) ?? []
    const found = history.find(({ sequence }) => sequence === target)
    if (found === undefined || found.terms?.reverses !== undefined) {
      return new PortfolioError('TRANSACTION_NOT_FOUND', 'there is no such transaction to reverse')
    }
    if (history.some((entry) => entry.terms?.reverses?.sequence === target)) {
      return new PortfolioError('ALREADY_REVERSED', 'the transaction was reversed before')
    }
  }
  return undefined
}

/** Sequences follow the request's order; entries without a time get the receipt's (decision 14). */
function numberEntries(
  state: PortfolioState,
  drafts: readonly TransactionDraft[],
  context: RecordingContext,
): readonly LedgerEntry[] {
  const recordedAt = receiptTime(state, context.now)
  return drafts.map(
    ({ type, instrumentId, accountId, quantity, price, effectiveAt, terms }, index) => ({
      sequence: state.lastSequence + 1 + index,
      version: state.version + 1,
      type,
      instrumentId,
      accountId,
      quantity,
      price,
      effectiveAt: effectiveAt ?? recordedAt,
      recordedAt,
      requestId: context.requestId,
      ...(terms && { terms }),
    }),
  )
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
  if (book === undefined || first === undefined) return false
  return first.effectiveAt <= lastEffectiveAt(book) || added.some(({ terms }) => terms?.reverses)
}

function warningsOf(
  state: PortfolioState,
  entries: readonly LedgerEntry[],
  { histories, positions }: RecordingContext,
): readonly Warning[] {
  const known = histories.ledger ?? [...histories.books.values()].flat()
  const isAlone = entries.length === 1 && known.length === 0
  const seen = new Set(activeEntries(known).map(likeness))
  const warnings: Warning[] = []
  for (const [place, entry] of entries.entries()) {
    const index = positions?.[place] ?? place
    const book = state.books.get(entry.instrumentId)
    if (book !== undefined && entry.effectiveAt < lastEffectiveAt(book)) {
      warnings.push({ index, reason: 'BACKDATED' })
    }
    if (comesWithoutBasis(entry)) warnings.push({ index, reason: 'BASIS_UNKNOWN' })
    if (isAlone) continue
    const own = likeness(entry)
    if (seen.has(own)) warnings.push({ index, reason: 'POSSIBLE_DUPLICATE' })
    seen.add(own)
  }
  return warnings
}

function comesWithoutBasis({ type, price, terms }: LedgerEntry): boolean {
  return type === 'TRANSFER_IN' && price.isZero() && (terms?.carriedLots.length ?? 0) === 0
}

/** Equal for two entries that tell the same story: legal (two true fills may be equal), but worth a warning. */
function likeness(entry: LedgerEntry): string {
  const { instrumentId, accountId, type, quantity, price, effectiveAt, terms } = entry
  const trade = [instrumentId, accountId, type, quantity.toString(), price.toString(), effectiveAt]
  const money = [terms?.amount.toString() ?? '0', terms?.currency ?? '']
  return [...trade, ...money].join(' ')
}
