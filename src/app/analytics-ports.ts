import type { EpochDay } from '../domain/analytics/epoch-day.ts'
import type { Job, ResultOf } from '../domain/analytics/jobs.ts'
import type { PackedLedger } from '../domain/analytics/ledger-numbers.ts'
import type { Instant } from '../domain/time.ts'

/** What became of a job; `stopped` = nobody waited for it any longer. */
export type JobOutcome<Result> =
  | { readonly kind: 'done'; readonly result: Result; readonly timeMs: number }
  /** `reason` is UPPER_SNAKE_CASE. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'stopped' }

/** The jobs of one call. */
export interface AnalysisBatch {
  /** Does a few jobs on a thread, none of which may take longer than `jobMsMax`. Never rejects. */
  run<Kind extends Job>(
    jobs: readonly Kind[],
    jobMsMax: number,
  ): Promise<readonly JobOutcome<ResultOf<Kind>>[]>
  /** What runs stops within milliseconds, what waits does not begin. */
  cancel(): void
}

/** Threads for what would keep the serving one busy. */
export interface AnalysisPool {
  readonly threads: number
  /** Threads take a tenth of a second to start: meanwhile the database can be read. */
  start(): void
  openBatch(): AnalysisBatch
}

/** The last price of each UTC day that an instrument has, in order of day; as quoted. */
export interface CloseHistory {
  readonly instrumentId: string
  readonly currency: string
  readonly days: Int32Array
  readonly prices: Float64Array
  /** Of which moment's units each price is (`unitsOf`); undefined = that was not asked for. */
  readonly unitsOf: Float64Array | undefined
}

export interface DailyClose {
  readonly instrumentId: string
  readonly currency: string
  readonly day: EpochDay
  readonly price: number
  readonly unitsOf: Instant
}

export interface LedgerHead {
  readonly version: number
  readonly entryCount: number
}

/** Ledgers and prices as numbers, many in one read. */
export interface AnalyticsStore {
  /** Version and number of entries of the users that have a ledger. */
  heads(userIds: readonly string[]): Promise<ReadonlyMap<string, LedgerHead>>
  /** Of the users that have one; with only what had been recorded by `recordedUntil`, undefined = now. */
  ledgers(
    userIds: readonly string[],
    recordedUntil: Instant | undefined,
  ): Promise<readonly PackedLedger[]>
  /** Of the instruments that have quotes; `withUnits` costs more. */
  closes(
    instrumentIds: readonly string[],
    asked: { readonly recordedUntil: Instant | undefined; readonly withUnits: boolean },
  ): Promise<readonly CloseHistory[]>
  /**
   * Packs the closes of some instruments up to a month that has ended, so that they are read at once; gives how many
   * there were left to be packed: 0 = all are.
   */
  packCloses(now: Instant): Promise<number>
  /** As they are now, of every day of which a quote was recorded since, with the time to ask from next. */
  closesSince(
    recordedSince: Instant,
  ): Promise<{ readonly closes: readonly DailyClose[]; readonly recordedUntil: Instant }>
}
