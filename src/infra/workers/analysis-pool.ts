import { isNativeError } from 'node:util/types'
import { Piscina } from 'piscina'
import type { AnalysisBatch, AnalysisPool, JobOutcome } from '../../app/analysis-pool.ts'
import type { Job, ResultOf } from '../../domain/analytics/jobs.ts'
import { type Chunk, type JobAnswer, sharedPlaces } from './chunk.ts'

const WATCH_MS = 10
/** What goes on after its cancelling hangs. */
const CANCELLED_MS_MAX = 100
/** A chunk whose thread ends before its first job is tried this often. */
const STARTS_MAX = 3
/** Of one thread. */
const HEAP_MEBIBYTES = 256

/** A chunk that a thread has or will have. */
interface Flight {
  readonly shared: Int32Array
  readonly cancel: Int32Array
  /** Aborting ends the thread: only for one that does not come back by itself. */
  readonly thread: AbortController
  readonly jobMsMax: number
  at: number
  sinceMs: number
}

/**
 * Threads that do jobs. One that crashes, runs out of memory or hangs takes down its job alone: the thread is
 * replaced and the other jobs of its chunk are done again.
 */
export function openAnalysisPool(options: {
  readonly threads: number
  /** The file that threads run; tests have one that misbehaves. */
  readonly entry?: URL
  readonly onFailure: (error: unknown) => void
}): AnalysisPool & { close(): Promise<void> } {
  const { threads, entry = ownEntry(), onFailure } = options
  let pool: Piscina | undefined
  // Started when they are first needed; from then on one that is lost is replaced at once.
  const startPool = (): Piscina => {
    if (pool !== undefined) return pool
    pool = new Piscina({
      filename: entry.href,
      name: 'runChunk',
      minThreads: threads,
      maxThreads: threads,
      // TypeScript as it stands is read in development alone.
      execArgv: entry.pathname.endsWith('.ts') ? ['--import', 'tsx'] : ['--enable-source-maps'],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES },
      recordTiming: false,
    })
    pool.on('error', onFailure)
    return pool
  }
  const flights = new Set<Flight>()
  const watch = new Watch(flights)
  const start = async (chunk: Chunk, jobMsMax: number): Promise<readonly JobAnswer[]> => {
    const flight: Flight = {
      ...chunk,
      thread: new AbortController(),
      jobMsMax,
      at: 0,
      sinceMs: performance.now(),
    }
    flights.add(flight)
    watch.start()
    try {
      // The worker's own type is what it says it returns.
      return (await startPool().run(chunk, {
        signal: flight.thread.signal,
      })) as readonly JobAnswer[]
    } finally {
      flights.delete(flight)
    }
  }
  return {
    threads,
    start: () => void startPool(),
    openBatch: () => openBatch(start),
    close: async () => {
      watch.stop()
      await pool?.destroy()
    },
  }
}

function ownEntry(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./analysis.worker.${extension}`, import.meta.url)
}

function sharedNumbers(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT))
}

function openBatch(
  start: (chunk: Chunk, jobMsMax: number) => Promise<readonly JobAnswer[]>,
): AnalysisBatch {
  const cancel = sharedNumbers(1)
  return {
    cancel: () => void Atomics.store(cancel, 0, 1),
    run: async <Kind extends Job>(jobs: readonly Kind[], jobMsMax: number) => {
      const outcomes: JobOutcome<ResultOf<Kind>>[] = jobs.map(() => ({ kind: 'stopped' }))
      let waiting = jobs.map((job, place) => ({ job, place }))
      for (let starts = 1; waiting.length > 0 && Atomics.load(cancel, 0) === 0;) {
        const chunk = { jobs: waiting.map(({ job }) => job), shared: sharedNumbers(1), cancel }
        try {
          const answers = await start(chunk, jobMsMax)
          for (const [at, { place }] of waiting.entries()) {
            outcomes[place] = outcomeOf<ResultOf<Kind>>(answers[at])
          }
          return outcomes
        } catch (error) {
          const at = Atomics.load(chunk.shared, sharedPlaces.AT) - 1
          if (at < 0) starts += 1
          if (at < 0 && starts <= STARTS_MAX) continue
          // The job at work took the thread down; where there was none, nobody can tell which one would.
          const lost = at < 0 ? waiting : waiting.slice(at, at + 1)
          for (const { place } of lost)
            outcomes[place] = { kind: 'failed', reason: reasonOf(error) }
          waiting = waiting.filter((each) => !lost.includes(each))
        }
      }
      return outcomes
    },
  }
}

function outcomeOf<Result>(answer: JobAnswer): JobOutcome<Result> {
  if (answer === undefined) return { kind: 'stopped' }
  if ('failure' in answer) return { kind: 'failed', reason: 'ANALYSIS_FAILED' }
  // A job's result is that of its kind.
  return { kind: 'done', result: answer.result as Result, timeMs: answer.timeMs }
}

function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return 'ANALYSIS_CRASHED'
  if (error.name === 'AbortError') return 'ANALYSIS_HUNG'
  return Reflect.get(error, 'code') === 'ERR_WORKER_OUT_OF_MEMORY'
    ? 'ANALYSIS_OUT_OF_MEMORY'
    : 'ANALYSIS_CRASHED'
}

/** Looks after all chunks under way with one timer, which runs only while there are any. */
class Watch {
  readonly #flights: ReadonlySet<Flight>
  #timer: NodeJS.Timeout | undefined

  constructor(flights: ReadonlySet<Flight>) {
    this.#flights = flights
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), WATCH_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    if (this.#flights.size === 0) {
      this.stop()
      return
    }
    const nowMs = performance.now()
    for (const flight of this.#flights) {
      const at = Atomics.load(flight.shared, sharedPlaces.AT)
      if (at !== flight.at || at === 0) {
        flight.at = at
        flight.sinceMs = nowMs
        continue
      }
      const isCancelled = Atomics.load(flight.cancel, 0) === 1
      const timeMsMax = isCancelled ? CANCELLED_MS_MAX : flight.jobMsMax
      if (nowMs - flight.sinceMs > timeMsMax) flight.thread.abort()
    }
  }
}
