import { type Job, type ResultOf, runJob } from '../../domain/analytics/jobs.ts'

/** Jobs that a thread does one after the other, and what it shares with the thread that watches it. */
export interface Chunk {
  readonly jobs: readonly Job[]
  /** By {@link sharedPlaces}. */
  readonly shared: Int32Array
  /** One number, 1 = whoever asked does not wait any longer. */
  readonly cancel: Int32Array
}

export const sharedPlaces = {
  /** Place of the job at work, plus one; 0 = not begun. */
  AT: 0,
} as const

/** A job's result, with the milliseconds it took; why there is none; undefined = it was stopped. */
export type JobAnswer =
  | { readonly result: ResultOf<Job>; readonly timeMs: number }
  | { readonly failure: string }
  | undefined

/** Does all jobs of a chunk. One that throws fails alone. */
export function runJobs(
  { jobs, shared, cancel }: Chunk,
  run: (job: Job, shouldStop: () => boolean) => ResultOf<Job> | undefined = runJob,
): readonly JobAnswer[] {
  const shouldStop = (): boolean => Atomics.load(cancel, 0) === 1
  return jobs.map((job, at) => {
    if (shouldStop()) return undefined
    Atomics.store(shared, sharedPlaces.AT, at + 1)
    const startedMs = performance.now()
    try {
      const result = run(job, shouldStop)
      return result && { result, timeMs: performance.now() - startedMs }
    } catch (error) {
      return { failure: String(error) }
    }
  })
}
