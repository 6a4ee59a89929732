import { type Decimal, decimalText, multiply, ZERO } from '../../domain/decimal.ts'
import { PortfolioError } from '../../domain/errors.ts'
import { instrumentIdOf, symbolOf } from '../../domain/market-data/instrument.ts'
import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import { ActionFold, type FoldRules } from '../../domain/portfolio/action-fold.ts'
import type { BookFold } from '../../domain/portfolio/book-fold.ts'
import { compareLots, type Lot } from '../../domain/portfolio/holding.ts'
import { dayOf, longTermOn } from '../../domain/portfolio/calendar-day.ts'
import type { LotMethod } from '../../domain/portfolio/lot-methods.ts'
import { activeEntries } from '../../domain/portfolio/reversals.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import { compareEntries, type LedgerEntry } from '../../domain/portfolio/transaction.ts'
import { valuePortfolio } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type { CallContext, Clock, LedgerFilter, PortfolioStore, QuoteStore } from '../ports.ts'
import { stateAsOf } from './past-state.ts'
import { lotIdOf } from './record-transactions.ts'

export interface LotsQuery {
  readonly userId: string
  /** As of `at`; undefined = every instrument. */
  readonly symbol: string | undefined
  readonly at: Instant | undefined
  readonly recordedUntil: Instant | undefined
  readonly includeClosed: boolean
  /** Undefined = the portfolio's own. */
  readonly method: LotMethod | undefined
}

/** A lot as plain data; decimals as texts, empty where unknown. */
export interface LotView {
  readonly lotId: string
  readonly openedSequence: number
  readonly instrumentId: string
  readonly symbol: string
  readonly accountId: string
  readonly acquiredDay: string
  readonly quantityAcquired: string
  readonly quantityOpen: string
  readonly basis: string
  readonly marketValue: string
  readonly unrealizedGain: string
  readonly longTerm: boolean
  readonly longTermOn: string
}

/**
 * The lots of a portfolio, by instrument and in order of acquisition; under another method they are folded anew
 * from the ledger, without changing the setting.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND.
 */
export async function listLots(
  ports: {
    readonly clock: Clock
    readonly portfolios: PortfolioStore
    readonly quotes: QuoteSource
    readonly quoteStore: QuoteStore
  },
  query: LotsQuery,
  call: CallContext,
): Promise<readonly LotView[]> {
  const present = await ports.portfolios.read(query.userId, call)
  if (present === undefined) {
    throw new PortfolioError('PORTFOLIO_NOT_FOUND', 'no portfolio is kept for that user')
  }
  const at = query.at ?? ports.clock.now()
  const instrumentId =
    query.symbol === undefined
      ? undefined
      : instrumentIdOf(ports.quotes.instruments, query.symbol, at)
  const due = dueActions(ports.quotes, at, query.recordedUntil)
  const linked = instrumentId === undefined ? [] : due.linked(instrumentId)
  // What units came from elsewhere is told by the ledger of where they came from.
  const entries = await ports.portfolios.ledger(
    query.userId,
    filterOf(query, linked.length === 1 ? instrumentId : undefined),
  )
  const valued = await valuedState(ports, present.state, query, at)
  const prices = unitValues(valued.state, valued.quotes, at)
  const { settings } = present.state
  const rules = { ...settings, lotMethod: query.method ?? settings.lotMethod }
  const today = dayOf(at, settings.timeZone)
  const folded = foldLots(entries, { ...rules, includeClosed: query.includeClosed }, due)
  return [...folded].flatMap(([id, lots]) =>
    (instrumentId === undefined || id === instrumentId ? lots : []).map((lot) => {
      const price = prices.get(id)
      const symbol = symbolOf(ports.quotes.instruments, id)
      return viewOf(lot, { instrumentId: id, symbol, price, today, timeZone: settings.timeZone })
    }),
  )
}

function filterOf(
  { at, recordedUntil }: LotsQuery,
  instrumentId: string | undefined,
): LedgerFilter {
  return {
    ...(at !== undefined && { effectiveUntil: at }),
    ...(recordedUntil !== undefined && { recordedUntil }),
    ...(instrumentId !== undefined && { instrumentId }),
  }
}

async function valuedState(
  ports: Parameters<typeof listLots>[0],
  state: PortfolioState,
  query: LotsQuery,
  at: Instant,
) {
  const { recordedUntil } = query
  return query.at === undefined && recordedUntil === undefined
    ? { state, quotes: ports.quotes }
    : stateAsOf(ports, state, { at, recordedUntil, reportingCurrency: undefined })
}

/** What one unit of each priced instrument is worth, in the base currency. */
function unitValues(
  state: PortfolioState,
  quotes: QuoteSource,
  at: Instant,
): ReadonlyMap<string, Decimal> {
  const { positions } = valuePortfolio(state, quotes, at)
  return new Map(
    positions.flatMap(({ holding, unitPrice, exchangeRate }) =>
      unitPrice && exchangeRate ? [[holding.instrumentId, multiply(unitPrice, exchangeRate)]] : [],
    ),
  )
}

function foldLots(
  entries: readonly LedgerEntry[],
  { includeClosed, ...rules }: FoldRules & { readonly includeClosed: boolean },
  due: DueActions,
): ReadonlyMap<string, readonly Lot[]> {
  const folding = new ActionFold(rules, due)
  for (const entry of activeEntries(entries).toSorted(compareEntries)) {
    const refusal = folding.apply(entry)
    if (refusal !== undefined) {
      const message = `the recorded transactions cannot be folded by ${rules.lotMethod}`
      throw new PortfolioError(refusal.reason, message)
    }
  }
  folding.advance()
  return new Map(
    [...folding.folds]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([instrumentId, fold]) => [instrumentId, lotsOf(fold, includeClosed)]),
  )
}

function lotsOf(fold: BookFold, includeClosed: boolean): readonly Lot[] {
  const open = [...fold.book().values()].flatMap((holding) => holding.lots ?? [])
  const ids = new Set(open.map(idOf))
  const closed = includeClosed
    ? fold.opened
        .filter((lot) => !ids.has(idOf(lot)))
        .map((lot): Lot => Object.assign({}, lot, { quantity: ZERO, basis: ZERO }))
    : []
  return [...open, ...closed].toSorted(compareLots)
}

function idOf(lot: Lot): string {
  return lotIdOf(lot.openedSequence, lot.part)
}

function viewOf(
  lot: Lot,
  context: {
    readonly instrumentId: string
    readonly symbol: string
    readonly price: Decimal | undefined
    readonly today: string
    readonly timeZone: string
  },
): LotView {
  const { instrumentId, symbol, price, today, timeZone } = context
  const acquiredDay = dayOf(lot.acquiredAt, timeZone)
  const marketValue = price && multiply(lot.quantity, price)
  const longTermFrom = longTermOn(acquiredDay)
  return {
    lotId: idOf(lot),
    openedSequence: lot.openedSequence,
    instrumentId,
    symbol,
    accountId: lot.accountId,
    acquiredDay,
    quantityAcquired: decimalText(lot.quantityAcquired),
    quantityOpen: decimalText(lot.quantity),
    basis: lot.basis === null ? '' : decimalText(lot.basis),
    marketValue: marketValue === undefined ? '' : decimalText(marketValue),
    unrealizedGain:
      marketValue === undefined || lot.basis === null
        ? ''
        : decimalText(marketValue.minus(lot.basis)),
    longTerm: today >= longTermFrom,
    longTermOn: longTermFrom,
  }
}
