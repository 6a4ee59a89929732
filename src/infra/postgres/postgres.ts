import { sql } from 'kysely'
import type { AnalyticsStore } from '../../app/analytics-store.ts'
import type { HistoryStore } from '../../app/history-store.ts'
import type {
  ChangeLog,
  ChangeOutcome,
  ChangeRequest,
  Clock,
  CorporateActionStore,
  InstrumentStore,
  Leases,
  LedgerFilter,
  PortfolioStore,
  QuoteStore,
  Telemetry,
} from '../../app/ports.ts'
import { PortfolioError } from '../../domain/errors.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import { openAnalyticsStore } from './analytics-store.ts'
import { openChangeLog } from './change-log.ts'
import { type Database, openDatabase, timestampText } from './database.ts'
import { classifyFailure } from './failure.ts'
import { GroupCommit } from './group-commit.ts'
import { openHistoryStore } from './history-store.ts'
import { readLedgerPage } from './ledger-page.ts'
import { openCorporateActionStore } from './corporate-action-store.ts'
import { openInstrumentStore } from './instrument-store.ts'
import { openLeases } from './leases.ts'
import { entryOfRow } from './portfolio-rows.ts'
import { openPastStore } from './past-store.ts'
import { openQuoteStore } from './quote-store.ts'
import { StateCache } from './state-cache.ts'
import { type ReadOptions, StateReader } from './state-reader.ts'

export interface Postgres {
  readonly portfolios: PortfolioStore
  readonly quoteStore: QuoteStore
  readonly instrumentStore: InstrumentStore
  readonly analyticsStore: AnalyticsStore
  readonly actionStore: CorporateActionStore
  readonly changeLog: ChangeLog
  readonly leases: Leases
  readonly historyStore: HistoryStore
  /** Rejects when the database does not answer. */
  ping(): Promise<void>
  /** Drops stored answers after 72 hours and idempotency keys after 30 days (decision 9). */
  expireKeys(now: Instant): Promise<void>
  close(): Promise<void>
}

const KEY_AGE_MAX_MICROSECONDS = 30 * MICROSECONDS_PER_DAY
const ANSWER_AGE_MAX_MICROSECONDS = 3 * MICROSECONDS_PER_DAY

/**
 * The portfolios and quotes kept in one PostgreSQL. Connects lazily: a database that is down at first makes calls
 * fail, not this.
 */
export function openPostgres(options: {
  databaseUrl: string
  poolMax: number
  stateCacheUsersMax: number
  clock: Clock
  telemetry: Telemetry
  /** Undefined: each read asks the database for the version. */
  reading?: ReadOptions | undefined
}): Postgres {
  const database = openDatabase(options)
  const cache = new StateCache(options.stateCacheUsersMax)
  const { clock, telemetry, reading } = options
  const reader = new StateReader({ database, cache, clock, reading })
  const commits = new GroupCommit({
    database,
    cache,
    clock,
    telemetry,
    committed: (verified) => reader.committed(verified),
  })
  const past = openPastStore({ ...options, database })
  return {
    portfolios: {
      past: {
        ...past,
        findSnapshot: (userId, query) => guarded(() => past.findSnapshot(userId, query)),
      },
      change: async <Answer>(request: ChangeRequest<Answer>) =>
        // The queue carries answers without looking at them: what comes out is what decide() made, or its JSON.
        (await commits.submit(request)) as ChangeOutcome<Answer>,
      read: (userId, _call, tolerance) => guarded(() => reader.read(userId, tolerance)),
      ledger: (userId, filter) => guarded(() => readLedger(database, userId, filter)),
      ledgerPage: (userId, query) => guarded(() => readLedgerPage(database, userId, query)),
    },
    quoteStore: guardedQuotes(openQuoteStore(database)),
    instrumentStore: guardedInstruments(openInstrumentStore(database)),
    analyticsStore: guardedAnalytics(openAnalyticsStore(database)),
    actionStore: guardedActions(openCorporateActionStore(database)),
    changeLog: guardedLog(openChangeLog(database)),
    leases: openLeases(database),
    historyStore: openHistoryStore(database),
    ping: async () => {
      await sql`select 1`.execute(database.kysely)
    },
    expireKeys: async (now) => {
      const oldestKey = timestampText(now - KEY_AGE_MAX_MICROSECONDS)
      const oldestAnswer = timestampText(now - ANSWER_AGE_MAX_MICROSECONDS)
      await sql`delete from request_key where recorded_at < ${oldestKey}`.execute(database.kysely)
      await sql`update request_key set answer = null
        where recorded_at < ${oldestAnswer} and answer is not null`.execute(database.kysely)
    },
    close: async () => {
      await past.settled()
      await database.close()
    },
  }
}

async function readLedger(
  database: Database,
  userId: string,
  filter: LedgerFilter,
): Promise<readonly LedgerEntry[]> {
  let query = database.kysely.selectFrom('ledger').selectAll().where('user_id', '=', userId)
  if (filter.instrumentId !== undefined) {
    query = query.where('instrument_id', '=', filter.instrumentId)
  }
  if (filter.sequence !== undefined) query = query.where('sequence', '=', filter.sequence)
  if (filter.effectiveUntil !== undefined) {
    query = query.where(sql<boolean>`effective_at <= ${timestampText(filter.effectiveUntil)}`)
  }
  if (filter.recordedUntil !== undefined) {
    query = query.where(sql<boolean>`recorded_at <= ${timestampText(filter.recordedUntil)}`)
  }
  if (filter.versionUntil !== undefined)
    query = query.where(sql<boolean>`version <= ${filter.versionUntil}`)
  if (filter.after !== undefined) query = query.where(notIn(filter.after))
  const rows = await query.orderBy('effective_at').orderBy('sequence').execute()
  return rows.map(entryOfRow)
}

/** Of the snapshot's own moment what came later; the first condition is the index's. */
function notIn({ effectiveAt, version }: NonNullable<LedgerFilter['after']>) {
  const at = sql`${timestampText(effectiveAt)}::timestamptz`
  return sql<boolean>`effective_at >= ${at} and (effective_at > ${at} or version > ${version})`
}

/** A read that the database could not answer is told as such, never as a driver's error. */
async function guarded<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof PortfolioError || classifyFailure(error) === 'poison') throw error
    throw new PortfolioError('DATABASE_UNAVAILABLE', 'the database is unavailable', {
      cause: error,
    })
  }
}

function guardedQuotes(store: QuoteStore): QuoteStore {
  return {
    append: (quotes, recordedAt, held) => guarded(() => store.append(quotes, recordedAt, held)),
    expireHeld: (before) => guarded(() => store.expireHeld(before)),
    readHeld: (instrumentIds) => guarded(() => store.readHeld(instrumentIds)),
    readOutliers: (recordedSince) => guarded(() => store.readOutliers(recordedSince)),
    readOutliersAsOf: (instrumentIds, priced, recordedUntil) =>
      guarded(() => store.readOutliersAsOf(instrumentIds, priced, recordedUntil)),
    readBefore: (moments, recordedUntil) => guarded(() => store.readBefore(moments, recordedUntil)),
    list: (query) => guarded(() => store.list(query)),
    readNewest: (recordedSince) => guarded(() => store.readNewest(recordedSince)),
    readAsOf: (instrumentIds, at, recordedUntil) =>
      guarded(() => store.readAsOf(instrumentIds, at, recordedUntil)),
  }
}

function guardedInstruments(store: InstrumentStore): InstrumentStore {
  return {
    change: (needed, plan) => guarded(() => store.change(needed, plan)),
    readSince: (epoch) => guarded(() => store.readSince(epoch)),
  }
}

function guardedAnalytics(store: AnalyticsStore): AnalyticsStore {
  return {
    heads: (userIds) => guarded(() => store.heads(userIds)),
    ledgers: (userIds, recordedUntil) => guarded(() => store.ledgers(userIds, recordedUntil)),
    packCloses: (now) => guarded(() => store.packCloses(now)),
    closes: (instrumentIds, asked) => guarded(() => store.closes(instrumentIds, asked)),
    closesSince: (recordedSince) => guarded(() => store.closesSince(recordedSince)),
  }
}

function guardedActions(store: CorporateActionStore): CorporateActionStore {
  return {
    record: (action, request, now) => guarded(() => store.record(action, request, now)),
    reverse: (actionId, reason, request, now) =>
      guarded(() => store.reverse(actionId, reason, request, now)),
    readSince: (epoch) => guarded(() => store.readSince(epoch)),
  }
}

function guardedLog(log: ChangeLog): ChangeLog {
  return {
    ...log,
    versions: (userIds) => guarded(() => log.versions(userIds)),
    changesAfter: (versions, countMax) => guarded(() => log.changesAfter(versions, countMax)),
  }
}
