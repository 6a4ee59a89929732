import { type Selectable, sql } from 'kysely'
import type { ChangeLog, CommittedChange } from '../../app/ports.ts'
import { type Database, timestampText } from './database.ts'
import type { OutboxTable } from './schema.ts'

/** One statement forgets what was recorded within this time: a backlog of days is worked off in short statements. */
const EXPIRY_SLICE_MICROSECONDS = 60_000_000

/**
 * The outbox, read by user and version alone: a user's versions become visible in their order, which is true of
 * nothing that counts across users.
 */
export function openChangeLog(database: Database): ChangeLog {
  return {
    async versions(userIds) {
      const { rows } = await sql<{ user_id: string; version: number }>`
        select user_id, version from portfolio
        where user_id = any(${[...userIds]}::text[])`.execute(database.kysely)
      return new Map(rows.map(({ user_id, version }) => [user_id, version]))
    },

    async changesAfter(versions, countMax) {
      const users = [...versions.keys()]
      const { rows } = await sql<Selectable<OutboxTable>>`
        select outbox.* from unnest(${users}::text[], ${[...versions.values()]}::bigint[])
          as asked (user_id, version)
        join outbox on outbox.user_id = asked.user_id and outbox.version > asked.version
        where outbox.user_id = any(${users}::text[])
        order by outbox.user_id, outbox.version, outbox.n limit ${countMax}`.execute(
        database.kysely,
      )
      return rows.map(changeOfRow)
    },

    async expire(before) {
      for (;;) {
        const { rows } = await sql<{ oldest: number | null }>`
          select min(recorded_at) as oldest from outbox`.execute(database.kysely)
        const oldest = rows[0]?.oldest ?? null
        if (oldest === null || oldest >= before) return
        const until = timestampText(Math.min(before, oldest + EXPIRY_SLICE_MICROSECONDS))
        await sql`delete from outbox where recorded_at < ${until}`.execute(database.kysely)
      }
    },
  }
}

function changeOfRow(row: Selectable<OutboxTable>): CommittedChange {
  return {
    userId: row.user_id,
    version: row.version,
    etag: row.etag,
    firstSequence: row.first_sequence,
    lastSequence: row.last_sequence,
  }
}
