import { type Kysely, sql } from 'kysely'

/**
 * The daily closes of an instrument before a month, packed: a large account reads 750,000 of them. Arrays of one
 * length, little-endian: 32-bit days since 1970-01-01, doubles, and microseconds as doubles. Without prices there is
 * nothing packed. The revision grows with each quote of before the month in which it is recorded.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table packed_closes (
        instrument_id text primary key,
        revision bigint not null,
        packed_before timestamptz,
        currency text not null default '',
        days bytea,
        prices bytea,
        units_of bytea
      )`,
    )
    .execute(db)
  // Doubles do not compress, and trying to takes longer than reading them.
  for (const column of ['days', 'prices', 'units_of']) {
    await sql
      .raw(`alter table packed_closes alter column ${column} set storage external`)
      .execute(db)
  }
}
