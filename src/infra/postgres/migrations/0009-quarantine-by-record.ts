import { type Kysely, sql } from 'kysely'

/** Finds what was quarantined long ago, to forget it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw('create index quarantined_quote_by_record on quarantined_quote (recorded_at)')
    .execute(db)
}
