import { dayNumberOf, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type {
  BehindPortfolio,
  KeptDays,
  LedgerChange,
  OwedDays,
  OwedUntil,
} from '../history-store.ts'
import type { Lease, Leases } from '../ports.ts'
import { type DueDays, HistoryMaking, type MakingPorts, type PassFacts } from './make-history.ts'
import { KnownNews, markOutdated, type OutdatePorts } from './mark-outdated.ts'
import { readingOrder } from './work-plan.ts'
import { rest, restMsAfter } from './work-share.ts'

/** Portfolios that one pass brings up to date, and pages of all portfolios that it looks through for them. */
const PORTFOLIOS_PER_PASS = 1_000
const PAGES_PER_PASS = 20
/** Counting who is behind looks at every portfolio that a round has still before it. */
const LAG_EVERY_MS = 60_000

export interface HistoryPorts extends MakingPorts, OutdatePorts {
  readonly leases: Leases
}

export interface HistoryTerms {
  /** Names this replica. */
  readonly holder: string
  /** How long the lease lasts without a sign of life; longer than the time between passes. */
  readonly leaseMs: number
}

/**
 * Keeps one valuation a day of each portfolio. What changed the past moves back the day until which a history is kept,
 * and the days after it are made again; a day is kept once it is over. One replica does it at a time.
 */
export class HistoryKeeper {
  readonly #ports: HistoryPorts
  readonly #terms: HistoryTerms
  #lease: Lease | undefined
  /** The last user that the round came to. */
  #after = ''
  #lagAtMs = -Infinity
  #known = new KnownNews()
  readonly #timeZones = new Set<string>()

  constructor(ports: HistoryPorts, terms: HistoryTerms) {
    this.#ports = ports
    this.#terms = terms
  }

  /**
   * Work of a limited amount, which ends early when the signal says so; true when there is more to do at once.
   * @throws LeaseLost, DATABASE_UNAVAILABLE.
   */
  async pass(signal: AbortSignal): Promise<boolean> {
    const { prices, clock } = this.#ports
    const lease = await this.#claim()
    if (lease === undefined) return false
    const now = clock.now()
    const yesterday = Math.floor(now / MICROSECONDS_PER_DAY) - 1
    const seen = await markOutdated(this.#ports, lease, { yesterday, known: this.#known, signal })
    // A look that is under way may have begun before the news: it is waited for, and followed by another.
    await prices.refresh()
    await prices.refresh()
    // Had another the lease meanwhile, all writes under the old one are refused.
    const stayAlive = async (): Promise<void> => void (await this.#claim())
    const owedUntil: OwedUntil = (timeZone) => lastDayOver(now, timeZone)
    const facts = { lease, seen, computedAt: now, owedUntil, signal, stayAlive }
    const more = await this.#round(facts)
    if (signal.aborted) return false
    await this.#tellLag(more ? this.#after : undefined, owedUntil)
    return more
  }

  /** Lets another replica go on at once. */
  async release(): Promise<void> {
    if (this.#lease !== undefined) await this.#ports.leases.release(this.#lease)
    this.#lease = undefined
  }

  async #claim(): Promise<Lease | undefined> {
    const { leases, telemetry } = this.#ports
    const { holder, leaseMs } = this.#terms
    this.#lease = await leases.claim('valuation-history', holder, leaseMs)
    telemetry.historyLeased(this.#lease !== undefined)
    if (this.#lease === undefined) {
      // Another replica tells, and goes through them from the start.
      telemetry.historyLag(0, 0)
      this.#after = ''
      this.#known = new KnownNews()
    }
    return this.#lease
  }

  async #tellLag(after: string | undefined, owedUntil: OwedUntil): Promise<void> {
    const { clock, historyStore, telemetry } = this.#ports
    const nowMs = clock.monotonicMs()
    if (after !== undefined && nowMs - this.#lagAtMs < LAG_EVERY_MS) return
    this.#lagAtMs = nowMs
    const { users, days } = await historyStore.lag(after, owedUntil)
    telemetry.historyLag(users, days)
  }

  /** Goes on through the portfolios; true when it did not come to their end. */
  async #round(facts: RoundFacts): Promise<boolean> {
    const { historyStore } = this.#ports
    let left = PORTFOLIOS_PER_PASS
    for (let page = 0; page < PAGES_PER_PASS && left > 0; page += 1) {
      if (facts.signal.aborted) return false
      const { portfolios, next } = await historyStore.behind(this.#after, this.#owedDays(facts))
      for (const { timeZone } of portfolios) this.#timeZones.add(timeZone)
      left -= await this.#bringUp(portfolios, facts)
      this.#after = next ?? ''
      if (next === undefined) return false
    }
    return true
  }

  /** Of a time zone that was not seen yet one page may find portfolios that are not behind. */
  #owedDays({ owedUntil }: RoundFacts): OwedDays {
    const untilDay = owedUntil('UTC')
    const lateZones = [...this.#timeZones].filter((timeZone) => owedUntil(timeZone) < untilDay)
    return { untilDay, lateZones }
  }

  async #bringUp(portfolios: readonly BehindPortfolio[], facts: RoundFacts): Promise<number> {
    const { clock, historyStore } = this.#ports
    let beganMs = clock.monotonicMs()
    const { due, confirmed } = await this.#due(portfolios, facts.owedUntil)
    if (confirmed.length > 0) await historyStore.confirm(facts.lease, confirmed)
    const byUser = new Map(due.map((each) => [each.portfolio.userId, each]))
    const making = new HistoryMaking(this.#ports, facts)
    for (const userIds of readingOrder(due.map(({ portfolio }) => portfolio))) {
      await rest(restMsAfter(clock.monotonicMs() - beganMs), facts.signal)
      if (facts.signal.aborted) break
      beganMs = clock.monotonicMs()
      await facts.stayAlive()
      const group = userIds.map((userId) => byUser.get(userId))
      await making.keep(group.filter((each) => each !== undefined))
    }
    await rest(restMsAfter(clock.monotonicMs() - beganMs), facts.signal)
    return due.length
  }

  /** From which day on each has to be made; what is of today alone waits for the day to be over. */
  async #due(
    portfolios: readonly BehindPortfolio[],
    owedUntil: OwedUntil,
  ): Promise<{ readonly due: readonly DueDays[]; readonly confirmed: readonly Confirmed[] }> {
    const changed = portfolios.filter(({ version, keptVersion }) => version !== keptVersion)
    const changes =
      changed.length === 0
        ? new Map<string, LedgerChange>()
        : await this.#ports.historyStore.ledgerChanges(changed)
    const due: DueDays[] = []
    const confirmed: Confirmed[] = []
    for (const portfolio of portfolios) {
      const { userId, version, keptVersion, keptUntil = -Infinity, timeZone } = portfolio
      const toDay = owedUntil(timeZone)
      if (version === keptVersion && keptUntil >= toDay) continue
      const change = changes.get(userId)
      const fromDay = firstChanged(portfolio, change)
      if (fromDay === undefined ? beganAfter(portfolio, change, toDay) : fromDay > toDay) {
        confirmed.push({ userId, version, keptUntil: toDay })
      } else {
        due.push({ portfolio, fromDay, toDay })
      }
    }
    return { due, confirmed }
  }
}

/** What is the same for one pass. */
interface RoundFacts extends PassFacts {
  readonly owedUntil: OwedUntil
}

/** A day of closes is one of UTC, and what is recorded of it is of the portfolio's: both have to be over. */
function lastDayOver(now: Instant, timeZone: string): EpochDay {
  return Math.min(dayNumberOf(now, timeZone), dayNumberOf(now, 'UTC')) - 1
}

type Confirmed = Pick<KeptDays, 'userId' | 'version' | 'keptUntil'>

/** Its first transaction is of a day that is not over: its ledger need not be read yet. */
function beganAfter(
  { keptVersion, timeZone }: BehindPortfolio,
  change: LedgerChange | undefined,
  toDay: EpochDay,
): boolean {
  return (
    keptVersion === 0 && change !== undefined && dayNumberOf(change.effectiveFrom, timeZone) > toDay
  )
}

/** Undefined where a change of settings may have changed every day. */
function firstChanged(
  { version, keptVersion, keptUntil, timeZone }: BehindPortfolio,
  change: LedgerChange | undefined,
): EpochDay | undefined {
  if (keptUntil === undefined) return undefined
  const next = keptUntil + 1
  if (version === keptVersion) return next
  if (change?.versionCount !== version - keptVersion) return undefined
  return Math.min(next, dayNumberOf(change.effectiveFrom, timeZone))
}
