import { expect, it } from '@jest/globals'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { act, type SentAction, splitOn } from '../support/corporate-actions.ts'
import { useService } from '../support/service.ts'

const { reverseCorporateAction } = MarketDataService.method
const fixture = useService()

const TABLES_OF_A_USER = ['portfolio', 'ledger', 'holding', 'lot'] as const
const PURCHASE = BigInt(Date.parse('2024-03-01T10:00:00Z') / 1_000)

/** So many portfolios that hold it, all like one that was written by a request. */
async function hold(symbol: string, count: number): Promise<void> {
  const pattern = `${symbol}-0`
  const bought = { symbol, quantity: 10, price: 400, timestamp: PURCHASE }
  await fixture.client.update({ userId: pattern, transactions: [bought] })
  const { raw } = fixture.database
  for (const table of TABLES_OF_A_USER) {
    await raw.query(
      `insert into ${table} select (jsonb_populate_record(one, jsonb_build_object(
          'user_id', $1::text || '-' || n))).*
        from ${table} as one, generate_series(1, $2 - 1) as n where user_id = $3`,
      [symbol, count, pattern],
    )
  }
}

/** Rows by table, and of those the ones that came to be after a transaction. */
async function rows(after: string): Promise<Record<string, { all: number; written: number }>> {
  const { raw } = fixture.database
  const { rows: tables } = await raw.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'lease'
       and tablename not like 'kysely%'`,
  )
  const counted: Record<string, { all: number; written: number }> = {}
  for (const { name } of tables) {
    const { rows: found } = await raw.query<{ all: number; written: number }>(
      `select count(*)::int as all,
         count(*) filter (where xmin::text::bigint > $1)::int as written from ${name}`,
      [after],
    )
    counted[name] = found[0]!
  }
  return counted
}

/** What recording actions of every kind, and taking one back, writes and deletes: rows by table. */
async function writtenFor(symbol: string): Promise<Record<string, readonly number[]>> {
  const { raw } = fixture.database
  const { rows: xacts } = await raw.query<{ id: string }>('select pg_current_xact_id()::text as id')
  const { id } = xacts[0]!
  const before = await rows(id)
  const on = (exDate: string, action: SentAction['action']): SentAction => ({
    instrumentId: symbol,
    exDate,
    ...(action && { action }),
  })
  const child = `${symbol}C`
  const spinOff = { newInstrumentId: child, ratio: '1', basisFraction: '0.5' }
  await act(fixture.client, splitOn(symbol, '2024-03-05'))
  await act(
    fixture.client,
    on('2024-03-06', { case: 'cashDividend', value: { amountPerUnit: '1' } }),
  )
  await act(fixture.client, on('2024-03-07', { case: 'spinOff', value: spinOff }))
  const merger = { newInstrumentId: `${symbol}B`, ratio: '2', cashPerUnit: '3' }
  const last = await act(fixture.client, on('2024-03-08', { case: 'merger', value: merger }))
  await fixture.client.unary(reverseCorporateAction, { corporateActionId: last })
  const after = await rows(id)
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, { all, written }]) => {
      const added = all - before[name]!.all
      return added === 0 && written === 0 ? [] : [[name, [added, written]]]
    }),
  )
}

it('recorded for ten holders or two thousand, an action writes the same few rows, none of a holder', async () => {
  await hold('FEW', 10)
  await hold('MANY', 2_000)
  // Five records; and the one row whose lock puts them in order, of which the newest is counted.
  const expected = { corporate_action: [5, 5], reference_epoch: [0, 1] }
  expect(await writtenFor('FEW')).toEqual(expected)
  expect(await writtenFor('MANY')).toEqual(expected)
  for (const userId of ['FEW-9', 'MANY-0', 'MANY-1234', 'MANY-1999']) {
    const { message } = await fixture.client.get({ userId })
    const { positions, profitLoss } = message.detail!
    expect(positions.map(({ quantity, costBasis }) => [quantity, costBasis])).toEqual([
      ['40', '2000'],
      ['40', '2000'],
    ])
    expect(profitLoss!.income).toBe('40')
  }
})
