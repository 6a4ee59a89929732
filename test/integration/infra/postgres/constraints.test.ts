import { expect, test } from '@jest/globals'
import { useDatabase } from '../../../support/store.ts'
import type { Row } from './row-cases.ts'
import { BAD, GOOD, LEGAL, TABLES } from './table-rows.ts'

const database = useDatabase()

const hit = new Set<string>()

/** Inserts the row and takes it back; resolves to what PostgreSQL said. */
async function insert(table: string, row: Row): Promise<unknown> {
  const client = await database.raw.connect()
  const columns = Object.keys(row)
  try {
    await client.query('begin')
    await client.query(
      `insert into ${table} (${columns.join(', ')})
       values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
      Object.values(row),
    )
    return 'accepted'
  } catch (error) {
    return error
  } finally {
    await client.query('rollback')
    client.release()
  }
}

test.each(LEGAL)('%s takes %j', async (table, row) => {
  expect(await insert(table, { ...TABLES[table], ...row })).toBe('accepted')
})

const CASES = Object.entries(BAD).flatMap(([table, rows]) =>
  rows.map((row) => [table, row] as const),
)

test.each(CASES)('%s refuses %j', async (table, row) => {
  const said = await insert(table, { ...TABLES[table], ...row })
  expect(said).toMatchObject({ code: '23514', table })
  hit.add(`${table}.${(said as { constraint: string }).constraint}`)
})

test('a row of another is never written over, and nothing is left out', async () => {
  const client = await database.connect()
  for (const [table, good] of Object.entries(GOOD)) {
    const columns = Object.keys(good)
    const marks = columns.map((_, index) => `$${index + 1}`).join(', ')
    const text = `insert into ${table} (${columns.join(', ')}) values (${marks})`
    await client.query('begin')
    await client.query(text, Object.values(good))
    await expect(client.query(text, Object.values(good))).rejects.toMatchObject({ code: '23505' })
    await client.query('rollback')
  }
  const { rows } = await client.query<{ column: string }>(
    `select table_name || '.' || column_name as column from information_schema.columns
     where table_schema = 'public' and table_name not like 'kysely%' and is_nullable = 'YES'
     order by 1`,
  )
  expect(rows.map(({ column }) => column)).toEqual([
    'corporate_action.target_id',
    'holding.last_effective_at',
    'holding.last_trade_at',
    'holding.last_trade_price',
    'instrument.expiry_day',
    'instrument.option_right',
    'instrument.strike',
    'instrument.underlying_symbol',
    'ledger.reverses_sequence',
    'ledger.terms',
    'lot.basis',
    'lot_match.basis',
    'lot_match.gain',
    'lot_match.to_version',
    'packed_closes.days',
    'packed_closes.packed_before',
    'packed_closes.prices',
    'packed_closes.units_of',
    'portfolio.cash_since',
    'portfolio.last_recorded_at',
    'quarantined_quote.released_at',
    'request_key.answer',
    'valuation.growth',
    'valuation.inflow',
    'valuation.outflow',
    'valuation.value',
    'valuation_head.kept_until',
    'valuation_head.retry_at',
  ])
})

test('no CHECK is without a case that it refuses', async () => {
  const { rows } = await database.raw.query<{ name: string }>(
    `select conrelid::regclass || '.' || conname as name from pg_constraint
     where contype = 'c' and connamespace = 'public'::regnamespace`,
  )
  expect(rows.length).toBeGreaterThan(30)
  expect(rows.map(({ name }) => name).filter((name) => !hit.has(name))).toEqual([])
})
