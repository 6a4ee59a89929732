import type { Instant } from '../time.ts'
import { type DueActions, NO_ACTIONS } from '../market-data/corporate-actions.ts'
import { ActionFold, type FoldRules } from './action-fold.ts'
import { addPayments, type Cash, extendCash, NO_CASH } from './cash.ts'
import type { Book, Holding } from './holding.ts'
import { type LotMethod, lotMethods } from './lot-methods.ts'
import { activeEntries } from './reversals.ts'
import type { FoldRefusal } from './refusal.ts'
import { newPortfolio, type PortfolioSettings, type PortfolioState } from './state.ts'
import type { LedgerEntry } from './transaction.ts'

/**
 * The folded entries of a ledger that are effective by `effectiveAt` and of at most `version`. A fold may begin with
 * it instead of with nothing when all of them are wanted and what else is wanted comes after them: nothing of a newer
 * version is effective before it, and nothing newer at its very moment takes an entry back. Since a reversal is
 * effective when what it reverses is, no later one reaches into it.
 */
export interface Snapshot {
  readonly userId: string
  /** When its last entry is effective. */
  readonly effectiveAt: Instant
  readonly version: number
  readonly lotMethod: LotMethod
  /** How many entries it stands for. */
  readonly entryCount: number
  /** Of its newest entry: it knows nothing that was recorded later. */
  readonly lastVersion: number
  readonly lastSequence: number
  readonly lastRecordedAt: Instant
  /** `CorporateActions.epoch`: those up to it are folded in, as far as they are effective by then. */
  readonly actionEpoch: number
  /** With or without the open lots. */
  readonly books: ReadonlyMap<string, Book>
  /** One of `books`, with its open lots: most reads need those of few instruments. */
  readonly withLots: (instrumentId: string) => Book | undefined
  readonly cash: Cash
}

export interface PastFold {
  /**
   * A past state has no chain of its own: its head is the empty one's. Lots are loaded where something was folded
   * onto the snapshot.
   */
  readonly state: PortfolioState
  /** What was passed on the way. */
  readonly snapshots: readonly Snapshot[]
}

/**
 * Folds `entries`, in order of (effectiveAt, sequence), onto a snapshot or onto nothing, and takes a snapshot after
 * every `stride` of them: all of the ledger's entries of at most `version` that are effective by then are among them.
 * Undefined when the snapshot cannot tell, and only a fold of the whole ledger can; the refusal where an entry does not
 * go with a corporate action. Without actions a recorded ledger always folds, and so does each of its prefixes.
 */
export function foldPast(
  base: Snapshot | undefined,
  entries: readonly LedgerEntry[],
  context: FoldContext & { readonly stride: number },
): PastFold | FoldRefusal | undefined {
  const fold = new LedgerFold(base, context)
  const active = new Set(activeEntries(entries))
  const snapshots: Snapshot[] = []
  for (const [index, entry] of entries.entries()) {
    const refusal = fold.add(entry, active.has(entry))
    if (refusal !== undefined) return refusal
    // Between entries of one moment there is no instant to name the snapshot by.
    if (fold.waiting < context.stride || entries[index + 1]?.effectiveAt === entry.effectiveAt) {
      continue
    }
    if (!fold.settle()) return undefined
    snapshots.push(fold.snapshot())
  }
  fold.actions.advance()
  if (!fold.settle()) return undefined
  return { state: fold.state(), snapshots }
}

interface FoldContext {
  readonly userId: string
  readonly settings: PortfolioSettings
  /** Of all the entries up to which a snapshot taken now may say it holds them. */
  readonly version: number
  /** Corporate actions that count; undefined = there are none. */
  readonly due?: DueActions
  /** Number of the newest that is known; undefined = 0. */
  readonly actionEpoch?: number
}

/** The settings without what they forbid: they hold for what is recorded from now on. */
export function rulesOfThePast<
  Settings extends Pick<PortfolioSettings, 'lotMethod' | 'allowShort'>,
>(settings: Settings): Settings {
  const { lotMethod } = settings
  // Named lots are taken by any method.
  const isChoosing = lotMethods[lotMethod].namesLots
  return { ...settings, lotMethod: isChoosing ? 'FIFO' : lotMethod, allowShort: true }
}

class LedgerFold {
  readonly #context: FoldContext
  /**
   * What was recorded was allowed then: a short position that is allowed no longer, and that a later record mended,
   * is a fact of the time between. So is a sale that named no lots, and was taken back before lots had to be named.
   */
  readonly actions: ActionFold
  readonly #base: Snapshot | undefined
  #paidCount = 0
  #head: Pick<Snapshot, 'effectiveAt' | 'lastVersion' | 'lastSequence' | 'lastRecordedAt'>
  #cash: Cash
  /** Up to where `#cash` is. */
  #settledAt: Instant
  #unsettled: LedgerEntry[] = []
  #entryCount: number
  /** Entries added since the last snapshot. */
  waiting = 0

  constructor(base: Snapshot | undefined, context: FoldContext) {
    this.#context = context
    const rules: FoldRules = rulesOfThePast(context.settings)
    const from = base && {
      effectiveAt: base.effectiveAt,
      instrumentIds: base.books.keys(),
      bookOf: base.withLots,
    }
    this.actions = new ActionFold(rules, context.due ?? NO_ACTIONS, from)
    this.#base = base
    this.#cash = base?.cash ?? NO_CASH
    this.#entryCount = base?.entryCount ?? 0
    const { version, lastSequence, lastRecordedAt } = newPortfolio(context.userId)
    const nothing = {
      effectiveAt: Number.MIN_SAFE_INTEGER,
      lastVersion: version,
      lastSequence,
      lastRecordedAt,
    }
    this.#head = base ?? nothing
    this.#settledAt = this.#head.effectiveAt
  }

  add(entry: LedgerEntry, isActive: boolean): FoldRefusal | undefined {
    this.waiting += 1
    this.#entryCount += 1
    const { effectiveAt, version, sequence, recordedAt } = entry
    this.#head =
      sequence > this.#head.lastSequence
        ? { effectiveAt, lastVersion: version, lastSequence: sequence, lastRecordedAt: recordedAt }
        : { ...this.#head, effectiveAt }
    if (!isActive) return undefined
    this.#unsettled.push(entry)
    return this.actions.apply(entry)
  }

  /** Brings the cash up to the last entry; false when what came before would have to be counted anew. */
  settle(): boolean {
    const cash = extendCash(this.#cash, this.#unsettled, () => this.#settledAt)
    if (cash === undefined) return false
    this.#cash = addPayments(cash, this.actions.payments.slice(this.#paidCount))
    this.#paidCount = this.actions.payments.length
    this.#settledAt = this.#head.effectiveAt
    this.#unsettled = []
    return true
  }

  snapshot(): Snapshot {
    this.waiting = 0
    const { userId, version, settings } = this.#context
    const books = this.#books((instrumentId) => this.#base?.withLots(instrumentId))
    return {
      ...this.#head,
      userId,
      version,
      lotMethod: settings.lotMethod,
      entryCount: this.#entryCount,
      actionEpoch: this.#context.actionEpoch ?? 0,
      books,
      withLots: (instrumentId) => books.get(instrumentId),
      cash: this.#cash,
    }
  }

  state(): PortfolioState {
    const { userId, settings } = this.#context
    return {
      ...newPortfolio(userId),
      version: this.#head.lastVersion,
      lastSequence: this.#head.lastSequence,
      lastRecordedAt: this.#head.lastRecordedAt,
      settings,
      books: this.#books((instrumentId) => this.#base?.books.get(instrumentId)),
      cash: this.#cash,
    }
  }

  /** Those folded onto, and `untouched` ones of the snapshot, in the order in which they began. */
  #books(untouched: (instrumentId: string) => Book | undefined): ReadonlyMap<string, Book> {
    const books = new Map<string, Book>()
    for (const instrumentId of new Set([
      ...(this.#base?.books.keys() ?? []),
      ...this.actions.folds.keys(),
    ])) {
      const fold = this.actions.folds.get(instrumentId)
      const book = fold === undefined ? untouched(instrumentId) : copyOf(fold.book())
      if (book !== undefined) books.set(instrumentId, book)
    }
    return books
  }
}

/** The fold goes on: its lists of lots may not leave it. */
function copyOf(book: Book): Book {
  const copy = new Map<string, Holding>()
  for (const [accountId, holding] of book) {
    copy.set(accountId, { ...holding, lots: [...(holding.lots ?? [])] })
  }
  return copy
}

/** What tells snapshots of one user apart when some have to go. */
export type SnapshotOutline = Pick<Snapshot, 'effectiveAt' | 'version' | 'entryCount'> & {
  /** Something newer is effective before it: it serves what was known once. */
  readonly isOutdated: boolean
}

/**
 * Those to delete: all but one of each moment that serve the present, and, while either kind is more than `max`, the
 * one whose neighbours are nearest, since a fold past it becomes the least longer.
 */
export function superfluous(
  outlines: readonly SnapshotOutline[],
  max: { readonly present: number; readonly outdated: number },
): readonly SnapshotOutline[] {
  const present = new Map<Instant, SnapshotOutline>()
  for (const outline of outlines) {
    if (outline.isOutdated) continue
    const kept = present.get(outline.effectiveAt)
    if (kept === undefined || kept.version < outline.version) {
      present.set(outline.effectiveAt, outline)
    }
  }
  const outdated = outlines.filter(({ isOutdated }) => isOutdated)
  const kept = new Set([
    ...thinned([...present.values()], max.present),
    ...thinned(outdated, max.outdated),
  ])
  return outlines.filter((outline) => !kept.has(outline))
}

function thinned(outlines: readonly SnapshotOutline[], max: number): readonly SnapshotOutline[] {
  const kept = outlines.toSorted((left, right) => left.entryCount - right.entryCount)
  while (kept.length > max) {
    let nearest = 0
    let least = Infinity
    for (const index of kept.keys()) {
      const before = kept[index - 1]?.entryCount ?? 0
      const after = kept[index + 1]?.entryCount ?? Infinity
      if (after - before > least) continue
      nearest = index
      least = after - before
    }
    kept.splice(nearest, 1)
  }
  return kept
}
