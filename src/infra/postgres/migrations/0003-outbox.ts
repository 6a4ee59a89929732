import { type Kysely, sql } from 'kysely'

/** What each change tells others, written by the change's own transaction; and who does what one replica is to do. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}

const STATEMENTS = [
  // Followed by (user_id, version), which is the order of commits; recorded_at is for forgetting alone.
  `create table outbox (
    user_id text not null,
    version bigint not null check (version > 0),
    n integer not null check (n >= 0),
    recorded_at timestamptz not null,
    etag text not null,
    first_sequence bigint not null check (first_sequence > 0),
    last_sequence bigint not null check (last_sequence >= first_sequence - 1),
    primary key (user_id, version, n)
  )`,
  `create index outbox_by_age on outbox (recorded_at)`,

  `create table lease (
    name text primary key,
    holder text not null,
    expires_at timestamptz not null
  ) with (fillfactor = 50)`,
]
