import { Migrator, type Migration, PostgresDialect, Kysely } from 'kysely'
import pg from 'pg'
import * as portfolio from './migrations/0001-portfolio.ts'
import * as richTransactions from './migrations/0002-rich-transactions.ts'
import * as outbox from './migrations/0003-outbox.ts'
import * as snapshots from './migrations/0004-snapshots.ts'
import * as instruments from './migrations/0005-instruments.ts'
import * as corporateActions from './migrations/0006-corporate-actions.ts'
import * as quotesByRecord from './migrations/0007-quotes-by-record.ts'
import * as packedCloses from './migrations/0008-packed-closes.ts'
import * as quarantineByRecord from './migrations/0009-quarantine-by-record.ts'
import * as valuationHistory from './migrations/0010-valuation-history.ts'
import * as failedHistories from './migrations/0011-failed-histories.ts'

/** In order; append only: a released migration never changes. */
const MIGRATIONS: Record<string, Migration> = {
  '0001-portfolio': portfolio,
  '0002-rich-transactions': richTransactions,
  '0003-outbox': outbox,
  '0004-snapshots': snapshots,
  '0005-instruments': instruments,
  '0006-corporate-actions': corporateActions,
  '0007-quotes-by-record': quotesByRecord,
  '0008-packed-closes': packedCloses,
  '0009-quarantine-by-record': quarantineByRecord,
  '0010-valuation-history': valuationHistory,
  '0011-failed-histories': failedHistories,
}

/** A migration waits this long for a table that is in use, and fails rather than block everybody behind it. */
const LOCK_TIMEOUT_MS = 3_000
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Brings the schema up to date, each migration in one transaction. Safe when several replicas start at once: one
 * applies, the others wait and find nothing to do.
 * @returns the names of the migrations that this call applied.
 */
export async function migrateDatabase(databaseUrl: string): Promise<string[]> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: `-c lock_timeout=${LOCK_TIMEOUT_MS}`,
  })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    const migrator = new Migrator({
      db: kysely,
      provider: { getMigrations: () => Promise.resolve(MIGRATIONS) },
    })
    const { error, results } = await migrator.migrateToLatest()
    if (error !== undefined) throw new Error('a migration failed', { cause: error })
    return (results ?? []).map((result) => result.migrationName)
  } finally {
    await kysely.destroy()
  }
}
