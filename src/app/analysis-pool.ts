import type { Job, ResultOf } from '../domain/analytics/jobs.ts'

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
