import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { HistoryJob } from '../../domain/analytics/history-job.ts'
import type { ActedLedger } from '../../domain/analytics/fold-actions.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import { pairsBetween } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'
import type { AnalysisBatch } from '../analysis-pool.ts'
import {
  type BehindPortfolio,
  type HistoryStore,
  type HistoryTelemetry,
  type KeptDays,
  LeaseLost,
  type SeenNews,
} from '../history-store.ts'
import type { Lease } from '../ports.ts'
import type { AnalyticsPorts } from './analytics-ports.ts'
import { JOB_HANGS_AFTER_MS } from './one-portfolio.ts'
import { prepareLedgers, valuedLedger } from './valued-ledger.ts'
import { costMs, inChunks } from './work-plan.ts'

/** Rows of one transaction, unless one portfolio alone has more. */
const ROWS_PER_WRITE = 5_000

export interface MakingPorts extends Omit<AnalyticsPorts, 'ledgers' | 'riskFree'> {
  readonly historyStore: HistoryStore
  readonly telemetry: HistoryTelemetry
}

/** What is the same for all that one pass makes. */
export interface PassFacts {
  readonly lease: Lease
  readonly seen: SeenNews
  readonly computedAt: Instant
  /** Says when the pass is to end early. */
  readonly signal: AbortSignal
  /** Gives a sign of life under the lease. */
  readonly stayAlive: () => Promise<void>
}

/** A portfolio with the days that are to be made of it. */
export interface DueDays {
  readonly portfolio: BehindPortfolio
  /** Undefined = since inception. */
  readonly fromDay: EpochDay | undefined
  /** The last day that is over, by UTC and in the portfolio's time zone. */
  readonly toDay: EpochDay
}

interface ReadDays extends DueDays {
  readonly ledger: PackedLedger
}

interface PricedDays extends ReadDays {
  readonly areActionsLeftOut: boolean
}

interface Prepared extends PricedDays {
  readonly job: HistoryJob
}

/** Makes the days of some portfolios. One that cannot be made is left for later, and keeps nobody else waiting. */
export class HistoryMaking {
  readonly #ports: MakingPorts
  readonly #facts: PassFacts

  constructor(ports: MakingPorts, facts: PassFacts) {
    this.#ports = ports
    this.#facts = facts
  }

  /** @throws LeaseLost, DATABASE_UNAVAILABLE. */
  async keep(due: readonly DueDays[]): Promise<void> {
    const prepared = await this.#prepare(await this.#price(await this.#read(due)))
    const priced = prepared.map((work) => {
      const { ledger } = work.job
      return { work, costMs: costMs({ ledger, period: work.job }) }
    })
    const { chunks, large } = inChunks(priced)
    const { signal, stayAlive } = this.#facts
    const batch = this.#ports.pool.openBatch()
    const cancel = (): void => batch.cancel()
    signal.addEventListener('abort', cancel)
    try {
      const histories: KeptDays[] = []
      // One after the other: the other threads are free for who waits for an answer.
      for (const chunk of [...chunks, ...large.map(({ work }) => [work])]) {
        await stayAlive()
        histories.push(...(await this.#run(batch, chunk)))
      }
      for (const together of inWrites(histories)) await this.#write(together)
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  async #read(due: readonly DueDays[]): Promise<readonly ReadDays[]> {
    const userIds = due.map(({ portfolio }) => portfolio.userId)
    try {
      const ledgers = await this.#ports.store.ledgers(userIds, undefined)
      const byUser = new Map(ledgers.map((ledger) => [ledger.userId, ledger]))
      return due.flatMap((each) => {
        const ledger = byUser.get(each.portfolio.userId)
        return ledger === undefined ? [] : [{ ...each, ledger }]
      })
    } catch (error) {
      const read: ReadDays[] = []
      // Each by itself: when nothing can be read, nothing can be postponed either.
      if (due.length > 1) for (const each of due) read.push(...(await this.#read([each])))
      else for (const each of due) await this.#postpone(each.portfolio, 'LEDGER_UNREADABLE', error)
      return read
    }
  }

  /** With their corporate actions in them, and their prices present. */
  async #price(read: readonly ReadDays[]): Promise<readonly PricedDays[]> {
    const { prices } = this.#ports
    const { revision } = prices.closes
    try {
      const ledgers = read.map(({ ledger }) => ledger)
      const wanted = { recordedUntil: undefined, reportingCurrency: undefined }
      const acted = await prepareLedgers(this.#ports, ledgers, wanted)
      // What was being loaded for another call may have been read before the news.
      if (prices.closes.revision !== revision) await prices.refresh()
      return read.map((each, at) => withActedLedger(each, acted[at]))
    } catch (error) {
      const priced: PricedDays[] = []
      if (read.length > 1) for (const each of read) priced.push(...(await this.#price([each])))
      else for (const each of read) await this.#postpone(each.portfolio, 'NO_PRICES', error)
      return priced
    }
  }

  async #prepare(read: readonly PricedDays[]): Promise<readonly Prepared[]> {
    const { prices, instruments, historyStore } = this.#ports
    const before = await historyStore.valuesBefore(
      read.flatMap(({ portfolio: { userId }, fromDay }) =>
        fromDay === undefined ? [] : [{ userId, fromDay }],
      ),
    )
    const prepared: Prepared[] = []
    for (const each of read) {
      const { ledger: packed, fromDay, toDay, portfolio } = each
      try {
        const market = { prices, instruments }
        const { ledger } = valuedLedger(packed, market, packed.baseCurrency, 'none')
        const valueBefore = before.get(packed.userId) ?? 0
        prepared.push({ ...each, job: { kind: 'history', ledger, fromDay, toDay, valueBefore } })
      } catch (error) {
        await this.#postpone(portfolio, 'ANALYSIS_FAILED', error)
      }
    }
    return prepared
  }

  async #run(batch: AnalysisBatch, chunk: readonly Prepared[]): Promise<readonly KeptDays[]> {
    const histories: KeptDays[] = []
    const jobs = chunk.map(({ job }) => job)
    for (const [at, outcome] of (await batch.run(jobs, JOB_HANGS_AFTER_MS)).entries()) {
      const prepared = chunk[at]
      if (prepared === undefined || outcome.kind === 'stopped') continue
      const { portfolio, fromDay, toDay, ledger, areActionsLeftOut } = prepared
      if (outcome.kind === 'failed') {
        await this.#postpone(portfolio, outcome.reason)
        continue
      }
      histories.push({
        userId: portfolio.userId,
        // Of the ledger there may be more by now: that is found as a change.
        version: portfolio.version,
        keptUntil: toDay,
        fromDay,
        currency: ledger.baseCurrency,
        rows: outcome.result,
        ledgerVersion: ledger.version,
        areActionsLeftOut,
        instrumentIds: this.#dependencies(ledger),
      })
    }
    return histories
  }

  async #write(histories: readonly KeptDays[]): Promise<void> {
    const { historyStore, telemetry } = this.#ports
    try {
      telemetry.historyKept(await historyStore.write(this.#facts.lease, histories, this.#facts))
    } catch (error) {
      if (error instanceof LeaseLost) throw error
      if (histories.length > 1) for (const each of histories) await this.#write([each])
      else for (const each of histories) await this.#postpone(each, 'NOT_WRITABLE', error)
    }
  }

  async #postpone(
    portfolio: Pick<BehindPortfolio, 'userId' | 'version'>,
    reason: string,
    error?: unknown,
  ): Promise<void> {
    this.#ports.telemetry.historyFailed(portfolio.userId, reason, error)
    await this.#ports.historyStore.postpone(this.#facts.lease, portfolio)
  }

  /** All that changes the values when it changes: also what a corporate action makes units of. */
  #dependencies({ instrumentIds, currencies, baseCurrency }: PackedLedger): readonly string[] {
    const { prices, actions } = this.#ports
    const due = actions.current.dueAt(this.#facts.computedAt)
    const linked = instrumentIds.flatMap((each) => due.linked(each))
    const quoted = linked.map((each) => prices.closes.currencyOf(each))
    const pairs = [...new Set([...quoted, ...currencies])].flatMap((currency) =>
      pairsBetween(currency === '' ? baseCurrency : currency, baseCurrency),
    )
    return [...new Set([...linked, ...pairs])]
  }
}

/** Which actions fit is told by the whole ledger: where some do not, or did not, any day may have changed. */
function withActedLedger(days: ReadDays, acted: ActedLedger | undefined): PricedDays {
  const { ledger, leftOut } = acted ?? { ledger: days.ledger, leftOut: new Set() }
  const areActionsLeftOut = leftOut.size > 0
  const isWhole = areActionsLeftOut || days.portfolio.areActionsLeftOut
  return { ...days, ledger, areActionsLeftOut, ...(isWhole && { fromDay: undefined }) }
}

function inWrites(histories: readonly KeptDays[]): readonly (readonly KeptDays[])[] {
  const writes: KeptDays[][] = []
  let room = 0
  for (const history of histories) {
    const rowCount = history.rows.days.length
    if (rowCount > room || writes.length === 0) {
      writes.push([])
      room = ROWS_PER_WRITE
    }
    writes.at(-1)?.push(history)
    room -= rowCount
  }
  return writes
}
