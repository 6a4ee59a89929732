import { afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import type { HistoryStore } from '../../../../src/app/history-store.ts'
import { sql } from 'kysely'
import { type EpochDay, epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import { type Database, openDatabase } from '../../../../src/infra/postgres/database.ts'
import { openHistoryStore } from '../../../../src/infra/postgres/history-store.ts'
import { useDatabase } from '../../../support/store.ts'

const fixture = useDatabase()
/** More than one statement counts. */
const COUNT = 50_100
const DAY = epochDay('2024-03-07')
const owedUntil = (): EpochDay => DAY

let database: Database
let history: HistoryStore

function user(number: number): string {
  return `u${String(number).padStart(5, '0')}`
}

beforeAll(async () => {
  await fixture.raw.query(
    `insert into portfolio (user_id, version)
     select 'u' || lpad(n::text, 5, '0'), 2 from generate_series(1, ${COUNT}) n`,
  )
})

beforeEach(async () => {
  // One connection: what it read is told of it.
  database = openDatabase({ databaseUrl: fixture.url, poolMax: 1 })
  history = openHistoryStore(database)
  await fixture.raw.query('truncate valuation_head')
  await fixture.raw.query(
    `insert into valuation_head (user_id, version, kept_until, instrument_ids)
     select user_id, version, '2024-03-07', '{AAPL}' from portfolio`,
  )
  await fixture.raw.query('analyze portfolio, valuation_head')
})

afterEach(() => database.close())

async function fail(...numbers: readonly number[]): Promise<void> {
  await fixture.raw.query(
    `update valuation_head set attempts = 3, retry_at = now() + interval '1 hour',
       kept_until = '2024-03-05' where user_id = any ($1)`,
    [numbers.map(user)],
  )
}

/** Rows of both tables that were read so far. */
async function rowsRead(): Promise<number> {
  await database.transaction(async (transaction) => {
    await sql`select pg_stat_force_next_flush()`.execute(transaction)
    return { commit: true, result: undefined }
  })
  const { rows } = await fixture.raw.query<{ count: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as count from pg_stat_user_tables
     where relname in ('portfolio', 'valuation_head')`,
  )
  return rows[0]!.count
}

it('reads of fifty thousand portfolios none but those that could not be made, at the end of a round', async () => {
  await fail(1, 6_000, COUNT)
  await fixture.raw.query('analyze valuation_head')
  const before = await rowsRead()
  expect(await history.lag(undefined, owedUntil)).toEqual({ users: 3, days: 2 })
  expect((await rowsRead()) - before).toBeLessThan(20)
})

it('counts what a round has before it, and of what is behind it those that could not be made', async () => {
  await fail(10, 20, 11_000)
  await fixture.raw.query(`update valuation_head set version = 1 where user_id = any ($1)`, [
    [15, 4_999, 5_001, 50_001, COUNT].map(user),
  ])
  await fixture.raw.query(`delete from valuation_head where user_id = $1`, [user(7_000)])
  await fixture.raw.query(
    `update valuation_head set kept_until = '2024-03-01' where user_id = '${user(9_000)}'`,
  )
  expect(await history.lag('', owedUntil)).toEqual({ users: 10, days: 6 })
  expect(await history.lag(user(15), owedUntil)).toEqual({ users: 9, days: 6 })
  expect(await history.lag(user(9_000), owedUntil)).toEqual({ users: 5, days: 2 })
  expect(await history.lag(user(COUNT), owedUntil)).toEqual({ users: 3, days: 2 })
})
