import { type Decimal, ONE, share, ZERO } from '../decimal.ts'
import { type DueActions, NO_ACTIONS } from '../market-data/corporate-actions.ts'
import { convert } from '../market-data/quote.ts'
import { inBaseCurrency } from './amounts.ts'
import { ActionFold, type FoldRules } from './action-fold.ts'
import type { LotMatch } from './holding.ts'
import { activeEntries } from './reversals.ts'
import type { PortfolioSettings, PortfolioState } from './state.ts'
import { compareEntries, type LedgerEntry, NO_TERMS } from './transaction.ts'
import type { Position } from './position.ts'
import { resultOfPosition, type Valuation } from './valuation.ts'

/** What an account's units of an instrument cost and brought in the currency they are traded in. */
export interface LocalHolding {
  /** Cost of the open units of known cost, in that currency. */
  readonly basis: Decimal
  /** Gains of what was sold, made in that currency, each in the base currency at the rate of its day. */
  readonly realized: Decimal
}

/** By account id; undefined where trades in several currencies leave no one currency to tell the effect of. */
export type LocalBook = ReadonlyMap<string, LocalHolding> | undefined

/** Currency effects in the reporting currency; undefined = not told apart. */
export interface CurrencyEffects {
  readonly total: Decimal | undefined
  readonly byPosition: ReadonlyMap<Position, Decimal | undefined>
}

/**
 * Folds an instrument's whole history once more in its own currency: with the very lots that were taken, and without
 * any rate. What the rates made of it is the rest (decision 27).
 */
export function foldLocally(
  history: readonly LedgerEntry[],
  currency: string,
  settings: PortfolioSettings,
  due: DueActions = NO_ACTIONS,
): LocalBook {
  const entries = activeEntries(history).toSorted(compareEntries)
  if (entries.some(({ terms }) => (terms?.currency ?? '') !== currency)) return undefined
  const rules = { ...settings, allowShort: true }
  const lotsTaken = takenBy(entries, rules, due)
  const folding = new ActionFold(rules, due)
  const realized = new Map<string, Decimal>()
  for (const entry of entries) {
    const fold = folding.foldOf(entry.instrumentId)
    const before = fold.book()
    folding.apply(inOwnCurrency(entry, lotsTaken.get(entry.sequence) ?? []))
    for (const [accountId, holding] of fold.book()) {
      const gained = holding.realized.minus(before.get(accountId)?.realized ?? ZERO)
      const known = realized.get(accountId) ?? ZERO
      realized.set(accountId, known.plus(inBaseCurrency(entry, gained)))
    }
  }
  folding.advance()
  const book = [...folding.books().values()].flatMap((one) => Array.from(one))
  return new Map(
    book.map(([accountId, { basis }]) => [
      accountId,
      { basis, realized: realized.get(accountId) ?? ZERO },
    ]),
  )
}

function takenBy(
  entries: readonly LedgerEntry[],
  rules: FoldRules,
  due: DueActions,
): ReadonlyMap<number, readonly LotMatch[]> {
  const fold = new ActionFold(rules, due)
  for (const entry of entries) fold.apply(entry)
  const taken = new Map<number, LotMatch[]>()
  for (const match of [...fold.folds.values()].flatMap(({ matches }) => matches)) {
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

/**
 * The part of the result that came from exchange rates: all of it less what the assets brought in their own
 * currencies, so that the two add up to it to the last digit. `localBooks` has the instruments of foreign currencies.
 */
export function currencyEffectsOf(
  state: PortfolioState,
  valuation: Valuation,
  localBooks: ReadonlyMap<string, LocalBook>,
): CurrencyEffects {
  const byPosition = new Map<Position, Decimal | undefined>()
  let total = soldOut(state, localBooks)
  total = total && valuation.shownRate && convert(total, valuation.shownRate)
  for (const position of valuation.positions) {
    const effect = effectOf(position, valuation, localBooks)
    byPosition.set(position, effect)
    total = effect && total?.plus(effect)
  }
  return { total, byPosition }
}

function effectOf(
  position: Position,
  valuation: Valuation,
  localBooks: ReadonlyMap<string, LocalBook>,
): Decimal | undefined {
  const { holding, marketValue, exchangeRate } = position
  const { shownRate } = valuation
  if (!localBooks.has(holding.instrumentId)) return ZERO
  const local = localBooks.get(holding.instrumentId)?.get(holding.accountId)
  if (local === undefined || shownRate === undefined) return undefined
  if (marketValue === undefined || exchangeRate === undefined) return undefined
  const known = holding.quantity.minus(holding.unknownQuantity)
  const value = share(marketValue, known, holding.quantity)
  const unrealized = convert(value.minus(local.basis), exchangeRate)
  const { realized, unrealized: all } = resultOfPosition(position, valuation)
  return realized.plus(all).minus(unrealized).minus(convert(local.realized, shownRate))
}

/** What is sold out has an effect too, in the base currency: what it realised less what it gained in its own. */
function soldOut(
  { books }: PortfolioState,
  localBooks: ReadonlyMap<string, LocalBook>,
): Decimal | undefined {
  let total = ZERO
  for (const [instrumentId, local] of localBooks) {
    if (local === undefined) return undefined
    for (const [accountId, { quantity, realized }] of books.get(instrumentId) ?? []) {
      if (!quantity.isZero()) continue
      total = total.plus(realized).minus(local.get(accountId)?.realized ?? ZERO)
    }
  }
  return total
}
