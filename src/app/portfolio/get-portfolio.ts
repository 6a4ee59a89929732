import { PortfolioError } from '../../domain/errors.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import { expiryOf } from '../../domain/portfolio/expiry.ts'
import { etagOf, type PortfolioState } from '../../domain/portfolio/state.ts'
import { pricesDigest } from '../../domain/portfolio/summary.ts'
import { valuePortfolio } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import type { CallContext, Clock, LedgerFilter, PortfolioStore, QuoteStore } from '../ports.ts'
import { dueActions } from '../market-data/due-actions.ts'
import { currencyEffects } from './currency-effects.ts'
import { stateAsOf } from './past-state.ts'
import type { PortfolioView } from './portfolio-view.ts'
import { type RecentViews, UsedQuotes } from './recent-views.ts'

export interface GetPortfolioQuery {
  readonly userId: string
  /** Undefined = the present. */
  readonly at: Instant | undefined
  readonly recordedUntil: Instant | undefined
  /** Undefined = the portfolio's base currency. */
  readonly reportingCurrency: string | undefined
  /** An earlier answer's etag, whole. */
  readonly ifNoneMatch: string | undefined
  /** The answer's version is at least this. */
  readonly versionMin: number | undefined
}

/**
 * GET /portfolio: the present state valued with the newest quotes, or holdings and prices of a past moment.
 * A view of `recent` serves again while nothing it says has changed.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND, ETAG_MISMATCH when the state is older than `versionMin`.
 */
export async function getPortfolio(
  ports: {
    readonly clock: Clock
    readonly portfolios: PortfolioStore
    readonly quotes: QuoteSource
    readonly quoteStore: QuoteStore
  },
  query: GetPortfolioQuery,
  call: CallContext,
  recent?: RecentViews,
): Promise<PortfolioView> {
  const { versionMin } = query
  // Before the state: what is recorded meanwhile may be in it, and then its view does not serve again.
  const due = dueActions(ports.quotes, ports.clock.now())
  const present = await ports.portfolios.read(query.userId, call, { versionMin })
  if (present === undefined) {
    throw new PortfolioError('PORTFOLIO_NOT_FOUND', 'no portfolio is kept for that user')
  }
  if (versionMin !== undefined && present.state.version < versionMin) {
    throw new PortfolioError('ETAG_MISMATCH', 'the portfolio is older than min_etag')
  }
  const view = await viewOf(ports, query, { present, recent, due })
  return query.ifNoneMatch === view.etag ? { ...view, notModified: true } : view
}

type Present = NonNullable<Awaited<ReturnType<PortfolioStore['read']>>>

async function viewOf(
  ports: Parameters<typeof getPortfolio>[0],
  query: GetPortfolioQuery,
  { present, recent, due }: { present: Present; recent: RecentViews | undefined; due: DueActions },
): Promise<PortfolioView> {
  const computedAt = ports.clock.now()
  const stateEtag = etagOf(present.state)
  const isPresent = query.at === undefined && query.recordedUntil === undefined
  const { baseCurrency } = present.state.settings
  const reportingCurrency = query.reportingCurrency ?? baseCurrency
  const wanted = { stateEtag, reportingCurrency, now: computedAt }
  const found = isPresent ? recent?.find(query.userId, wanted) : undefined
  if (found !== undefined) return found
  const { state, quotes, at, cached } = await chooseState(ports, query, { present, computedAt })
  const used = new UsedQuotes(quotes, due)
  const valuation = valuePortfolio(state, used, at, query.reportingCurrency)
  const effects = await currencyEffects(
    ports,
    { state, filter: filterOf(query, present.state) },
    valuation,
  )
  const view: PortfolioView = {
    userId: query.userId,
    version: state.version,
    etag: `${stateEtag}.${pricesDigest(valuation)}`,
    notModified: false,
    valuation,
    effects,
    at: query.at,
    recordedUntil: query.recordedUntil,
    cached,
    computedAt,
    expiresAt: expiryOf(valuation, quotes, {
      now: computedAt,
      at: query.at,
      recordedUntil: query.recordedUntil,
      spread: 2 * Math.random() - 1,
    }),
  }
  // Whoever gets it next gets it from a cache, wherever its positions came from.
  if (isPresent) recent?.keep(stateEtag, used, cached ? view : { ...view, cached: true })
  return view
}

/** The entries that the state of a query was folded from. */
function filterOf({ at, recordedUntil }: GetPortfolioQuery, present: PortfolioState): LedgerFilter {
  return {
    versionUntil: present.version,
    ...(at !== undefined && { effectiveUntil: at }),
    ...(recordedUntil !== undefined && { recordedUntil }),
  }
}

async function chooseState(
  ports: Parameters<typeof getPortfolio>[0],
  query: GetPortfolioQuery,
  {
    present,
    computedAt,
  }: {
    present: Present
    computedAt: Instant
  },
): Promise<{ state: PortfolioState; quotes: QuoteSource; at: Instant; cached: boolean }> {
  if (query.at === undefined && query.recordedUntil === undefined) {
    return { ...present, quotes: ports.quotes, at: computedAt }
  }
  const at = query.at ?? computedAt
  const when = {
    at,
    recordedUntil: query.recordedUntil,
    reportingCurrency: query.reportingCurrency,
  }
  return { ...(await stateAsOf(ports, present.state, when)), at }
}
