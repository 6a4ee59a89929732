import type { QuoteSource } from '../../domain/market-data/quote.ts'
import { foldLedger } from '../../domain/portfolio/fold-ledger.ts'
import { DEFAULT_SETTINGS, type PortfolioState } from '../../domain/portfolio/state.ts'
import type { Instant } from '../../domain/time.ts'
import { quotesAsOf } from '../market-data/past-quotes.ts'
import type { CallContext, LedgerFilter, PortfolioStore, QuoteStore } from '../ports.ts'

interface PastPorts {
  readonly portfolios: PortfolioStore
  readonly quoteStore: QuoteStore
}

/** A state that was, with the prices that were known. */
export interface PastState {
  readonly state: PortfolioState
  readonly quotes: QuoteSource
}

/** The state that a version left, with the prices of the moment it was recorded. */
export async function stateOfVersion(
  ports: PastPorts,
  userId: string,
  { version, reportingCurrency }: { version: number; reportingCurrency: string | undefined },
  call: CallContext,
): Promise<PastState> {
  const state = await foldFiltered(ports, userId, { versionUntil: version }, call)
  const quotes = await quotesAsOf(ports.quoteStore, state, {
    at: state.lastRecordedAt,
    recordedUntil: state.lastRecordedAt,
    reportingCurrency,
  })
  return { state, quotes }
}

/** Holdings and prices of `at`, from what had been recorded by `recordedUntil`: decision 37. */
export async function stateAsOf(
  ports: PastPorts,
  userId: string,
  when: { at: Instant; recordedUntil: Instant | undefined; reportingCurrency: string | undefined },
  call: CallContext,
): Promise<PastState> {
  const filter = {
    effectiveUntil: when.at,
    ...(when.recordedUntil === undefined ? {} : { recordedUntil: when.recordedUntil }),
  }
  const state = await foldFiltered(ports, userId, filter, call)
  return { state, quotes: await quotesAsOf(ports.quoteStore, state, when) }
}

async function foldFiltered(
  ports: PastPorts,
  userId: string,
  filter: LedgerFilter,
  call: CallContext,
): Promise<PortfolioState> {
  const [entries, present] = await Promise.all([
    ports.portfolios.ledger(userId, filter),
    ports.portfolios.read(userId, call),
  ])
  return foldLedger(userId, entries, present?.state.settings ?? DEFAULT_SETTINGS)
}
