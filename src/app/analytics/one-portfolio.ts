import { dayNumberOf, dayText, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { Job, ResultOf } from '../../domain/analytics/jobs.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import { invalidRequest, PortfolioError } from '../../domain/errors.ts'
import type { Instant } from '../../domain/time.ts'
import type { CallContext } from '../ports.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import { closesKnownAt } from './resident-prices.ts'
import { prepareLedgers, type Prices } from './valued-ledger.ts'

/**
 * Longer than any portfolio takes: what goes on hangs. The lease of the kept history lasts longer: what hung has to be
 * postponed under it.
 */
export const JOB_HANGS_AFTER_MS = 10_000

/** Which state of knowledge and which currency an analysis is of. */
export interface AnalysisView {
  readonly userId: string
  /** The valuation date; undefined = now. */
  readonly effectiveAt: Instant | undefined
  /** Undefined = whenever. */
  readonly recordedUntil: Instant | undefined
  /** Undefined = the portfolio's own. */
  readonly reportingCurrency: string | undefined
}

export interface AnalyzedPortfolio {
  /** With its corporate actions in it. */
  readonly ledger: PackedLedger
  /** Instruments of which some action is not. */
  readonly leftOut: ReadonlySet<string>
  readonly prices: Prices
  readonly reportingCurrency: string
  /** Of the valuation date, in the portfolio's time zone. */
  readonly today: EpochDay
  /** The state of knowledge; undefined = the present one. */
  readonly recordedUntil: Instant | undefined
}

/**
 * A portfolio's ledger with its prices, and those of `more` instruments, present.
 * @throws PortfolioError PORTFOLIO_NOT_FOUND, DATABASE_UNAVAILABLE.
 */
export async function readPortfolio(
  ports: AnalyticsPorts,
  { userId, effectiveAt, recordedUntil, reportingCurrency }: AnalysisView,
  more: readonly string[] = [],
): Promise<AnalyzedPortfolio> {
  ports.pool.start()
  const read = await readLedger(ports, userId, recordedUntil)
  if (read === undefined) {
    throw new PortfolioError('PORTFOLIO_NOT_FOUND', 'no such portfolio')
  }
  const prices =
    recordedUntil === undefined ? ports.prices : await closesKnownAt(ports, recordedUntil)
  const wanted = { recordedUntil, reportingCurrency, more }
  const [acted] = await prepareLedgers({ ...ports, prices }, [read], wanted)
  const { ledger, leftOut } = acted ?? { ledger: read, leftOut: new Set() }
  return {
    ledger,
    leftOut,
    prices,
    reportingCurrency: reportingCurrency ?? ledger.baseCurrency,
    today: dayNumberOf(effectiveAt ?? ports.clock.now(), ledger.timeZone),
    recordedUntil,
  }
}

/**
 * Of a period that begins after the valuation date nothing can be said; which day that is, the portfolio's time zone
 * tells.
 * @throws PortfolioError PERIOD_INVALID with each of them, under its `field`.
 */
export function refuseFutureStarts(
  periods: readonly { readonly field: string; readonly fromDay: EpochDay | undefined }[],
  { today }: AnalyzedPortfolio,
): void {
  const description = `must not be after the valuation date, ${dayText(today)}`
  const future = periods.filter(({ fromDay = -Infinity }) => fromDay > today)
  if (future.length === 0) return
  throw invalidRequest(
    future.map(({ field }) => ({ field, reason: 'PERIOD_INVALID', description })),
  )
}

async function readLedger(
  { store, ledgers }: AnalyticsPorts,
  userId: string,
  recordedUntil: Instant | undefined,
): Promise<PackedLedger | undefined> {
  if (recordedUntil !== undefined) return (await store.ledgers([userId], recordedUntil))[0]
  const head = (await store.heads([userId])).get(userId)
  if (head === undefined) return undefined
  const kept = ledgers.get(userId, head.version)
  if (kept !== undefined) return kept
  const [read] = await store.ledgers([userId], undefined)
  if (read !== undefined) ledgers.put(read)
  return read
}

/**
 * Does one job on a thread.
 * @throws PortfolioError ANALYSIS_FAILED when the thread could not do it, CANCELLED when nobody waits any longer.
 */
export async function runOne<Kind extends Job>(
  { pool }: AnalyticsPorts,
  job: Kind,
  call: CallContext,
): Promise<ResultOf<Kind>> {
  const batch = pool.openBatch()
  const cancel = (): void => batch.cancel()
  call.signal.addEventListener('abort', cancel)
  if (call.hasEnded) cancel()
  try {
    const [outcome] = await batch.run([job], JOB_HANGS_AFTER_MS)
    if (outcome?.kind === 'done') return outcome.result
    if (outcome?.kind === 'failed') {
      throw new PortfolioError('ANALYSIS_FAILED', 'the analysis could not be done', {
        metadata: { cause: outcome.reason },
      })
    }
    throw new PortfolioError('CANCELLED', 'the caller has left')
  } finally {
    call.signal.removeEventListener('abort', cancel)
  }
}
