import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { AnalyzeJob, AnalyzeResult } from '../../domain/analytics/analyze-job.ts'
import { dayNumberOf, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import type { PerformanceFigures, RiskFigures } from '../../domain/analytics/measures.ts'
import type { Figure } from '../../domain/analytics/figure.ts'
import type { ActedLedger } from '../../domain/analytics/fold-actions.ts'
import { concentration } from '../../domain/analytics/risk-ratios.ts'
import type { Quality } from '../../domain/portfolio/quality.ts'
import type { AnalysisBatch, JobOutcome } from '../analysis-pool.ts'
import type { CallContext } from '../ports.ts'
import { type AllocationShare, allocationOf } from './allocation.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import { qualityOf } from './end-quality.ts'
import { costMs, inChunks, type Priced, readingOrder } from './work-plan.ts'
import { prepareLedgers, valuedLedger } from './valued-ledger.ts'

export interface AnalyzeQuery {
  readonly userIds: readonly string[]
  /** Undefined = since inception. */
  readonly fromDay: EpochDay | undefined
  /** Undefined = today, in each portfolio's time zone. */
  readonly toDay: EpochDay | undefined
  readonly budgetMs: number
  readonly wants: { readonly risk: boolean; readonly allocation: boolean }
  readonly allowStale: boolean
  /** Undefined = each portfolio's own. */
  readonly reportingCurrency: string | undefined
}

export interface PortfolioAnalysis {
  readonly reportingCurrency: string
  readonly performance: PerformanceFigures
  readonly risk: RiskFigures | undefined
  readonly concentration: Figure
  readonly allocation: readonly AllocationShare[]
  readonly quality: Quality
  readonly timeMs: number
}

export type AnalysisOutcome =
  | { readonly kind: 'OK' | 'STALE'; readonly analysis: PortfolioAnalysis }
  | { readonly kind: 'TIMED_OUT' | 'NOT_FOUND' }
  | { readonly kind: 'FAILED'; readonly reason: string }

/** An analysis and what it was made of: nothing else can make it another one. */
interface KeptAnalysis {
  readonly analysis: PortfolioAnalysis
  readonly version: number
  readonly pricesRevision: number
  readonly due: DueActions
  readonly toDay: EpochDay
}

/** The last good analyses: good again while nothing changed, and for who would rather have an old one than none. */
export interface LastGood {
  get(key: string): KeptAnalysis | undefined
  set(key: string, kept: KeptAnalysis): void
}

type OnAnalysis = (analysis: PortfolioAnalysis) => void

/** Kept of the budget for putting the answer together: milliseconds, and more for each user. */
const ANSWER_MS = 2
const ANSWER_MS_PER_USER = 0.02
/** The same of an older result, which may have to be written anew. */
const STALE_MS_PER_USER = 0.06
/** Kept of the client's own deadline, so that the answer is there before it. */
const DEADLINE_MARGIN_MS = 20
/** Of the time until then, what may go into older results: a caller has more of some than of all of them too late. */
const STALE_SHARE = 0.5
/** Statements under way at once: one is read while the other is waited for. */
const READERS = 2
/** Of one job; more for one that is known to be large. A job that takes longer hangs. */
const JOB_MS_MAX = 150
const JOB_SLACK = 20

/**
 * Analyses many portfolios within a budget of time (decision 40), each with an outcome of its own, in the order
 * asked. What is not done by then is TIMED_OUT, or STALE where an older result may serve. Work stops when the time is
 * over or the caller leaves. `onAnalysis` hears of each as soon as it is done.
 * @throws PortfolioError DATABASE_UNAVAILABLE.
 */
export async function analyzePortfolios(
  ports: AnalyticsPorts & { readonly lastGood: LastGood },
  query: AnalyzeQuery,
  call: CallContext,
  onAnalysis: OnAnalysis = () => undefined,
): Promise<readonly AnalysisOutcome[]> {
  const { clock, lastGood } = ports
  const startedMs = clock.monotonicMs()
  const untilMs = Math.min(startedMs + query.budgetMs, call.deadlineMs - DEADLINE_MARGIN_MS)
  const answerMs = ANSWER_MS + ANSWER_MS_PER_USER * query.userIds.length
  ports.pool.start()
  const batch = ports.pool.openBatch()
  const analysis = new BatchAnalysis(ports, query, { batch, onAnalysis })
  try {
    const timeMs = untilMs - answerMs - startedMs
    if (timeMs > 0) await endedBy(analysis.run(), timeMs, call.signal)
  } finally {
    analysis.stop()
  }
  const leftMs = call.deadlineMs - clock.monotonicMs()
  let staleMax = query.allowStale ? (STALE_SHARE * leftMs) / STALE_MS_PER_USER : 0
  return query.userIds.map((userId) => {
    const outcome = analysis.outcomes.get(userId)
    if (outcome !== undefined) return outcome
    const old = staleMax >= 1 ? lastGood.get(keyOf(query, userId)) : undefined
    if (old === undefined) return { kind: 'TIMED_OUT' }
    staleMax -= 1
    return { kind: 'STALE', analysis: old.analysis }
  })
}

/** Of what decides what is measured. */
function keyOf({ fromDay, toDay, wants, reportingCurrency }: AnalyzeQuery, userId: string): string {
  return JSON.stringify([userId, fromDay, toDay, wants, reportingCurrency])
}

/** Waits for work, at most so long, and not for longer than the caller does. */
async function endedBy(work: Promise<void>, timeMs: number, signal: AbortSignal): Promise<void> {
  // What fails when nobody waits any longer is no failure of the call.
  work.catch(() => undefined)
  let stopWaiting: (() => void) | undefined
  const ended = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeMs)
    const left = (): void => resolve()
    signal.addEventListener('abort', left)
    stopWaiting = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', left)
    }
  })
  try {
    await Promise.race([work, ended])
  } finally {
    stopWaiting?.()
  }
}

class BatchAnalysis {
  readonly outcomes = new Map<string, AnalysisOutcome>()
  readonly #ports: AnalyticsPorts & { readonly lastGood: LastGood }
  readonly #query: AnalyzeQuery
  readonly #batch: AnalysisBatch
  readonly #onAnalysis: OnAnalysis
  readonly #running: Promise<void>[] = []
  /** Work too large to go along with others. */
  readonly #large: Priced<Prepared>[] = []
  #isStopped = false

  constructor(
    ports: AnalyticsPorts & { readonly lastGood: LastGood },
    query: AnalyzeQuery,
    { batch, onAnalysis }: { batch: AnalysisBatch; onAnalysis: OnAnalysis },
  ) {
    this.#ports = ports
    this.#query = query
    this.#batch = batch
    this.#onAnalysis = onAnalysis
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#isStopped = true
    this.#batch.cancel()
  }

  /** The small first, so that no large one keeps them waiting. */
  async run(): Promise<void> {
    const { store, ledgers, prices } = this.#ports
    const userIds = [...new Set(this.#query.userIds)]
    const [heads] = await Promise.all([store.heads(userIds), prices.ensure([])])
    const known: PackedLedger[] = []
    const unread: { userId: string; entryCount: number }[] = []
    for (const userId of userIds) {
      const head = heads.get(userId)
      if (head === undefined) {
        this.outcomes.set(userId, { kind: 'NOT_FOUND' })
        continue
      }
      const ledger = ledgers.get(userId, head.version)
      if (ledger !== undefined && this.#isDone(ledger)) continue
      if (ledger === undefined) unread.push({ userId, entryCount: head.entryCount })
      else known.push(ledger)
    }
    await this.#begin(known)
    const groups = readingOrder(unread).values()
    await Promise.all(Array.from({ length: READERS }, () => this.#read(groups)))
    for (const { work } of this.#large.toSorted((left, right) => left.costMs - right.costMs)) {
      this.#submit([work], JOB_MS_MAX + JOB_SLACK * work.costMs)
    }
    await Promise.all(this.#running)
  }

  /** Reads one group after the other, and begins with each as soon as it is there. */
  async #read(groups: Iterator<readonly string[]>): Promise<void> {
    const { store, ledgers } = this.#ports
    for (let next = groups.next(); next.done !== true; next = groups.next()) {
      if (this.#isStopped) return
      const read = await store.ledgers(next.value, undefined)
      for (const ledger of read) ledgers.put(ledger)
      await this.#begin(read)
    }
  }

  /** True when the last analysis is still what a new one would say. */
  #isDone(ledger: PackedLedger): boolean {
    const { lastGood, prices } = this.#ports
    const kept = lastGood.get(keyOf(this.#query, ledger.userId))
    if (kept?.version !== ledger.version) return false
    if (kept.pricesRevision !== prices.closes.revision) return false
    if (kept.due !== this.#due) return false
    if (kept.toDay !== toDayOf(this.#ports, this.#query, ledger)) return false
    this.outcomes.set(ledger.userId, { kind: 'OK', analysis: kept.analysis })
    return true
  }

  get #due(): DueActions {
    return this.#ports.prices.actions.dueAt(this.#ports.clock.now())
  }

  async #begin(ledgers: readonly PackedLedger[]): Promise<void> {
    const { prices, instruments } = this.#ports
    if (ledgers.length === 0) return
    const due = this.#due
    const { reportingCurrency } = this.#query
    const wanted = { recordedUntil: undefined, reportingCurrency }
    const acted = await prepareLedgers(this.#ports, ledgers, wanted)
    // The revision after the last price was read and before any job is done with it.
    const pricesRevision = prices.closes.revision
    const prepared = acted.map((each) => {
      const { ledger } = each
      const job = jobOf(this.#ports, this.#query, { ledger, prices, instruments })
      const cost = costMs(job)
      return { costMs: cost, work: { ...each, job, costMs: cost, pricesRevision, due } }
    })
    const { chunks, large } = inChunks(prepared)
    this.#large.push(...large)
    for (const chunk of chunks) this.#submit(chunk, JOB_MS_MAX)
  }

  #submit(chunk: readonly Prepared[], jobMsMax: number): void {
    this.#running.push(this.#do(chunk, jobMsMax))
  }

  async #do(chunk: readonly Prepared[], jobMsMax: number): Promise<void> {
    const jobs = chunk.map(({ job }) => job)
    for (const [at, outcome] of (await this.#batch.run(jobs, jobMsMax)).entries()) {
      const prepared = chunk[at]
      if (prepared !== undefined) this.#take(prepared, outcome)
    }
  }

  #take(prepared: Prepared, outcome: JobOutcome<AnalyzeResult>): void {
    if (outcome.kind === 'stopped') return
    const { ledger, job, pricesRevision, due } = prepared
    const { userId } = ledger
    if (outcome.kind === 'failed') {
      this.outcomes.set(userId, { kind: 'FAILED', reason: outcome.reason })
      return
    }
    const analysis = analysisOf(this.#ports, this.#query, { ...prepared, ...outcome })
    this.outcomes.set(userId, { kind: 'OK', analysis })
    if (!this.#isStopped) this.#onAnalysis(analysis)
    const { toDay } = job.period
    const kept = { analysis, version: ledger.version, pricesRevision, due, toDay }
    this.#ports.lastGood.set(keyOf(this.#query, userId), kept)
  }
}

function toDayOf(
  { clock }: AnalyticsPorts,
  { toDay }: AnalyzeQuery,
  ledger: PackedLedger,
): EpochDay {
  const today = dayNumberOf(clock.now(), ledger.timeZone)
  return Math.min(toDay ?? today, today)
}

interface Prepared extends ActedLedger {
  readonly job: AnalyzeJob
  readonly costMs: number
  readonly pricesRevision: number
  readonly due: DueActions
}

function jobOf(
  ports: AnalyticsPorts,
  query: AnalyzeQuery,
  of: { readonly ledger: PackedLedger } & Parameters<typeof valuedLedger>[1],
): AnalyzeJob {
  const { ledger: packed } = of
  const reporting = query.reportingCurrency ?? packed.baseCurrency
  const { ledger } = valuedLedger(packed, of, reporting, 'none')
  return {
    kind: 'analyze',
    ledger,
    period: { fromDay: query.fromDay, toDay: toDayOf(ports, query, packed) },
    wantsRisk: query.wants.risk,
    riskTerms: { riskFree: ports.riskFree, minimumAcceptableReturn: 0 },
  }
}

function analysisOf(
  ports: AnalyticsPorts,
  { wants, reportingCurrency }: AnalyzeQuery,
  done: Prepared & { readonly result: AnalyzeResult; readonly timeMs: number },
): PortfolioAnalysis {
  const { ledger, job, result, timeMs } = done
  const { end } = result
  return {
    reportingCurrency: reportingCurrency ?? ledger.baseCurrency,
    performance: result.performance,
    risk: result.risk,
    concentration: concentration(end.values),
    allocation: wants.allocation ? allocationOf(end, ledger, ports.instruments) : [],
    quality: qualityOf(end, { ...done, valued: job.ledger }, ports.instruments, job.period.toDay),
    timeMs,
  }
}
