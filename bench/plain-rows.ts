import { type Selectable, sql, type Transaction } from 'kysely'
import { decimal, decimalText } from '../src/domain/decimal.ts'
import { etagOf } from '../src/domain/portfolio/state.ts'
import { rfc3339 } from '../src/domain/time.ts'
import { BulkInsert, replacing } from '../src/infra/postgres/bulk-insert.ts'
import type { Schema } from '../src/infra/postgres/schema.ts'
import type { PlainHolding, PlainLot, PlainMatch, PlainTrade } from './plain-trade.ts'

export type PlainTransaction = Transaction<Schema>

export interface PlainPortfolio {
  readonly version: number
  readonly lastSequence: number
  readonly lastRecordedAt: number
  readonly chainHead: Buffer
}

/** Times leave the database as text or as whole microseconds: a JavaScript date would lose digits. */
const microseconds = (column: string) =>
  sql<number>`(extract(epoch from ${sql.ref(column)}) * 1000000)::bigint`

export async function lockPortfolio(
  transaction: PlainTransaction,
  userId: string,
): Promise<PlainPortfolio> {
  const found = await selectPortfolio(transaction, userId)
  if (found !== undefined) return found
  await sql`insert into portfolio (user_id) values (${userId}) on conflict do nothing`.execute(
    transaction,
  )
  const made = await selectPortfolio(transaction, userId)
  if (made === undefined) throw new Error('a portfolio row is missing')
  return made
}

async function selectPortfolio(
  transaction: PlainTransaction,
  userId: string,
): Promise<PlainPortfolio | undefined> {
  const { rows } = await sql<PlainPortfolio>`
    select version, last_sequence as "lastSequence", chain_head as "chainHead",
      coalesce(${microseconds('last_recorded_at')}, 0) as "lastRecordedAt"
    from portfolio where user_id = ${userId} for update`.execute(transaction)
  return rows[0]
}

/** All holdings of the user, in order of symbols: the touched ones to change, all of them for the summary. */
export async function selectHoldings(
  transaction: PlainTransaction,
  userId: string,
): Promise<Map<string, PlainHolding>> {
  const { rows } = await sql<Selectable<Schema['holding']> & { last_effective: number }>`
    select instrument_id, quantity, basis, realized, capital, lot_count, last_trade_price,
      transaction_count, ${microseconds('last_effective_at')} as last_effective
    from holding where user_id = ${userId} and account_id = ''
    order by instrument_id`.execute(transaction)
  return new Map(
    rows.map((row) => [
      row.instrument_id,
      {
        symbol: row.instrument_id,
        quantity: decimal(row.quantity),
        basis: decimal(row.basis),
        realized: decimal(row.realized),
        capital: decimal(row.capital),
        lotCount: row.lot_count,
        lastTradePrice: decimal(row.last_trade_price ?? 0),
        lastEffectiveAt: row.last_effective,
        transactionCount: row.transaction_count,
        changed: false,
      },
    ]),
  )
}

/** Open lots of the named symbols, oldest first. Buying needs none of them. */
export async function selectLots(
  transaction: PlainTransaction,
  userId: string,
  symbols: readonly string[],
): Promise<Map<string, PlainLot[]>> {
  const lots = new Map<string, PlainLot[]>()
  if (symbols.length === 0) return lots
  const { rows } = await sql<Selectable<Schema['lot']> & { acquired: string }>`
    select instrument_id, opened_sequence, part, acquired_at::text as acquired, quantity_acquired,
      quantity, basis
    from lot where user_id = ${userId} and instrument_id = any(${symbols}) and account_id = ''
    order by acquired_at, opened_sequence, part`.execute(transaction)
  for (const row of rows) {
    const lot: PlainLot = {
      symbol: row.instrument_id,
      openedSequence: row.opened_sequence,
      part: row.part,
      acquiredAt: row.acquired,
      quantityAcquired: decimal(row.quantity_acquired),
      quantity: decimal(row.quantity),
      basis: decimal(row.basis ?? 0),
      state: 'unchanged',
    }
    const known = lots.get(row.instrument_id)
    if (known === undefined) lots.set(row.instrument_id, [lot])
    else known.push(lot)
  }
  return lots
}

const LEDGER = new BulkInsert('ledger', [
  'user_id',
  'sequence',
  'version',
  'effective_at',
  'recorded_at',
  'instrument_id',
  'account_id',
  'type',
  'quantity',
  'price',
  'request_id',
  'hash',
])
const HOLDING_KEY = ['user_id', 'instrument_id', 'account_id'] as const
const HOLDING_COLUMNS = [
  ...HOLDING_KEY,
  'quantity',
  'unknown_quantity',
  'basis',
  'realized',
  'capital',
  'lot_count',
  'last_effective_at',
  'last_trade_price',
  'last_trade_at',
  'transaction_count',
] as const
const HOLDING = new BulkInsert('holding', HOLDING_COLUMNS, replacing(HOLDING_KEY, HOLDING_COLUMNS))
const LOT_KEY = ['user_id', 'instrument_id', 'account_id', 'opened_sequence', 'part'] as const
const LOT_COLUMNS = [...LOT_KEY, 'acquired_at', 'quantity_acquired', 'quantity', 'basis'] as const
const LOT = new BulkInsert('lot', LOT_COLUMNS, replacing(LOT_KEY, LOT_COLUMNS))
const LOT_MATCH = new BulkInsert('lot_match', [
  'user_id',
  'disposal_sequence',
  'part',
  'from_version',
  'disposed_at',
  'instrument_id',
  'account_id',
  'lot_sequence',
  'lot_part',
  'acquired_at',
  'quantity',
  'basis',
  'proceeds',
  'gain',
  'rule',
])

const OUTBOX = new BulkInsert('outbox', [
  'user_id',
  'version',
  'n',
  'recorded_at',
  'etag',
  'first_sequence',
  'last_sequence',
])

/** What one request changes, decided. */
export interface PlainChange {
  readonly userId: string
  readonly requestId: string
  readonly before: PlainPortfolio
  readonly recordedAt: number
  readonly trades: readonly { readonly trade: PlainTrade; readonly hash: Uint8Array }[]
  readonly holdings: readonly PlainHolding[]
  readonly lots: readonly PlainLot[]
  readonly matches: readonly PlainMatch[]
}

export async function writeChange(
  transaction: PlainTransaction,
  change: PlainChange,
): Promise<void> {
  const { userId, before, trades } = change
  const version = before.version + 1
  const recordedAt = rfc3339(change.recordedAt)
  await LEDGER.execute(
    transaction,
    trades.map(({ trade, hash }) => [
      userId,
      trade.sequence,
      version,
      rfc3339(trade.effectiveAt),
      recordedAt,
      trade.symbol,
      '',
      trade.type,
      decimalText(trade.quantity),
      decimalText(trade.price),
      change.requestId,
      hash,
    ]),
  )
  await HOLDING.execute(
    transaction,
    change.holdings.filter((holding) => holding.changed).map((row) => holdingRow(userId, row)),
  )
  await writeLots(transaction, userId, change.lots)
  await LOT_MATCH.execute(
    transaction,
    change.matches.map((match) => matchRow(userId, version, match)),
  )
  const lastSequence = before.lastSequence + trades.length
  const chainHead = trades.at(-1)?.hash ?? before.chainHead
  await OUTBOX.execute(transaction, [
    [
      userId,
      version,
      0,
      recordedAt,
      etagOf({ version, chainHead }),
      before.lastSequence + 1,
      lastSequence,
    ],
  ])
  const { numAffectedRows } = await sql`
    update portfolio set version = ${version}, last_sequence = ${lastSequence},
      last_recorded_at = ${recordedAt}, chain_head = ${chainHead}
    where user_id = ${userId} and version = ${before.version}`.execute(transaction)
  if (numAffectedRows !== 1n) throw new Error('a locked portfolio changed its version')
}

async function writeLots(
  transaction: PlainTransaction,
  userId: string,
  lots: readonly PlainLot[],
): Promise<void> {
  const closed = lots.filter((lot) => lot.quantity.isZero() && lot.state !== 'new')
  if (closed.length > 0) {
    await sql`
      delete from lot using unnest(${closed.map((lot) => lot.symbol)}::text[],
        ${closed.map((lot) => lot.openedSequence)}::bigint[], ${closed.map((lot) => lot.part)}::int[])
        as closed (instrument_id, opened_sequence, part)
      where lot.user_id = ${userId} and lot.account_id = ''
        and lot.instrument_id = closed.instrument_id
        and lot.opened_sequence = closed.opened_sequence and lot.part = closed.part`.execute(
      transaction,
    )
  }
  await LOT.execute(
    transaction,
    lots
      .filter((lot) => !lot.quantity.isZero() && lot.state !== 'unchanged')
      .map((lot) => [
        userId,
        lot.symbol,
        '',
        lot.openedSequence,
        lot.part,
        lot.acquiredAt,
        decimalText(lot.quantityAcquired),
        decimalText(lot.quantity),
        decimalText(lot.basis),
      ]),
  )
}

function holdingRow(userId: string, holding: PlainHolding): readonly unknown[] {
  const lastEffectiveAt = rfc3339(holding.lastEffectiveAt)
  return [
    userId,
    holding.symbol,
    '',
    decimalText(holding.quantity),
    '0',
    decimalText(holding.basis),
    decimalText(holding.realized),
    decimalText(holding.capital),
    holding.lotCount,
    lastEffectiveAt,
    decimalText(holding.lastTradePrice),
    lastEffectiveAt,
    holding.transactionCount,
  ]
}

function matchRow(userId: string, version: number, match: PlainMatch): readonly unknown[] {
  return [
    userId,
    match.trade.sequence,
    match.part,
    version,
    rfc3339(match.trade.effectiveAt),
    match.trade.symbol,
    '',
    match.lot.openedSequence,
    match.lot.part,
    match.lot.acquiredAt,
    decimalText(match.quantity),
    decimalText(match.basis),
    decimalText(match.proceeds),
    decimalText(match.proceeds.minus(match.basis)),
    'FIFO',
  ]
}
