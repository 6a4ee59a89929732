import { afterEach, beforeEach, expect, test } from '@jest/globals'
import pg from 'pg'
import { migrateDatabase } from '../../../../src/infra/postgres/migrate.ts'
import { FaultyProxy } from '../../../support/faults.ts'
import { createTestDatabase, type TestDatabase } from '../../../support/postgres.ts'

const NAMES = [
  '0001-portfolio',
  '0002-rich-transactions',
  '0003-outbox',
  '0004-snapshots',
  '0005-instruments',
  '0006-corporate-actions',
  '0007-quotes-by-record',
  '0008-packed-closes',
  '0009-quarantine-by-record',
  '0010-valuation-history',
  '0011-failed-histories',
]
const TABLES = [
  'alias',
  'cash',
  'corporate_action',
  'external_id',
  'holding',
  'instrument',
  'lease',
  'ledger',
  'lot',
  'lot_match',
  'newest_quote',
  'outbox',
  'packed_closes',
  'portfolio',
  'quarantined_quote',
  'quote',
  'reference_epoch',
  'request_key',
  'snapshot',
  'valuation',
  'valuation_head',
  'valuation_news',
]

let database: TestDatabase
let client: pg.Client

beforeEach(async () => {
  database = await createTestDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('drop schema public cascade; create schema public')
})

afterEach(async () => {
  await client.end()
  await database.drop()
})

async function tables(): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select tablename as name from pg_tables
     where schemaname = 'public' and tablename not like 'kysely%' order by 1`,
  )
  return rows.map(({ name }) => name)
}

async function applied(): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>('select name from kysely_migration')
  return rows.map(({ name }) => name)
}

test('replicas that start at once apply each migration once, and the next start none', async () => {
  const results = await Promise.all([1, 2, 3].map(() => migrateDatabase(database.url)))
  expect(results.flat()).toEqual(NAMES)
  expect(await tables()).toEqual(TABLES)
  expect(await applied()).toEqual(NAMES)
  await client.query("insert into portfolio (user_id) values ('kept')")
  expect(await migrateDatabase(database.url)).toEqual([])
  expect((await client.query('select from portfolio')).rowCount).toBe(1)
})

test('a migration cut off half-way leaves nothing, and can be run again', async () => {
  const proxy = await FaultyProxy.start(database.url)
  try {
    const held = proxy.hold(/^create table request_key/)
    const migrating = migrateDatabase(proxy.url).catch((error: unknown) => error)
    const statement = await held
    // The tables before it are made, in its transaction: nobody else can make them meanwhile.
    const { rowCount } = await client.query(
      `select from pg_locks where pid = $1 and mode = 'AccessExclusiveLock'`,
      [statement.backendPid],
    )
    expect(rowCount).toBeGreaterThan(4)
    statement.cut()
    expect(await migrating).toMatchObject({ message: 'a migration failed' })
  } finally {
    await proxy.close()
  }
  expect(await tables()).toEqual([])
  expect(await applied()).toEqual([])
  expect(await migrateDatabase(database.url)).toEqual(NAMES)
  expect(await tables()).toEqual(TABLES)
})

test('a migration in the way of a long transaction gives up, and leaves nothing', async () => {
  await client.query('begin; create table request_key ()')
  await expect(migrateDatabase(database.url)).rejects.toMatchObject({
    message: 'a migration failed',
    cause: { code: '55P03' },
  })
  await client.query('rollback')
  expect(await tables()).toEqual([])
  expect(await migrateDatabase(database.url)).toEqual(NAMES)
})

test('a database that cannot be reached is an error, not a wait', async () => {
  const proxy = await FaultyProxy.start(database.url)
  proxy.refuse(true)
  await expect(migrateDatabase(proxy.url)).rejects.toThrow('a migration failed')
  await proxy.close()
})
