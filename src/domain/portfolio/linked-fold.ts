import { type DueActions, everPaid, NO_ACTIONS } from '../market-data/corporate-actions.ts'
import type { Instant } from '../time.ts'
import { foldEntries, type FoldRules, withEpoch } from './action-fold.ts'
import { addPayments, type Cash, firstFlow, foldCash } from './cash.ts'
import { isRefusal, withFittingActions } from './fitting-actions.ts'
import { type Book, emptyHolding } from './holding.ts'
import { rulesOfThePast } from './past-fold.ts'
import type { FoldedBook } from './portfolio-change.ts'
import { type FoldRefusal, notFoldable } from './refusal.ts'
import { activeEntries } from './reversals.ts'
import type { PortfolioState } from './state.ts'
import type { LedgerEntry } from './transaction.ts'

/** Instruments of which an action is in force that is not folded into what is held, with all linked to them. */
export function staleInstruments(state: PortfolioState, due: DueActions): ReadonlySet<string> {
  const stale = new Set<string>()
  if (due.isEmpty) return stale
  for (const [instrumentId, book] of state.books) {
    if (isStale(book, due.countOf(instrumentId))) addLinked(stale, instrumentId, due)
  }
  return stale
}

function isStale(book: Book, count: number): boolean {
  if (count === 0) return false
  for (const { actionEpoch } of book.values()) if (Math.abs(actionEpoch) < count) return true
  return false
}

function addLinked(to: Set<string>, instrumentId: string, due: DueActions): void {
  for (const linked of due.linked(instrumentId)) to.add(linked)
}

/**
 * Instruments to fold from their whole ledgers, since a corporate action stands after an added entry or is not folded
 * yet: where units of one became units of another, both. `isBackdated` says which added entries are not the last.
 */
export function refoldedInstruments(
  state: PortfolioState,
  grouped: ReadonlyMap<string, readonly LedgerEntry[]>,
  due: DueActions,
  isBackdated: (instrumentId: string) => boolean,
): ReadonlySet<string> {
  if (due.isEmpty) return NOTHING
  const refolded = new Set(staleInstruments(state, due))
  for (const [instrumentId, [first]] of grouped) {
    const actions = due.ever(instrumentId)
    if (actions.length === 0 || first === undefined) continue
    const crosses = actions.some(({ effectiveAt }) => first.effectiveAt < effectiveAt)
    if (crosses || isBackdated(instrumentId)) addLinked(refolded, instrumentId, due)
  }
  return refolded
}

const NOTHING: ReadonlySet<string> = new Set()

/** Those that are folded together. */
export function linkedGroups(
  instrumentIds: ReadonlySet<string>,
  due: DueActions,
): readonly ReadonlySet<string>[] {
  const groups: ReadonlySet<string>[] = []
  for (const instrumentId of instrumentIds) {
    if (groups.some((group) => group.has(instrumentId))) continue
    groups.push(new Set(due.linked(instrumentId)))
  }
  return groups
}

/** True when money of actions has to be counted anew: what it was is known from the whole ledger alone. */
export function recountsCash(
  state: PortfolioState,
  entries: readonly LedgerEntry[],
  { refolded, due }: { readonly refolded: ReadonlySet<string>; readonly due: DueActions },
): boolean {
  if (due.isEmpty) return false
  const flow = firstFlow(entries)
  const since = state.cash.since ?? flow
  if (since === undefined) return false
  const asked = state.cash.since === undefined ? [...state.books.keys(), ...refolded] : refolded
  for (const instrumentId of asked) if (everPaid(due.ever(instrumentId), since)) return true
  return false
}

/** Cash of a whole ledger, with what corporate actions paid. */
export function cashOf(ledger: readonly LedgerEntry[], settings: FoldRules, due: DueActions): Cash {
  const active = activeEntries(ledger)
  const cash = foldCash(active)
  if (cash.since === undefined || due.isEmpty) return cash
  const { folded } = withFittingActions(due, (fitting) =>
    foldEntries(active, rulesOfThePast(settings), fitting),
  )
  // Entries that do not fold at all are refused for that elsewhere.
  return isRefusal(folded) ? cash : addPayments(cash, folded.payments)
}

interface LinkedLedgers {
  readonly history: readonly LedgerEntry[]
  readonly added: readonly LedgerEntry[]
  /** From when on disposals can be matched otherwise; undefined = from the first action or added entry on. */
  readonly from?: Instant
  /** True: the settings are being chosen, and what they do not allow is refused. */
  readonly isChoosing?: boolean
}

/**
 * Folds instruments from their whole ledgers with their corporate actions. An action that was recorded late, or taken
 * back, may have made impossible what was recorded before: that is not the request's fault, so then the holding goes
 * short, and where even that cannot be (a lot that was named, a transfer) the actions are left out.
 */
export function foldLinked(
  state: PortfolioState,
  instrumentIds: ReadonlySet<string>,
  { history, added, from, isChoosing = false }: LinkedLedgers,
  due: DueActions,
): readonly FoldedBook[] | FoldRefusal {
  const { settings } = state
  const past = activeEntries(history)
  const all = activeEntries([...history, ...added])
  const rules = rulesOfThePast(settings)
  let isLeftOut = false
  let folded = foldEntries(all, settings, due)
  const isActions =
    isRefusal(folded) &&
    isRefusal(foldEntries(past, settings, due)) &&
    !(isChoosing && isRefusal(foldEntries(past, settings, NO_ACTIONS)))
  if (isActions) {
    const { fitting, leftOut } = withFittingActions(due, (some) => foldEntries(past, rules, some))
    isLeftOut = leftOut.size > 0
    folded = foldEntries(all, settings, fitting)
    if (isRefusal(folded) && isRefusal(foldEntries(past, settings, fitting))) {
      folded = foldEntries(all, rules, fitting)
    }
  }
  if (isRefusal(folded)) return { ...folded, linked: instrumentIds }
  const fold = folded
  const replayed = from ?? replayedFrom(instrumentIds, added, due)
  const books = fold.books()
  return [...instrumentIds].flatMap((instrumentId): FoldedBook[] => {
    const before = state.books.get(instrumentId)
    const gone = [...(before?.keys() ?? [])].map(
      (id) => [id, emptyHolding(instrumentId, id)] as const,
    )
    const after = new Map([...gone, ...(books.get(instrumentId) ?? [])])
    if (after.size === 0) return []
    const matches = fold.folds.get(instrumentId)?.matches ?? []
    return [
      {
        instrumentId,
        before,
        after: withEpoch(after, due.countOf(instrumentId), isLeftOut),
        matches: matches.filter(({ disposedAt }) => disposedAt >= replayed),
        replayedFrom: replayed,
      },
    ]
  })
}

/** The state with all actions that are in force; `ledger` holds at least the instruments that are stale. */
export function foldDue(
  state: PortfolioState,
  { stale, ledger }: { stale: ReadonlySet<string>; ledger: readonly LedgerEntry[] },
  due: DueActions,
): PortfolioState {
  const books = new Map(state.books)
  // Each by itself: what does not go with an action of one says nothing of the others'.
  for (const linked of linkedGroups(stale, due)) {
    const history = ledger.filter(({ instrumentId }) => linked.has(instrumentId))
    const folded = foldLinked(state, linked, { history, added: [] }, due)
    if (isRefusal(folded)) throw notFoldable(folded)
    for (const { instrumentId, after } of folded) books.set(instrumentId, after)
  }
  const recounts = recountsCash(state, [], { refolded: stale, due })
  return { ...state, books, cash: recounts ? cashOf(ledger, state.settings, due) : state.cash }
}

/** Nothing before the first action, and before what was added, can be otherwise than it was. */
function replayedFrom(
  instrumentIds: ReadonlySet<string>,
  added: readonly LedgerEntry[],
  due: DueActions,
): Instant {
  let from = Number.POSITIVE_INFINITY
  for (const { effectiveAt } of added) from = Math.min(from, effectiveAt)
  for (const instrumentId of instrumentIds) {
    for (const { effectiveAt } of due.ever(instrumentId)) from = Math.min(from, effectiveAt)
  }
  return from
}
