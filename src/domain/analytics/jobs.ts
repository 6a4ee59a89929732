import { analyze, type AnalyzeJob, type AnalyzeResult } from './analyze-job.ts'
import { compareBenchmarks, type CompareJob, type CompareResult } from './compare-job.ts'
import { type HistoryJob, type HistoryRows, keepDays } from './history-job.ts'
import { reportPerformance, type ReportJob, type ReportResult } from './report-job.ts'

/** Work on one portfolio that a thread is handed; all of it survives being copied between threads. */
export type Job = AnalyzeJob | ReportJob | CompareJob | HistoryJob

export type ResultOf<Kind extends Job> = Kind extends AnalyzeJob
  ? AnalyzeResult
  : Kind extends ReportJob
    ? ReportResult
    : Kind extends CompareJob
      ? CompareResult
      : HistoryRows

/** Does a job; undefined when `shouldStop`, which is asked again and again, said so. */
export function runJob(job: Job, shouldStop: () => boolean): ResultOf<Job> | undefined {
  switch (job.kind) {
    case 'analyze':
      return analyze(job, shouldStop)
    case 'report':
      return reportPerformance(job, shouldStop)
    case 'compare':
      return compareBenchmarks(job, shouldStop)
    case 'history':
      return keepDays(job, shouldStop)
  }
}
