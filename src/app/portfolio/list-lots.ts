import { type Decimal, decimalText, minus, multiply, ZERO } from '../../domain/decimal.ts'
import { PortfolioError } from '../../domain/errors.ts'
import { instrumentIdOf, symbolOf } from '../../domain/market-data/instrument.ts'
import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import { foldEntries, type FoldRules } from '../../domain/portfolio/action-fold.ts'
import type { BookFold } from '../../domain/portfolio/book-fold.ts'
import { NO_CASH } from '../../domain/portfolio/cash.ts'
import {
  isRefusal,
  markedLeftOut,
  withFittingActions,
} from '../../domain/portfolio/fitting-actions.ts'
import { compareLots, type Lot } from '../../domain/portfolio/holding.ts'
import { dayOf, longTermOn } from '../../domain/portfolio/calendar-day.ts'
import type { LotMethod } from '../../domain/portfolio/lot-methods.ts'
import { rulesOfThePast } from '../../domain/portfolio/past-fold.ts'
import type { Quality } from '../../domain/portfolio/quality.ts'
import { activeEntries } from '../../domain/portfolio/reversals.ts'
import type { PortfolioSettings, PortfolioState } from '../../domain/portfolio/state.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import { type Valuation, valuePortfolio } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import { dueActions } from '../market-data/due-actions.ts'
import { quotesAsOf } from '../market-data/past-quotes.ts'
import type { CallContext, Clock, LedgerFilter, PortfolioStore, QuoteStore } from '../ports.ts'
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

export interface LotListing {
  readonly lots: readonly LotView[]
  /** Of the instruments that were asked for. */
  readonly quality: Quality
  readonly at: Instant
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
): Promise<LotListing> {
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
  const { settings } = present.state
  const folded = foldLots(activeEntries(entries), rulesOf(query, settings), due)
  const books = new Map(
    [...folded.books].filter(([id]) => instrumentId === undefined || id === instrumentId),
  )
  const state = { ...present.state, books, cash: NO_CASH }
  const { positions, quality } = valuePortfolio(state, await quotesOf(ports, state, query, at), at)
  const prices = unitValues(positions)
  const today = dayOf(at, settings.timeZone)
  const lots = [...books.keys()].toSorted(compareTexts).flatMap((id) => {
    const symbol = symbolOf(ports.quotes.instruments, id)
    const price = prices.get(id)
    const context = { instrumentId: id, symbol, price, today, timeZone: settings.timeZone }
    const fold = folded.folds.get(id)
    const shown = fold === undefined ? [] : lotsOf(fold, query.includeClosed)
    return shown.map((lot) => viewOf(lot, context))
  })
  return { lots, quality, at }
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

/** What was recorded was allowed then; another method has to be able to take the lots as it would have. */
function rulesOf({ method }: LotsQuery, settings: PortfolioSettings): FoldRules {
  const rules = rulesOfThePast(settings)
  return method === undefined ? rules : { ...rules, lotMethod: method }
}

function quotesOf(
  ports: Parameters<typeof listLots>[0],
  state: PortfolioState,
  { at: asked, recordedUntil }: LotsQuery,
  at: Instant,
): Promise<QuoteSource> | QuoteSource {
  return asked === undefined && recordedUntil === undefined
    ? ports.quotes
    : quotesAsOf(ports, state, { at, recordedUntil, reportingCurrency: undefined })
}

/** What one unit of each priced instrument is worth, in the base currency. */
function unitValues(positions: Valuation['positions']): ReadonlyMap<string, Decimal> {
  return new Map(
    positions.flatMap(({ holding, unitPrice, exchangeRate }) =>
      unitPrice && exchangeRate ? [[holding.instrumentId, multiply(unitPrice, exchangeRate)]] : [],
    ),
  )
}

/** As in any other read, actions that do not go with what was recorded are left out, and the books say so. */
function foldLots(entries: readonly LedgerEntry[], rules: FoldRules, due: DueActions) {
  const { folded, leftOut } = withFittingActions(due, (fitting) =>
    foldEntries(entries, rules, fitting),
  )
  if (isRefusal(folded)) {
    const message = `the recorded transactions cannot be folded by ${rules.lotMethod}`
    throw new PortfolioError(folded.reason, message)
  }
  return { folds: folded.folds, books: markedLeftOut(folded.books(), leftOut, due) }
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : 1
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
        : decimalText(minus(marketValue, lot.basis)),
    longTerm: today >= longTermFrom,
    longTermOn: longTermFrom,
  }
}
