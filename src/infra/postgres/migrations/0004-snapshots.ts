import { type Kysely, sql } from 'kysely'

/** Folded states that past reads begin with, and quotes whose corrections leave what was known before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}

const STATEMENTS = [
  `create table snapshot (
    user_id text not null,
    effective_at timestamptz not null,
    version bigint not null,
    format integer not null check (format > 0),
    lot_method text not null,
    entry_count bigint not null check (entry_count > 0),
    last_version bigint not null check (last_version between 1 and version),
    last_sequence bigint not null check (last_sequence > 0),
    last_recorded_at timestamptz not null,
    folded text not null,
    primary key (user_id, effective_at, version)
  )`,
  // Tells whether anything newer reaches before a snapshot without looking at the rows.
  `drop index ledger_by_version`,
  `create index ledger_by_version on ledger (user_id, version, effective_at)
    include (recorded_at, reverses_sequence)`,

  // A correction is another record of the same quote: what was known before it stays known.
  `alter table quote drop constraint quote_pkey,
    add primary key (instrument_id, priced_at, source, recorded_at)`,
]
