import { type Kysely, sql } from 'kysely'

/** Finds the histories that could not be made: they are counted after every pass. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw('create index valuation_head_failed on valuation_head (user_id) where attempts > 0')
    .execute(db)
}
