import { type Kysely, sql } from 'kysely'

/** Finds what was recorded since a moment; the table grows in that order, so that a summary of blocks is enough. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create index quote_by_record on quote using brin (recorded_at)
        with (pages_per_range = 16, autosummarize = on)`,
    )
    .execute(db)
}
