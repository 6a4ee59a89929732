import type { ChangeOutcome, ChangeRequest, Telemetry } from '../../app/ports.ts'
import { PortfolioError } from '../../domain/errors.ts'
import { Batch, type BatchLimits, type BatchPorts, type Verdict } from './batch.ts'
import { classifyFailure } from './failure.ts'

type Request = ChangeRequest<unknown>

interface Job {
  readonly request: Request
  readonly resolve: (outcome: ChangeOutcome<unknown>) => void
  readonly reject: (error: unknown) => void
}

/** Transactions under way at once: one decides while the others wait for the database and its disk. */
const COMMITTERS = 3
const BATCH_USERS_MAX = 256
const BATCH_ENTRIES_MAX = 4_000
/** Requests waiting in all, and of one user; beyond them the caller is told to come back. */
const QUEUE_MAX = 10_000
const QUEUE_PER_USER_MAX = 256
const RETRY_AFTER_MS = 100
/** A shared batch waits for nobody: neither for a long replay nor for a user whom another replica has locked. */
const SHARED: BatchLimits = { replayEntriesMax: 2_000, waitForLocks: false }
const ALONE: BatchLimits = { replayEntriesMax: Infinity, waitForLocks: true }
/** Requests decided alone at once, beside the committers; long replays go one at a time. */
const WAITING_MAX = 4
/** A request with less time left than this does not join a batch: its answer would come too late. */
const TIME_LEFT_MIN_MS = 5
const ATTEMPTS_MAX = 4
/** A restart of the database fits into these attempts: a lost commit is worth waiting for. */
const RESOLVE_ATTEMPTS_MAX = 12
const BACKOFF_MIN_MS = 10
const BACKOFF_MAX_MS = 1_000

interface GroupCommitPorts extends BatchPorts {
  readonly telemetry: Telemetry
}

/**
 * The write path's queue (architecture, "The write path"): concurrent requests of different users share a
 * transaction, requests of one user go one after the other. A batch never waits to fill.
 */
export class GroupCommit {
  readonly #ports: GroupCommitPorts
  /** Waiting jobs by user, first come first served; a user with a job under way is not in `#ready`. */
  readonly #waiting = new Map<string, Job[]>()
  readonly #ready = new Set<string>()
  readonly #inFlight = new Set<string>()
  #queued = 0
  #committing = 0
  #pumpScheduled = false
  readonly #replays = new Lane(1)
  readonly #waits = new Lane(WAITING_MAX)

  constructor(ports: GroupCommitPorts) {
    this.#ports = ports
  }

  submit(request: Request): Promise<ChangeOutcome<unknown>> {
    const waiting = this.#waiting.get(request.userId)
    if (this.#queued >= QUEUE_MAX || (waiting?.length ?? 0) >= QUEUE_PER_USER_MAX) {
      const full = new PortfolioError('WRITE_QUEUE_FULL', 'too many writes are waiting', {
        retryAfterMs: RETRY_AFTER_MS,
      })
      return Promise.reject(full)
    }
    return new Promise((resolve, reject) => {
      const job = { request, resolve, reject }
      if (waiting === undefined) this.#waiting.set(request.userId, [job])
      else waiting.push(job)
      this.#queued += 1
      if (!this.#inFlight.has(request.userId)) this.#ready.add(request.userId)
      this.#schedulePump()
    })
  }

  /** Once in a turn of the event loop, so that requests that arrived together commit together. */
  #schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    setImmediate(() => {
      this.#pumpScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#committing < COMMITTERS) {
      const jobs = this.#take()
      if (jobs.length === 0) return
      this.#committing += 1
      void this.#commit(jobs, SHARED, 1).finally(() => {
        this.#committing -= 1
        this.#schedulePump()
      })
    }
  }

  /** The first waiting job of each ready user, up to the batch's limits; expired ones are answered on the way. */
  #take(): readonly Job[] {
    const jobs: Job[] = []
    let entries = 0
    for (const userId of this.#ready) {
      if (jobs.length >= BATCH_USERS_MAX || entries >= BATCH_ENTRIES_MAX) break
      const job = this.#next(userId)
      this.#ready.delete(userId)
      if (job === undefined) continue
      entries += job.request.entryCount
      this.#inFlight.add(userId)
      jobs.push(job)
    }
    return jobs
  }

  #next(userId: string): Job | undefined {
    const waiting = this.#waiting.get(userId) ?? []
    let next: Job | undefined
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      this.#queued -= 1
      if (!this.#refuseExpired(job)) {
        next = job
        break
      }
    }
    if (waiting.length === 0) this.#waiting.delete(userId)
    return next
  }

  #refuseExpired({ request, reject }: Job): boolean {
    const left = request.call.deadlineMs - this.#ports.clock.monotonicMs()
    if (!request.call.hasEnded && left >= TIME_LEFT_MIN_MS) return false
    reject(new PortfolioError('DEADLINE_EXCEEDED', 'the deadline passed before the write began'))
    return true
  }

  async #commit(jobs: readonly Job[], limits: BatchLimits, attempt: number): Promise<void> {
    const started = this.#ports.clock.monotonicMs()
    const [first, ...others] = jobs
    if (first === undefined) return
    const span = first.request.call.span.child(
      'postgres.group_commit',
      others.map((job) => job.request.call.span),
    )
    span.setAttribute('portfolio.batch_size', jobs.length)
    const batch = new Batch(
      this.#ports,
      jobs.map((job) => job.request),
      limits,
    )
    let verdicts
    try {
      verdicts = await batch.run()
    } catch (error) {
      span.fail(error)
      span.end()
      await this.#recover(jobs, { batch, error, limits, attempt })
      return
    }
    span.end()
    this.#ports.telemetry.batchCommitted(jobs.length, this.#ports.clock.monotonicMs() - started)
    this.#settle(jobs, verdicts)
  }

  #settle(jobs: readonly Job[], verdicts: ReadonlyMap<Request, Verdict>): void {
    for (const job of jobs) {
      const verdict = verdicts.get(job.request)
      if (verdict === undefined) throw new Error('a request without a verdict')
      switch (verdict.kind) {
        case 'answered':
          job.resolve(verdict.outcome)
          break
        case 'failed':
          job.reject(verdict.error)
          break
        // Their users stay in flight meanwhile.
        case 'too-long':
          this.#replays.run(() => this.#commit([job], ALONE, 1))
          continue
        case 'locked':
          this.#waits.run(() => this.#commit([job], ALONE, 1))
          continue
      }
      this.#release(job)
    }
  }

  #release({ request: { userId } }: Job): void {
    this.#inFlight.delete(userId)
    if (!this.#waiting.has(userId)) return
    this.#ready.add(userId)
    this.#schedulePump()
  }

  async #recover(
    jobs: readonly Job[],
    failed: { batch: Batch; error: unknown; limits: BatchLimits; attempt: number },
  ): Promise<void> {
    const { error, limits, attempt } = failed
    const failure = classifyFailure(error)
    this.#ports.telemetry.batchFailed(failure)
    if (failure === 'poison') {
      await this.#halve(jobs, error, limits)
      return
    }
    const undecided = failure === 'unknown' ? await this.#resolveUnknown(jobs, failed.batch) : jobs
    if (undecided.length === 0) return
    if (attempt >= ATTEMPTS_MAX) {
      for (const job of undecided) this.#fail(job, unavailable('nothing was written', error))
      return
    }
    await backOff(attempt)
    const live = undecided.filter((job) => !this.#expire(job))
    await this.#commit(live, limits, attempt + 1)
  }

  async #halve(jobs: readonly Job[], error: unknown, limits: BatchLimits): Promise<void> {
    const [only] = jobs
    if (jobs.length === 1 && only !== undefined) {
      this.#fail(only, error)
      return
    }
    const middle = Math.ceil(jobs.length / 2)
    await this.#commit(jobs.slice(0, middle), limits, 1)
    await this.#commit(jobs.slice(middle), limits, 1)
  }

  /** Settles what turns out to be committed; gives back the jobs that certainly were not. */
  async #resolveUnknown(jobs: readonly Job[], batch: Batch): Promise<readonly Job[]> {
    let lastError: unknown
    for (let attempt = 1; attempt <= RESOLVE_ATTEMPTS_MAX; attempt += 1) {
      await backOff(attempt)
      try {
        const verdicts = await batch.resolveOutcome()
        this.#settle(
          jobs.filter((job) => verdicts.has(job.request)),
          verdicts,
        )
        return jobs.filter((job) => !verdicts.has(job.request))
      } catch (error) {
        lastError = error
      }
    }
    const message =
      'the outcome is unknown: ask again with the same idempotency key, or list what was written'
    for (const job of jobs) this.#fail(job, unavailable(message, lastError, { outcome: 'unknown' }))
    return []
  }

  #expire(job: Job): boolean {
    if (!this.#refuseExpired(job)) return false
    this.#release(job)
    return true
  }

  #fail(job: Job, error: unknown): void {
    job.reject(error)
    this.#release(job)
  }
}

/** Runs tasks in order, at most so many at once. As many wait as there are users with a request under way. */
class Lane {
  readonly #sizeMax: number
  readonly #tasks: (() => Promise<void>)[] = []
  #running = 0

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  run(task: () => Promise<void>): void {
    this.#tasks.push(task)
    this.#next()
  }

  #next(): void {
    if (this.#running >= this.#sizeMax) return
    const task = this.#tasks.shift()
    if (task === undefined) return
    this.#running += 1
    void task().finally(() => {
      this.#running -= 1
      this.#next()
    })
  }
}

function unavailable(
  message: string,
  cause: unknown,
  metadata: Readonly<Record<string, string>> = {},
): PortfolioError {
  return new PortfolioError('DATABASE_UNAVAILABLE', `the database is unavailable: ${message}`, {
    cause,
    metadata,
    retryAfterMs: RETRY_AFTER_MS,
  })
}

/** Full jitter below a bound that doubles with each attempt. */
async function backOff(attempt: number): Promise<void> {
  const boundMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 4 * 2 ** attempt)
  const delayMs = BACKOFF_MIN_MS + Math.random() * (boundMs - BACKOFF_MIN_MS)
  await new Promise((resolve) => setTimeout(resolve, delayMs))
}
