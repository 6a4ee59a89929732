import { sql, type Transaction } from 'kysely'
import { LeaseLost } from '../../app/history-store.ts'
import type { Lease, Leases } from '../../app/ports.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** The rows of `lease`, by the database's clock; the token grows whenever a lease begins anew. */
export function openLeases(database: Database): Leases {
  return {
    async claim(name, holder, termMs) {
      const term = sql`clock_timestamp() + ${termMs} * interval '1 millisecond'`
      const { rows } = await sql<{ token: number }>`
        insert into lease (name, holder, expires_at, token) values (${name}, ${holder}, ${term}, 1)
        on conflict (name) do update set holder = excluded.holder, expires_at = ${term},
          token = lease.token
            + case when lease.expires_at <= clock_timestamp() or lease.holder <> excluded.holder
                then 1 else 0 end
          where lease.holder = excluded.holder or lease.expires_at <= clock_timestamp()
        returning token`.execute(database.kysely)
      const [row] = rows
      return row && { name, token: row.token }
    },

    async release({ name, token }) {
      await sql`update lease set expires_at = clock_timestamp()
        where name = ${name} and token = ${token} and expires_at > clock_timestamp()`.execute(
        database.kysely,
      )
    },
  }
}

/**
 * Runs statements that are committed under a lease alone: whoever takes it over waits for this transaction, and finds
 * all of it done or nothing.
 * @throws LeaseLost.
 */
export function underLease<Result>(
  database: Database,
  { name, token }: Lease,
  work: (transaction: Transaction<Schema>) => Promise<Result>,
): Promise<Result> {
  return database.transaction(async (transaction) => {
    const [{ rows }, result] = await Promise.all([
      sql`select from lease where name = ${name} and token = ${token}
        and expires_at > clock_timestamp() for share`.execute(transaction),
      work(transaction),
    ])
    if (rows.length === 0) throw new LeaseLost(`the lease ${name} is another's`)
    return { commit: true, result }
  })
}
