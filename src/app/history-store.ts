import type { EpochDay } from '../domain/analytics/epoch-day.ts'
import type { HistoryRows } from '../domain/analytics/history-job.ts'
import type { Instant } from '../domain/time.ts'
import type { Lease } from './ports.ts'

/** A write came too late: the lease is another's, or has run out. Nothing was written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** Up to which news of the market the kept days were looked at. */
export interface SeenNews {
  readonly quotesUntil: Instant
  readonly actionEpoch: number
  readonly instrumentEpoch: number
}

/** From when on an instrument or a pair values differently; undefined = always. */
export interface PriceChange {
  readonly instrumentId: string
  readonly fromDay: EpochDay | undefined
}

/** Quotes of past days that were recorded of one instrument, however many they are. */
export interface LateQuotes {
  readonly instrumentId: string
  /** The earliest day of those recorded since; undefined = none was. */
  readonly day: EpochDay | undefined
  /** The same of the {@link LateQuotes.lastCount} before: of them some may be seen only now. */
  readonly dayBefore: EpochDay | undefined
  readonly countBefore: number
  /** How many were recorded shortly before the end: the next look counts them once more. */
  readonly lastCount: number
}

/** A portfolio whose kept days may be behind it. */
export interface BehindPortfolio {
  readonly userId: string
  readonly version: number
  readonly entryCount: number
  readonly timeZone: string
  /** The version that the kept days are of; 0 = there are none. */
  readonly keptVersion: number
  /** The last day that is kept; undefined = none is. */
  readonly keptUntil: EpochDay | undefined
  /** So the kept days were made. */
  readonly areActionsLeftOut: boolean
}

/** Until which day the history of a portfolio in a time zone is to be kept: none further than in UTC. */
export type OwedUntil = (timeZone: string) => EpochDay

/** The same of all time zones that are known. */
export interface OwedDays {
  readonly untilDay: EpochDay
  /** Those of a day less. */
  readonly lateZones: readonly string[]
}

/** What was recorded of a user between two versions. */
export interface LedgerChange {
  readonly effectiveFrom: Instant
  /** How many of the versions recorded something; the others changed settings. */
  readonly versionCount: number
}

/** The days of a user from one on, in place of what was kept of them. */
export interface KeptDays {
  readonly userId: string
  /** What was recorded later is looked at again. */
  readonly version: number
  readonly keptUntil: EpochDay
  /** Undefined = all. */
  readonly fromDay: EpochDay | undefined
  readonly currency: string
  readonly rows: HistoryRows
  /** Of the ledger that the rows are made of. */
  readonly ledgerVersion: number
  /** Some corporate action does not go with what was recorded: none is in the values. */
  readonly areActionsLeftOut: boolean
  /** Instruments and pairs that the values depend on. */
  readonly instrumentIds: readonly string[]
}

/** The valuations of past days. Every write is under a lease. @throws LeaseLost. */
export interface HistoryStore {
  seenNews(): Promise<SeenNews>
  see(lease: Lease, seen: SeenNews): Promise<void>
  /**
   * What quotes recorded since changed on days up to one, of a limited stretch of time, and where that ends; `isAll` =
   * it is now. `revalued` are quoted in another currency; some of them are told again, under the same name.
   */
  quoteChanges(
    since: Instant,
    untilDay: EpochDay,
  ): Promise<{
    readonly late: readonly LateQuotes[]
    readonly revalued: readonly { readonly instrumentId: string; readonly name: string }[]
    readonly until: Instant
    readonly isAll: boolean
  }>
  /** Instruments whose description changed between two epochs. */
  changedInstruments(after: number, until: number): Promise<readonly string[]>
  /** Has the days of whoever these changes concern count as outdated. Resumes where it was interrupted. */
  outdate(lease: Lease, changes: readonly PriceChange[]): Promise<void>
  /**
   * Portfolios after a user, in order, whose version is another than what is kept or whose history ends before the day
   * owed; of so many portfolios at most. `next` = where to go on, undefined at the end.
   */
  behind(
    after: string,
    owed: OwedDays,
  ): Promise<{
    readonly portfolios: readonly BehindPortfolio[]
    readonly next: string | undefined
  }>
  /** Of each user, what was recorded after the kept version up to the present one. */
  ledgerChanges(portfolios: readonly BehindPortfolio[]): Promise<ReadonlyMap<string, LedgerChange>>
  /** Of each user, the value that the first row from a day on grows from; 0 = nothing. */
  valuesBefore(
    days: readonly { readonly userId: string; readonly fromDay: EpochDay }[],
  ): Promise<ReadonlyMap<string, number>>
  /** Gives back how many rows are new or differ from what was kept; others are not written. */
  write(
    lease: Lease,
    histories: readonly KeptDays[],
    facts: { readonly seen: SeenNews; readonly computedAt: Instant },
  ): Promise<number>
  /** These versions changed nothing up to that day. */
  confirm(
    lease: Lease,
    heads: readonly Pick<KeptDays, 'userId' | 'version' | 'keptUntil'>[],
  ): Promise<void>
  /**
   * It could not be made: it is tried again after a minute, then after twice the time each time, in the end once a day;
   * at once when the portfolio changes.
   */
  postpone(lease: Lease, portfolio: Pick<BehindPortfolio, 'userId' | 'version'>): Promise<void>
  /**
   * How many portfolios are behind, and by how many days at most, when a round just came to a user: those that could not
   * be made, and all that are behind after that user. Undefined = it came to the end.
   */
  lag(
    after: string | undefined,
    owedUntil: OwedUntil,
  ): Promise<{ readonly users: number; readonly days: number }>
}

/** What operators see of the kept history. */
export interface HistoryTelemetry {
  historyLeased(isHeld: boolean): void
  historyKept(rows: number): void
  historyLag(users: number, days: number): void
  /** The history of one user could not be made; `reason` is UPPER_SNAKE_CASE. */
  historyFailed(userId: string, reason: string, error?: unknown): void
}
