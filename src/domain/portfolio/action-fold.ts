import type { Instant } from '../time.ts'
import { compareActions, type CorporateAction } from '../market-data/corporate-action.ts'
import type { DueActions } from '../market-data/corporate-actions.ts'
import { applyAction } from './action-effects.ts'
import { BookFold } from './book-fold.ts'
import type { ActionPayment } from './cash.ts'
import type { Book } from './holding.ts'
import type { FoldRefusal } from './refusal.ts'
import type { PortfolioSettings } from './state.ts'
import { compareEntries, type LedgerEntry } from './transaction.ts'

export type FoldRules = Pick<PortfolioSettings, 'lotMethod' | 'allowShort' | 'baseCurrency'>

/** Where a fold begins: with the books of a moment, in which the actions up to it are folded already. */
export interface FoldBase {
  readonly effectiveAt: Instant
  readonly instrumentIds: Iterable<string>
  readonly bookOf: (instrumentId: string) => Book | undefined
}

/**
 * Folds entries of many instruments, in order of (effectiveAt, sequence), with the corporate actions of those
 * instruments in between. An action comes before the entries of its very moment: it is in force when its ex-date
 * begins.
 */
export class ActionFold {
  /** In order of time. */
  readonly payments: ActionPayment[] = []
  readonly folds = new Map<string, BookFold>()
  readonly #rules: FoldRules
  readonly #due: DueActions
  readonly #base: FoldBase | undefined
  /** Of the instruments that are folded, in order; those before `#next` have worked. */
  readonly #pending: CorporateAction[] = []
  #next = 0
  /** Up to where entries were folded: no earlier action works any more. */
  #entriesUntil: Instant
  #last: CorporateAction | undefined
  readonly #around: (action: CorporateAction, work: () => void) => void

  /** `around` is called for each action, and lets it work. */
  constructor(
    rules: FoldRules,
    due: DueActions,
    base?: FoldBase,
    around: (action: CorporateAction, work: () => void) => void = (_action, work) => work(),
  ) {
    this.#rules = rules
    this.#around = around
    this.#due = due
    this.#base = base
    this.#entriesUntil = base?.effectiveAt ?? Number.NEGATIVE_INFINITY
    if (due.isEmpty || base === undefined) return
    for (const instrumentId of base.instrumentIds) {
      if (due.of(instrumentId).some((action) => this.#isAhead(action))) this.foldOf(instrumentId)
    }
  }

  apply(entry: LedgerEntry): FoldRefusal | undefined {
    this.advance(entry.effectiveAt)
    // Before the fold may begin: an action of before the first units came has nothing to work on.
    this.#entriesUntil = entry.effectiveAt
    return this.foldOf(entry.instrumentId).apply(entry)
  }

  /** Lets all actions work that are due, or those up to a moment. */
  advance(until: Instant = Number.POSITIVE_INFINITY): void {
    for (;;) {
      const action = this.#pending[this.#next]
      if (action === undefined || action.effectiveAt > until) return
      this.#next += 1
      this.#last = action
      this.#around(action, () => this.#work(action))
    }
  }

  #work(action: CorporateAction): void {
    const paid = applyAction(action, {
      source: this.foldOf(action.instrumentId),
      foldOf: (instrumentId) => this.foldOf(instrumentId),
      baseCurrency: this.#rules.baseCurrency,
      lotMethod: this.#rules.lotMethod,
    })
    this.payments.push(...paid)
  }

  foldOf(instrumentId: string): BookFold {
    let fold = this.folds.get(instrumentId)
    if (fold !== undefined) return fold
    fold = new BookFold(this.#base?.bookOf(instrumentId), this.#rules)
    this.folds.set(instrumentId, fold)
    if (this.#due.isEmpty) return fold
    const ahead = this.#due.of(instrumentId).filter((action) => this.#isAhead(action))
    if (ahead.length > 0) {
      this.#pending.push(...ahead)
      const waiting = this.#pending.splice(this.#next).toSorted(compareActions)
      this.#pending.push(...waiting)
    }
    return fold
  }

  /** What was in force before an instrument's first units came has nothing to work on. */
  #isAhead(action: CorporateAction): boolean {
    if (action.effectiveAt <= this.#entriesUntil) return false
    return this.#last === undefined || compareActions(action, this.#last) > 0
  }

  books(): Map<string, Book> {
    return new Map([...this.folds].map(([instrumentId, fold]) => [instrumentId, fold.book()]))
  }
}

/** Folds entries, in whatever order they come, and then all actions that are due; or says which does not follow. */
export function foldEntries(
  entries: readonly LedgerEntry[],
  rules: FoldRules,
  due: DueActions,
): ActionFold | FoldRefusal {
  const fold = new ActionFold(rules, due)
  for (const entry of entries.toSorted(compareEntries)) {
    const refusal = fold.apply(entry)
    if (refusal !== undefined) return refusal
  }
  fold.advance()
  return fold
}

/** The books with a note of the actions they are folded up to. */
export function withEpochs(
  books: ReadonlyMap<string, Book>,
  due: DueActions,
): ReadonlyMap<string, Book> {
  if (due.isEmpty) return books
  return new Map(
    [...books].map(([instrumentId, book]) => [
      instrumentId,
      withEpoch(book, due.countOf(instrumentId)),
    ]),
  )
}

/** `isLeftOut`: they do not go with what was recorded before them, and are not in it. */
export function withEpoch(book: Book, count: number, isLeftOut = false): Book {
  if (count === 0) return book
  return new Map(
    [...book].map(([accountId, holding]) => {
      if (Math.abs(holding.actionEpoch) >= count) return [accountId, holding]
      const actionEpoch = isLeftOut || holding.actionEpoch < 0 ? -count : count
      return [accountId, { ...holding, actionEpoch }]
    }),
  )
}
