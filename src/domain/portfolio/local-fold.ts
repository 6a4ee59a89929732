import { type Decimal, minus, multiply, ONE, plus, ZERO } from '../decimal.ts'
import { type CorporateAction, paymentOf, targetOf } from '../market-data/corporate-action.ts'
import { type DueActions, NO_ACTIONS, withActions } from '../market-data/corporate-actions.ts'
import { convert } from '../market-data/quote.ts'
import { rateOf } from './action-effects.ts'
import { ActionFold, foldEntries, type FoldRules } from './action-fold.ts'
import { inBaseCurrency } from './amounts.ts'
import { isRefusal, withFittingActions } from './fitting-actions.ts'
import type { LotMatch } from './holding.ts'
import { rulesOfThePast } from './past-fold.ts'
import { activeEntries } from './reversals.ts'
import type { PortfolioSettings } from './state.ts'
import { compareEntries, type LedgerEntry, NO_TERMS } from './transaction.ts'
import { transactionTypes } from './transaction-types.ts'

/** What an account's units of an instrument cost and brought in the currency they are traded in. */
export interface LocalHolding {
  /** Cost of the open units of known cost, in that currency. */
  readonly basis: Decimal
  /** Gains of what was sold, made in that currency, each in the base currency at the rate of its day. */
  readonly realized: Decimal
}

/**
 * By account id; undefined where no one currency is left to tell of: trades were in several, units came from an
 * instrument of another, or nobody knew what an action paid in this one.
 */
export type LocalBook =
  { readonly currency: string; readonly holdings: ReadonlyMap<string, LocalHolding> } | undefined

interface LocalRules {
  readonly settings: PortfolioSettings
  /** Of an instrument's trades; empty = the base currency. */
  readonly currencyOf: (instrumentId: string) => string
  readonly due?: DueActions
}

/**
 * Folds the whole history of instruments that are folded together once more, each in its own currency: with the very
 * lots that were taken, and without any rate. What the rates made of it is the rest (decision 27).
 */
export function foldLocally(
  history: readonly LedgerEntry[],
  { settings, currencyOf, due = NO_ACTIONS }: LocalRules,
): ReadonlyMap<string, LocalBook> {
  const entries = activeEntries(history).toSorted(compareEntries)
  const rules = rulesOfThePast(settings)
  const { folded, fitting } = withFittingActions(due, (some) => foldEntries(entries, rules, some))
  if (isRefusal(folded)) return new Map(entries.map((entry) => [entry.instrumentId, undefined]))
  const fold = new LocalFold(rules, fitting, currencyOf)
  const lotsTaken = takenBy([...folded.folds.values()].flatMap(({ matches }) => matches))
  for (const entry of entries) fold.apply(entry, lotsTaken.get(entry.sequence) ?? [])
  return fold.finish()
}

class LocalFold {
  readonly #rules: FoldRules
  readonly #currencyOf: (instrumentId: string) => string
  readonly #fold: ActionFold
  /** Instruments of which nothing can be told any more. */
  readonly #mixed = new Set<string>()
  /** By instrument and account: realised so far, in the own currency and in the base currency. */
  readonly #realized = new Map<string, { readonly own: Decimal; readonly base: Decimal }>()

  /** As they were recorded, by id. */
  readonly #originals = new Map<number, CorporateAction>()

  constructor(rules: FoldRules, due: DueActions, currencyOf: (instrumentId: string) => string) {
    this.#rules = rules
    this.#currencyOf = currencyOf
    const local = withActions(due, (id) => this.#actionsOf(due, id))
    this.#fold = new ActionFold(rules, local, undefined, (action, work) => this.#act(action, work))
  }

  apply(entry: LedgerEntry, taken: readonly LotMatch[]): void {
    const { instrumentId, terms } = entry
    const moves = transactionTypes[entry.type].movesUnits || entry.type === 'RETURN_OF_CAPITAL'
    this.#fold.apply(inOwnCurrency(entry, taken))
    // Income and charges by themselves are in no basis: they may be in any currency.
    if (moves && (terms?.currency ?? '') !== this.#currencyOf(instrumentId)) {
      this.#mixed.add(instrumentId)
    }
    this.#collect(instrumentId, (gained) => inBaseCurrency(entry, gained))
  }

  finish(): ReadonlyMap<string, LocalBook> {
    this.#fold.advance()
    const books = new Map<string, LocalBook>()
    for (const [instrumentId, book] of this.#fold.books()) {
      const holdings = Array.from(book, ([accountId, { basis }]) => {
        const realized = this.#realized.get(nameOf(instrumentId, accountId))?.base ?? ZERO
        return [accountId, { basis, realized }] as const
      })
      const currency = this.#currencyOf(instrumentId)
      const local = { currency, holdings: new Map(holdings) }
      books.set(instrumentId, this.#mixed.has(instrumentId) ? undefined : local)
    }
    return books
  }

  /** Those that move a basis, paying in the instrument's own currency. */
  #actionsOf(due: DueActions, instrumentId: string): readonly CorporateAction[] {
    return due.of(instrumentId).flatMap((action) => {
      // As in the base currency: what nobody knew the worth of is not in it.
      if (rateOf(action, this.#rules.baseCurrency) === undefined) return []
      const { terms } = action
      if (terms.kind === 'CASH_DIVIDEND' && !terms.returnOfCapital) return []
      return [this.#inOwnCurrency(action)]
    })
  }

  #inOwnCurrency(action: CorporateAction): CorporateAction {
    const payment = paymentOf(action)
    if (payment === undefined) return action
    this.#originals.set(action.actionId, action)
    const perUnit = multiply(payment.perUnit, this.#ownRateOf(action) ?? ZERO)
    const paid = { perUnit, currency: '', rates: {} }
    const { terms } = action
    if (terms.kind === 'MERGER') return { ...action, terms: { ...terms, cash: paid } }
    return terms.kind === 'CASH_DIVIDEND'
      ? { ...action, terms: { ...terms, payment: paid } }
      : action
  }

  /** Units of the instrument's currency for one of what an action pays; undefined = nobody knew. */
  #ownRateOf(action: CorporateAction): Decimal | undefined {
    const own = this.#currencyOf(action.instrumentId)
    if (paymentOf(action)?.currency === '') return own === '' ? ONE : undefined
    return rateOf(action, own === '' ? this.#rules.baseCurrency : own)
  }

  #act(action: CorporateAction, work: () => void): void {
    const { instrumentId } = action
    const original = this.#originals.get(action.actionId) ?? action
    const holdings = this.#fold.foldOf(instrumentId).holdings.values()
    const isHeld = [...holdings].some(({ quantity }) => !quantity.isZero())
    const target = targetOf(action)
    work()
    if (isHeld && this.#ownRateOf(original) === undefined) this.#mixed.add(instrumentId)
    const differs =
      target !== undefined && this.#currencyOf(target) !== this.#currencyOf(instrumentId)
    if (target !== undefined && isHeld && (differs || this.#mixed.has(instrumentId))) {
      this.#mixed.add(target)
    }
    const rate = rateOf(original, this.#rules.baseCurrency) ?? ONE
    this.#collect(instrumentId, (gained) => convert(gained, rate))
  }

  /** What was realised since the last time, in the base currency. */
  #collect(instrumentId: string, toBase: (gained: Decimal) => Decimal): void {
    for (const { accountId, realized } of this.#fold.foldOf(instrumentId).holdings.values()) {
      const name = nameOf(instrumentId, accountId)
      const known = this.#realized.get(name) ?? { own: ZERO, base: ZERO }
      if (realized.equals(known.own)) continue
      const base = plus(known.base, toBase(minus(realized, known.own)))
      this.#realized.set(name, { own: realized, base })
    }
  }
}

function nameOf(instrumentId: string, accountId: string): string {
  return `${instrumentId} ${accountId}`
}

function takenBy(matches: readonly LotMatch[]): ReadonlyMap<number, readonly LotMatch[]> {
  const taken = new Map<number, LotMatch[]>()
  for (const match of matches) {
    const known = taken.get(match.disposalSequence)
    if (known === undefined) taken.set(match.disposalSequence, [match])
    else known.push(match)
  }
  return taken
}

function inOwnCurrency(entry: LedgerEntry, matches: readonly LotMatch[]): LedgerEntry {
  const terms = entry.terms ?? NO_TERMS
  const lots = matches.map(({ lotSequence, lotPart, quantity }) => ({
    lotSequence,
    lotPart,
    quantity,
  }))
  return {
    ...entry,
    terms: { ...terms, exchangeRate: ONE, lots: lots.length > 0 ? lots : terms.lots },
  }
}
