import { sql } from 'kysely'
import type { Leases } from '../../app/ports.ts'
import { type Database, timestampText } from './database.ts'

/** One row for each lease, claimed by a single statement: of two that claim at once, the second sees the first. */
export function openLeases(database: Database): Leases {
  return {
    async claim(name, holder, now, until) {
      const { numAffectedRows } = await sql`
        insert into lease (name, holder, expires_at)
        values (${name}, ${holder}, ${timestampText(until)})
        on conflict (name) do update
          set holder = excluded.holder, expires_at = excluded.expires_at
          where lease.holder = excluded.holder or lease.expires_at <= ${timestampText(now)}`.execute(
        database.kysely,
      )
      return numAffectedRows === 1n
    },
  }
}
