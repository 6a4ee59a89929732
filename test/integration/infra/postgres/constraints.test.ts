import { expect, test } from '@jest/globals'
import { useDatabase } from '../../../support/store.ts'

type Row = Readonly<Record<string, string | number | boolean | null>>

const database = useDatabase()

const HASH = `\\x${'ab'.repeat(32)}`
const MOMENT = '2024-01-02T03:04:05Z'

/** A good row of each table: a bad one differs from it in what the case names, and in nothing else. */
const GOOD: Readonly<Record<string, Row>> = {
  portfolio: { user_id: 'good' },
  ledger: {
    user_id: 'good',
    sequence: 1,
    version: 1,
    effective_at: MOMENT,
    recorded_at: MOMENT,
    instrument_id: 'AAPL',
    account_id: '',
    type: 'BUY',
    quantity: '1',
    price: '1',
    request_id: 'r',
    hash: HASH,
  },
  holding: {
    user_id: 'good',
    instrument_id: 'AAPL',
    account_id: '',
    quantity: '2',
    unknown_quantity: '1',
    basis: '3',
    realized: '0',
    capital: '3',
    lot_count: 1,
    last_trade_price: '3',
    last_trade_at: MOMENT,
    transaction_count: 1,
  },
  lot: {
    user_id: 'good',
    instrument_id: 'AAPL',
    account_id: '',
    opened_sequence: 1,
    part: 0,
    acquired_at: MOMENT,
    quantity_acquired: '2',
    quantity: '1',
    basis: '3',
  },
  lot_match: {
    user_id: 'good',
    disposal_sequence: 2,
    part: 0,
    from_version: 2,
    to_version: 3,
    disposed_at: MOMENT,
    instrument_id: 'AAPL',
    account_id: '',
    lot_sequence: 1,
    lot_part: 0,
    acquired_at: MOMENT,
    quantity: '1',
    basis: '3',
    proceeds: '5',
    gain: '2',
    rule: 'FIFO',
  },
  request_key: {
    user_id: 'good',
    caller: 'c',
    method: 'm',
    key: 'k',
    content_hash: HASH,
    version: 1,
    recorded_at: MOMENT,
  },
  cash: { user_id: 'good', currency: '', amount: '-1' },
  external_id: {
    user_id: 'good',
    source: '',
    external_id: 'x',
    sequence: 1,
    content_hash: HASH,
  },
  quote: {
    instrument_id: 'AAPL',
    priced_at: MOMENT,
    source: 's',
    price: '1',
    currency: 'USD',
    kind: 'REALTIME',
    split_adjusted: false,
    recorded_at: MOMENT,
  },
  outbox: {
    user_id: 'good',
    version: 1,
    n: 0,
    recorded_at: MOMENT,
    etag: '1-ab',
    first_sequence: 1,
    last_sequence: 1,
  },
  snapshot: {
    user_id: 'good',
    effective_at: MOMENT,
    version: 2,
    format: 1,
    lot_method: 'FIFO',
    entry_count: 1,
    last_version: 1,
    last_sequence: 1,
    last_recorded_at: MOMENT,
    folded: '{}',
  },
  reference_epoch: { name: 'good', epoch: 0 },
  instrument: {
    instrument_id: 'AAPL',
    symbol: 'AAPL',
    mic: '',
    isin: '',
    figi: '',
    currency: 'USD',
    asset_class: 'EQUITY',
    multiplier: '1',
    quantity_scale: 0,
    classifications: '{}',
    strike: '1',
    option_right: 'CALL',
    epoch: 1,
  },
  alias: { symbol: 'AAPL', from_day: '', to_day: '', instrument_id: 'AAPL' },
  quarantined_quote: {
    instrument_id: 'AAPL',
    priced_at: MOMENT,
    source: 's',
    price: 'nan',
    currency: 'USD',
    kind: 'REALTIME',
    split_adjusted: false,
    recorded_at: MOMENT,
    reason: 'PRICE_INVALID',
  },
}
const TABLES: Readonly<Record<string, Row>> = { ...GOOD, newest_quote: GOOD['quote']! }

const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']
const each = (column: string, values: Row[string][]): Row[] =>
  values.map((value) => ({ [column]: value }))

const BAD: Readonly<Record<string, readonly Row[]>> = {
  outbox: [
    ...each('version', [0]),
    ...each('n', [-1]),
    ...each('first_sequence', [0]),
    ...each('last_sequence', [-1]),
  ],
  snapshot: [
    ...each('version', [0]),
    ...each('format', [0]),
    ...each('entry_count', [0]),
    ...each('last_version', [0, 3]),
    ...each('last_sequence', [0]),
  ],
  portfolio: [
    ...each('user_id', ['', 'x'.repeat(129)]),
    ...each('version', [-1]),
    ...each('last_sequence', [-1]),
    ...each('chain_head', ['\\xab']),
    ...each('base_currency', ['usd', 'US', 'USDT']),
    ...each('lot_method', ['fifo']),
  ],
  ledger: [
    ...each('sequence', [0]),
    ...each('version', [0]),
    ...each('type', ['TRANSFER']),
    ...each('quantity', ['0', '-1', ...NOT_FINITE]),
    ...each('price', ['-1', ...NOT_FINITE]),
    { type: 'DIVIDEND', quantity: '1' },
    ...each('reverses_sequence', [1, 2]),
    { type: 'TRANSFER_IN', price: '-1' },
    { type: 'TRANSFER_IN', price: 'NaN' },
    ...each('hash', ['\\xab']),
  ],
  holding: [
    ...each('quantity', NOT_FINITE),
    ...each('unknown_quantity', ['2.1', '-2.1', ...NOT_FINITE]),
    ...each('basis', NOT_FINITE),
    ...each('realized', NOT_FINITE),
    ...each('capital', NOT_FINITE),
    ...each('income', NOT_FINITE),
    ...each('fees', ['-1', ...NOT_FINITE]),
    ...each('taxes', ['-1', ...NOT_FINITE]),
    ...each('lot_count', [-1, 0]),
    { quantity: '0', unknown_quantity: '0', basis: '0' },
    { quantity: '0', unknown_quantity: '0', lot_count: 0 },
    ...each('last_trade_price', ['-1', null, ...NOT_FINITE]),
    { last_trade_at: null },
    ...each('transaction_count', [-1]),
  ],
  lot: [
    ...each('opened_sequence', [0]),
    ...each('part', [-1]),
    ...each('quantity_acquired', ['0.9', '-2', ...NOT_FINITE]),
    ...each('quantity', ['0', '2.1', '-1', ...NOT_FINITE]),
    ...each('basis', NOT_FINITE),
  ],
  lot_match: [
    ...each('part', [-1]),
    ...each('from_version', [0]),
    ...each('to_version', [1, 2]),
    ...each('quantity', ['0', '-1', ...NOT_FINITE]),
    { basis: 'NaN', gain: 'NaN' },
    { basis: '-Infinity', gain: 'Infinity' },
    { basis: 'Infinity', gain: '-Infinity' },
    { proceeds: 'NaN', gain: 'NaN' },
    { proceeds: 'Infinity', gain: 'Infinity' },
    { proceeds: '-Infinity', gain: '-Infinity' },
    ...each('gain', ['2.01', null, 'NaN']),
    { basis: null },
  ],
  cash: [...each('currency', ['usd', 'US', 'USDT']), ...each('amount', NOT_FINITE)],
  external_id: [
    ...each('external_id', ['', 'x'.repeat(129)]),
    ...each('sequence', [0]),
    ...each('content_hash', ['\\xab']),
  ],
  request_key: [
    ...each('key', ['', 'x'.repeat(129)]),
    ...each('content_hash', ['\\xab']),
    ...each('version', [0]),
  ],
  quote: [...each('price', ['0', '-1', ...NOT_FINITE]), ...each('kind', ['realtime'])],
  newest_quote: [...each('price', ['0', '-1', ...NOT_FINITE]), ...each('kind', ['realtime'])],
  reference_epoch: each('epoch', [-1]),
  instrument: [
    ...each('instrument_id', ['', 'x'.repeat(33)]),
    ...each('multiplier', ['0', '-1', ...NOT_FINITE]),
    ...each('quantity_scale', [-1, 19]),
    ...each('strike', ['-1', ...NOT_FINITE]),
    ...each('option_right', ['call']),
    ...each('epoch', [0]),
  ],
  alias: [{ from_day: '2024-01-02', to_day: '2024-01-01' }],
  quarantined_quote: each('kind', ['realtime']),
}

const LEGAL: readonly (readonly [string, Row])[] = [
  ...Object.keys(TABLES).map((table) => [table, {}] as const),
  ['ledger', { type: 'TRANSFER_IN', price: '0' }],
  ['ledger', { type: 'TRANSFER_OUT', price: '0' }],
  ['ledger', { price: '0' }],
  ['ledger', { type: 'DIVIDEND', quantity: '0', price: '0' }],
  ['ledger', { sequence: 2, reverses_sequence: 1 }],
  ['holding', { last_trade_price: '0' }],
  ['holding', { income: '-1', fees: '1', taxes: '1' }],
  ['cash', { currency: 'EUR' }],
  ['holding', { quantity: '0', unknown_quantity: '0', basis: '0', lot_count: 0, realized: '-5' }],
  ['holding', { quantity: '-2', unknown_quantity: '0', basis: '-3' }],
  ['lot', { basis: null }],
  ['lot', { basis: '0' }],
  ['lot', { quantity_acquired: '-2', quantity: '-1', basis: '-3' }],
  // Sold short for less than the charges.
  ['lot', { quantity_acquired: '-2', quantity: '-1', basis: '3' }],
  ['lot_match', { basis: null, gain: null, to_version: null }],
  ['lot_match', { proceeds: '1', gain: '-2' }],
]

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
    'portfolio.cash_since',
    'portfolio.last_recorded_at',
    'quarantined_quote.released_at',
    'request_key.answer',
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
