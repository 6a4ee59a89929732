import { PortfolioError } from '../../domain/errors.ts'
import { startOfDay } from '../../domain/portfolio/calendar-day.ts'
import { instrumentIdOf } from '../../domain/market-data/instrument.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import type { CallContext, Clock, LedgerPageQuery, ListedEntry, PortfolioStore } from '../ports.ts'

export interface ListTransactionsQuery extends Omit<
  LedgerPageQuery,
  'sequenceUntil' | 'effectiveFrom' | 'effectiveUntil'
> {
  /** As symbols of today; empty = all. */
  readonly instrumentIds: readonly string[]
  /** From an earlier page; undefined = the first page. */
  readonly sequenceUntil: number | undefined
  /** Days ("YYYY-MM-DD") in the portfolio's time zone, both included; undefined = no bound. */
  readonly startDay: string | undefined
  readonly endDay: string | undefined
}

export interface TransactionPage {
  readonly entries: readonly ListedEntry[]
  /** Where the next page begins; undefined = there is none. */
  readonly next: Required<Pick<LedgerPageQuery, 'after' | 'sequenceUntil'>> | undefined
  readonly baseCurrency: string
}

const DAY_MS = 86_400_000

/**
 * A page of a user's ledger. What is recorded while somebody pages does not appear, so that no page shifts.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND.
 */
export async function listTransactions(
  ports: {
    readonly clock: Clock
    readonly portfolios: PortfolioStore
    readonly quotes: QuoteSource
  },
  userId: string,
  query: ListTransactionsQuery,
  call: CallContext,
): Promise<TransactionPage> {
  const present = await ports.portfolios.read(userId, call)
  if (present === undefined) {
    throw new PortfolioError('PORTFOLIO_NOT_FOUND', 'no portfolio is kept for that user')
  }
  const { timeZone, baseCurrency } = present.state.settings
  const { startDay, endDay, size } = query
  const sequenceUntil = query.sequenceUntil ?? present.state.lastSequence
  const entries = await ports.portfolios.ledgerPage(userId, {
    ...query,
    instrumentIds: query.instrumentIds.map((symbol) =>
      instrumentIdOf(ports.quotes.instruments, symbol, ports.clock.now()),
    ),
    sequenceUntil,
    // One more tells whether there is a next page.
    size: size + 1,
    effectiveFrom: startDay === undefined ? undefined : startOfDay(startDay, timeZone),
    effectiveUntil: endDay === undefined ? undefined : startOfDay(dayAfter(endDay), timeZone) - 1,
  })
  const shown = entries.slice(0, size)
  const last = shown.at(-1)?.entry
  const next =
    entries.length > size && last !== undefined ? { after: last, sequenceUntil } : undefined
  return { entries: shown, next, baseCurrency }
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10)
}
