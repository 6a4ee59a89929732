import { type Kysely, sql } from 'kysely'

/** Finds what was quarantined lately, as every replica does all the time, and what was long ago, to forget it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw('create index quarantined_quote_by_record on quarantined_quote (recorded_at)')
    .execute(db)
}
