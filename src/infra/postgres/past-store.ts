import { type Selectable, sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PastStore, SnapshotQuery, Telemetry } from '../../app/ports.ts'
import type { Book } from '../../domain/portfolio/holding.ts'
import {
  type Snapshot,
  type SnapshotOutline,
  superfluous,
} from '../../domain/portfolio/past-fold.ts'
import {
  SNAPSHOT_FORMAT,
  snapshotOfText,
  snapshotText,
} from '../../domain/portfolio/snapshot-text.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import { BulkInsert, replacing } from './bulk-insert.ts'
import { type Database, timestampText } from './database.ts'
import type { SnapshotTable } from './schema.ts'
import { ENTRIES_PER_USER, sizeOf } from './state-cache.ts'

const LIMITS: PastStore['limits'] = { snapshotEntriesMin: 500, snapshotsMax: 24 }
/** Snapshots of one user that serve only what was known once. */
const OUTDATED_MAX = 8
/** Of the memory that the present has, for the past; the same again for snapshots. */
const PAST_SHARE = 0.1

const KEY = ['user_id', 'effective_at', 'version'] as const
const FACTS = [
  'format',
  'lot_method',
  'entry_count',
  'last_version',
  'last_sequence',
  'last_recorded_at',
  'action_epoch',
] as const
const COLUMNS = [...KEY, ...FACTS, 'folded'] as const
const SNAPSHOT = new BulkInsert('snapshot', COLUMNS, replacing(KEY, COLUMNS))

type Facts = Omit<Selectable<SnapshotTable>, 'folded'>

/** Past states in memory, and snapshots in the database. A snapshot that cannot be read or written is only slower. */
export function openPastStore(options: {
  database: Database
  stateCacheUsersMax: number
  telemetry: Telemetry
}): PastStore & { settled(): Promise<void> } {
  const { database, telemetry } = options
  const max = Math.ceil(options.stateCacheUsersMax * PAST_SHARE)
  const maxSize = max * ENTRIES_PER_USER
  const states = new LRUCache<string, PortfolioState>({
    max,
    maxSize,
    sizeCalculation: (state) => sizeOf(state),
  })
  const snapshots = new LRUCache<string, Snapshot>({ max, maxSize, sizeCalculation: sizeWithLots })
  const writing = new Map<string, Promise<void>>()
  return {
    limits: LIMITS,
    recall: (name) => states.get(name),
    remember: (name, state) => {
      states.set(name, withoutLots(state))
    },
    async findSnapshot(userId, query) {
      const facts = await findFacts(database, userId, query)
      if (facts === undefined) return undefined
      const { effective_at: at, version, lot_method: method, last_recorded_at: recorded } = facts
      const name = `${at} ${version} ${method} ${recorded} ${facts.action_epoch} ${userId}`
      const known = snapshots.get(name)
      if (known !== undefined) return known
      const read = await readSnapshot(database, facts, telemetry)
      if (read !== undefined) snapshots.set(name, read)
      return read
    },
    async keepSnapshots(added) {
      const userId = added[0]?.userId
      if (userId === undefined) return
      // Another read of the same user is at it: what it writes serves this one's successors as well.
      const underWay = writing.get(userId)
      if (underWay !== undefined) return underWay
      const written = writeSnapshots(database, userId, added)
        .catch((error: unknown) => telemetry.backgroundFailed('snapshots', error))
        .finally(() => writing.delete(userId))
      writing.set(userId, written)
      await written
    },
    async settled() {
      await Promise.all(writing.values())
    },
  }
}

/** As if all its lots were read: they may be. */
function sizeWithLots({ books }: Snapshot): number {
  let size = 1
  for (const book of books.values()) {
    for (const holding of book.values()) size += 1 + holding.lotCount
  }
  return size
}

/** A valuation reads sums alone, and lots are most of a state. */
function withoutLots(state: PortfolioState): PortfolioState {
  const books = new Map(
    [...state.books].map(([instrumentId, book]): [string, Book] => [
      instrumentId,
      new Map(
        [...book].map(([accountId, holding]) => [
          accountId,
          Object.assign({}, holding, { lots: holding.lotCount === 0 ? [] : undefined }),
        ]),
      ),
    ]),
  )
  return { ...state, books }
}

/** True of entries that a snapshot of the outer statement should hold, or that reach into it, and that are newer. */
function reachesInto(known: ReturnType<typeof sql>) {
  return sql<boolean>`exists (select from ledger
    where ledger.user_id = snapshot.user_id and ledger.version > snapshot.version ${known}
      and (ledger.effective_at < snapshot.effective_at
        or ledger.effective_at = snapshot.effective_at and ledger.reverses_sequence is not null))`
}

/**
 * True where a corporate action that is known only to the snapshot, or only to who asks, is effective by then and may
 * concern the user: units of an instrument without a holding can have come from another.
 */
function isActedOn(actionEpoch: number) {
  return sql<boolean>`exists (select from corporate_action as action
    where action.epoch > least(snapshot.action_epoch, ${actionEpoch}::bigint)
      and action.epoch <= greatest(snapshot.action_epoch, ${actionEpoch}::bigint)
      and action.effective_at <= snapshot.effective_at
      and (
        exists (select from holding where holding.user_id = snapshot.user_id
          and holding.instrument_id = action.instrument_id)
        or exists (select from corporate_action as earlier
          where earlier.target_id = action.instrument_id)))`
}

async function findFacts(
  database: Database,
  userId: string,
  query: SnapshotQuery,
): Promise<Facts | undefined> {
  const recordedUntil =
    query.recordedUntil === undefined ? undefined : timestampText(query.recordedUntil)
  const [holdsOnlyKnown, known] =
    recordedUntil === undefined
      ? [sql``, sql``]
      : [
          sql`and snapshot.last_recorded_at <= ${recordedUntil}::timestamptz`,
          sql`and ledger.recorded_at <= ${recordedUntil}::timestamptz`,
        ]
  const { rows } = await sql<Facts>`
    select ${sql.join([...KEY, ...FACTS].map((column) => sql.ref(column)))} from snapshot
    where user_id = ${userId} and format = ${SNAPSHOT_FORMAT} and lot_method = ${query.lotMethod}
      and effective_at <= ${timestampText(query.effectiveUntil)}::timestamptz
      and last_version <= ${query.versionUntil} ${holdsOnlyKnown}
      and not ${reachesInto(sql`and ledger.version <= ${query.versionUntil} ${known}`)}
      and not ${isActedOn(query.actionEpoch)}
    order by effective_at desc, version desc limit 1`.execute(database.kysely)
  return rows[0]
}

/** Undefined when it was deleted meanwhile, or cannot be read: the ledger says the same. */
async function readSnapshot(
  database: Database,
  facts: Facts,
  telemetry: Telemetry,
): Promise<Snapshot | undefined> {
  const { rows } = await sql<{ folded: string }>`
    select folded from snapshot where user_id = ${facts.user_id} and version = ${facts.version}
      and effective_at = ${timestampText(facts.effective_at)}::timestamptz
      and lot_method = ${facts.lot_method} and format = ${SNAPSHOT_FORMAT}`.execute(database.kysely)
  const [row] = rows
  if (row === undefined) return undefined
  try {
    return snapshotOf(facts, row.folded)
  } catch (error) {
    telemetry.backgroundFailed('snapshots', error)
    return undefined
  }
}

function snapshotOf(facts: Facts, folded: string): Snapshot {
  return {
    userId: facts.user_id,
    effectiveAt: facts.effective_at,
    version: facts.version,
    lotMethod: facts.lot_method,
    entryCount: facts.entry_count,
    lastVersion: facts.last_version,
    lastSequence: facts.last_sequence,
    lastRecordedAt: facts.last_recorded_at,
    actionEpoch: facts.action_epoch,
    ...snapshotOfText(folded),
  }
}

async function writeSnapshots(
  database: Database,
  userId: string,
  added: readonly Snapshot[],
): Promise<void> {
  for (const snapshot of added) {
    // One at a time, each in a turn of its own: a snapshot of many lots takes milliseconds to write down.
    await nextTurn()
    await SNAPSHOT.execute(database.kysely, [rowOf(snapshot)])
  }
  const lotMethod = added[0]?.lotMethod
  await sql`delete from snapshot where user_id = ${userId}
    and (format <> ${SNAPSHOT_FORMAT} or lot_method <> ${lotMethod})`.execute(database.kysely)
  const { rows } = await sql<Facts & { is_outdated: boolean }>`
    select effective_at, version, entry_count, ${reachesInto(sql``)} as is_outdated
    from snapshot where user_id = ${userId}`.execute(database.kysely)
  const outlines = rows.map((row): SnapshotOutline => ({
    effectiveAt: row.effective_at,
    version: row.version,
    entryCount: row.entry_count,
    isOutdated: row.is_outdated,
  }))
  const deleted = superfluous(outlines, { present: LIMITS.snapshotsMax, outdated: OUTDATED_MAX })
  if (deleted.length === 0) return
  const moments = deleted.map(({ effectiveAt }) => timestampText(effectiveAt))
  await sql`delete from snapshot
    using unnest(${moments}::timestamptz[], ${deleted.map(({ version }) => version)}::bigint[])
      as superfluous (effective_at, version)
    where snapshot.user_id = ${userId} and snapshot.effective_at = superfluous.effective_at
      and snapshot.version = superfluous.version`.execute(database.kysely)
}

function rowOf(snapshot: Snapshot): readonly unknown[] {
  return [
    snapshot.userId,
    timestampText(snapshot.effectiveAt),
    snapshot.version,
    SNAPSHOT_FORMAT,
    snapshot.lotMethod,
    snapshot.entryCount,
    snapshot.lastVersion,
    snapshot.lastSequence,
    timestampText(snapshot.lastRecordedAt),
    snapshot.actionEpoch,
    snapshotText(snapshot),
  ]
}
