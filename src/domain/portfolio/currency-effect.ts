import { type Decimal, minus, plus, share, ZERO } from '../decimal.ts'
import { convert } from '../market-data/quote.ts'
import type { LocalBook } from './local-fold.ts'
import type { Position } from './position.ts'
import type { PortfolioState } from './state.ts'
import { resultOfPosition, type Valuation } from './valuation.ts'

/** Currency effects in the reporting currency; undefined = not told apart. */
export interface CurrencyEffects {
  readonly total: Decimal | undefined
  readonly of: (position: Position) => Decimal | undefined
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
  const { shownRate } = valuation
  if (localBooks.size === 0) return { total: shownRate && ZERO, of: () => ZERO }
  const byPosition = new Map<Position, Decimal | undefined>()
  let total = soldOut(state, localBooks)
  total = total && shownRate && convert(total, shownRate)
  for (const position of valuation.positions) {
    const effect = effectOf(position, valuation, localBooks)
    byPosition.set(position, effect)
    total = total && effect && plus(total, effect)
  }
  return { total, of: (position) => byPosition.get(position) }
}

function effectOf(
  position: Position,
  valuation: Valuation,
  localBooks: ReadonlyMap<string, LocalBook>,
): Decimal | undefined {
  const { holding, marketValue, exchangeRate } = position
  const { shownRate } = valuation
  if (!localBooks.has(holding.instrumentId)) return ZERO
  const book = localBooks.get(holding.instrumentId)
  const local = book?.holdings.get(holding.accountId)
  if (local === undefined || shownRate === undefined) return undefined
  // Without a quote it is valued at the last trade, in the base currency at the rate of then.
  if (position.currency !== book?.currency) return undefined
  if (marketValue === undefined || exchangeRate === undefined) return undefined
  const known = minus(holding.quantity, holding.unknownQuantity)
  const value = share(marketValue, known, holding.quantity)
  const unrealized = convert(minus(value, local.basis), exchangeRate)
  const { realized, unrealized: all } = resultOfPosition(position, valuation)
  return minus(minus(plus(realized, all), unrealized), convert(local.realized, shownRate))
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
      total = minus(plus(total, realized), local.holdings.get(accountId)?.realized ?? ZERO)
    }
  }
  return total
}
