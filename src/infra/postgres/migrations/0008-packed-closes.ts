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
        revision bigint not null check (revision >= 0),
        packed_before timestamptz,
        currency text not null default '',
        days bytea,
        prices bytea,
        units_of bytea,
        constraint packed_closes_whole check (num_nulls(days, prices, units_of) in (0, 3)),
        constraint packed_closes_dated check (prices is null or packed_before is not null),
        constraint packed_closes_lengths check (octet_length(prices) = 2 * octet_length(days)
          and octet_length(units_of) = octet_length(prices))
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
