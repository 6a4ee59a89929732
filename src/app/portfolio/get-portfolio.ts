import { PortfolioError } from '../../domain/errors.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import { expiryOf } from '../../domain/portfolio/expiry.ts'
import { etagOf, type PortfolioState } from '../../domain/portfolio/state.ts'
import { pricesDigest } from '../../domain/portfolio/summary.ts'
import { valuePortfolio } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import type {
  CallContext,
  Clock,
  LedgerFilter,
  PortfolioStore,
  QuoteStore,
  StateSource,
} from '../ports.ts'
import { dueActions } from '../market-data/due-actions.ts'
import { currencyEffects } from './currency-effects.ts'
import { stateAsOf } from './past-state.ts'
import type { PortfolioView, ViewFacts } from './portfolio-view.ts'
import { type Answered, factsOf, type RecentAnswers, UsedQuotes } from './recent-answers.ts'

interface PortfolioQuery {
  readonly userId: string
  /** Undefined = the present. */
  readonly at: Instant | undefined
  readonly recordedUntil: Instant | undefined
  /** Undefined = the portfolio's base currency. */
  readonly reportingCurrency: string | undefined
  /** The view's version is at least this. */
  readonly versionMin: number | undefined
}

export interface GetPortfolioQuery extends PortfolioQuery {
  /** An earlier answer's etag, whole. */
  readonly ifNoneMatch: string | undefined
}

interface GetPortfolioPorts {
  readonly clock: Clock
  readonly portfolios: PortfolioStore
  readonly quotes: QuoteSource
  readonly quoteStore: QuoteStore
}

/**
 * GET /portfolio: the present state valued with the newest quotes, or holdings and prices of a past moment.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND, ETAG_MISMATCH when the state is older than `versionMin`.
 */
export async function getPortfolio(
  ports: GetPortfolioPorts,
  query: PortfolioQuery,
  call: CallContext,
): Promise<PortfolioView> {
  return (await viewOf(ports, query, await readPresent(ports, query, call))).view
}

/**
 * The same as an answer, which `write` makes of a view; one of `recent` serves again while nothing it says has changed.
 * Without an answer, nothing was modified.
 * @throws PortfolioError like {@link getPortfolio}.
 */
export async function answerPortfolio<Answer>(
  ports: GetPortfolioPorts,
  query: GetPortfolioQuery,
  call: CallContext,
  { recent, write }: { recent: RecentAnswers<Answer>; write: (view: PortfolioView) => Answer },
): Promise<Answered<Answer>> {
  const present = await readPresent(ports, query, call)
  const { stateEtag, computedAt: now, reportingCurrency } = present
  const found = isOfPresent(query)
    ? recent.find(query.userId, { stateEtag, reportingCurrency, now })
    : undefined
  if (found !== undefined && found.facts.etag === query.ifNoneMatch) return notModified(found.facts)
  if (found?.answer !== undefined) return found
  const { view, used } = await viewOf(ports, query, present)
  const isKnown = query.ifNoneMatch === view.etag
  const answer = isKnown ? undefined : write(view)
  // What came from the database comes from a cache the next time, and says so.
  if (isOfPresent(query) && view.cached) recent.keep(stateEtag, used, view, answer)
  return isKnown ? notModified(view) : { facts: factsOf(view), answer }
}

function notModified(facts: ViewFacts): Answered<never> {
  return { facts: { ...factsOf(facts), notModified: true }, answer: undefined }
}

function isOfPresent({ at, recordedUntil }: PortfolioQuery): boolean {
  return at === undefined && recordedUntil === undefined
}

interface Present {
  readonly state: PortfolioState
  readonly source: StateSource
  /** The corporate actions that are in the state, at least. */
  readonly due: DueActions
  readonly computedAt: Instant
  readonly stateEtag: string
  readonly reportingCurrency: string
}

async function readPresent(
  { clock, portfolios, quotes }: GetPortfolioPorts,
  { userId, versionMin, reportingCurrency }: PortfolioQuery,
  call: CallContext,
): Promise<Present> {
  // Before the state: what is recorded meanwhile may be in it, and then its answer does not serve again.
  const due = dueActions(quotes, clock.now())
  const present = await portfolios.read(userId, call, { versionMin })
  if (present === undefined) {
    throw new PortfolioError('PORTFOLIO_NOT_FOUND', 'no portfolio is kept for that user')
  }
  const { state, source } = present
  if (versionMin !== undefined && state.version < versionMin) {
    throw new PortfolioError('ETAG_MISMATCH', 'the portfolio is older than min_etag')
  }
  return {
    state,
    source,
    due,
    computedAt: clock.now(),
    stateEtag: etagOf(state),
    reportingCurrency: reportingCurrency ?? state.settings.baseCurrency,
  }
}

async function viewOf(
  ports: GetPortfolioPorts,
  query: PortfolioQuery,
  present: Present,
): Promise<{ readonly view: PortfolioView; readonly used: UsedQuotes }> {
  const { computedAt } = present
  const { state, quotes, at, cached, isHeld } = await chooseState(ports, query, present)
  const used = new UsedQuotes(quotes, present.due)
  const valuation = valuePortfolio(state, used, at, query.reportingCurrency)
  const effects = await currencyEffects(
    ports,
    { state, filter: filterOf(query, present.state) },
    valuation,
  )
  const { completeness, pricedAt } = valuation.quality
  const view: PortfolioView = {
    userId: query.userId,
    version: state.version,
    etag: `${present.stateEtag}.${pricesDigest(valuation)}`,
    notModified: false,
    completeness,
    pricedAt,
    valuation,
    effects,
    isHeld,
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
  return { view, used }
}

/** The entries that the state of a query was folded from. */
function filterOf({ at, recordedUntil }: PortfolioQuery, present: PortfolioState): LedgerFilter {
  return {
    versionUntil: present.version,
    ...(at !== undefined && { effectiveUntil: at }),
    ...(recordedUntil !== undefined && { recordedUntil }),
  }
}

interface ChosenState extends Pick<PortfolioView, 'cached' | 'isHeld'> {
  readonly state: PortfolioState
  readonly quotes: QuoteSource
  readonly at: Instant
}

async function chooseState(
  ports: GetPortfolioPorts,
  query: PortfolioQuery,
  { state, source, computedAt }: Present,
): Promise<ChosenState> {
  if (isOfPresent(query)) {
    const [cached, isHeld] = [source !== 'database', source === 'memory']
    return { state, quotes: ports.quotes, at: computedAt, cached, isHeld }
  }
  const at = query.at ?? computedAt
  const when = {
    at,
    recordedUntil: query.recordedUntil,
    reportingCurrency: query.reportingCurrency,
  }
  const past = await stateAsOf(ports, state, when)
  return { ...past, at, isHeld: past.cached }
}
