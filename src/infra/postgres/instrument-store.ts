import { type Selectable, sql, type Transaction } from 'kysely'
import type { InstrumentStore } from '../../app/ports.ts'
import { decimal, decimalText } from '../../domain/decimal.ts'
import type { Derivative, Instrument } from '../../domain/market-data/instrument.ts'
import { BulkInsert, replacing } from './bulk-insert.ts'
import type { Database } from './database.ts'
import type { AliasTable, InstrumentTable, Schema } from './schema.ts'

const COLUMNS = [
  'instrument_id',
  'symbol',
  'mic',
  'isin',
  'figi',
  'currency',
  'asset_class',
  'multiplier',
  'quantity_scale',
  'classifications',
  'underlying_symbol',
  'expiry_day',
  'strike',
  'option_right',
  'epoch',
] as const
const INSTRUMENTS = new BulkInsert('instrument', COLUMNS, replacing(['instrument_id'], COLUMNS))
const ALIASES = new BulkInsert('alias', ['symbol', 'from_day', 'to_day', 'instrument_id'])

/** Reference data of instruments. Changes are made one at a time, each under an epoch of its own. */
export function openInstrumentStore(database: Database): InstrumentStore {
  return {
    change: (needed, plan) =>
      database.transaction(async (transaction) => {
        const { rows } = await sql<{ epoch: number }>`
          update reference_epoch set epoch = epoch + 1 where name = 'instrument'
          returning epoch`.execute(transaction)
        const [{ epoch } = { epoch: 0 }] = rows
        const aliased = await transaction
          .selectFrom('alias')
          .select('instrument_id')
          .where('symbol', '=', sql<string>`any(${[...needed.symbols]}::text[])`)
          .execute()
        const ids = [...needed.instrumentIds, ...aliased.map((row) => row.instrument_id)]
        const result = plan(await readInstruments(transaction, ids))
        await write(transaction, result.instruments, epoch)
        return { commit: true, result }
      }),

    async readSince(epoch) {
      const changed = await database.kysely
        .selectFrom('instrument')
        .selectAll()
        .where('epoch', '>', epoch)
        .execute()
      const aliases = await readAliases(
        database.kysely,
        changed.map((row) => row.instrument_id),
      )
      return {
        instruments: changed.map((row) => instrumentOf(row, aliases)),
        epoch: changed.reduce((newest, row) => Math.max(newest, row.epoch), epoch),
      }
    },
  }
}

type Reading = Pick<Transaction<Schema>, 'selectFrom'>

async function readInstruments(
  reading: Reading,
  instrumentIds: readonly string[],
): Promise<readonly Instrument[]> {
  const rows = await reading
    .selectFrom('instrument')
    .selectAll()
    .where('instrument_id', '=', sql<string>`any(${[...instrumentIds]}::text[])`)
    .execute()
  const aliases = await readAliases(reading, instrumentIds)
  return rows.map((row) => instrumentOf(row, aliases))
}

type Aliases = ReadonlyMap<string, readonly Selectable<AliasTable>[]>

async function readAliases(reading: Reading, instrumentIds: readonly string[]): Promise<Aliases> {
  const found = new Map<string, Selectable<AliasTable>[]>()
  if (instrumentIds.length === 0) return found
  const rows = await reading
    .selectFrom('alias')
    .selectAll()
    .where('instrument_id', '=', sql<string>`any(${[...instrumentIds]}::text[])`)
    .orderBy('from_day')
    .orderBy('symbol')
    .execute()
  for (const row of rows) {
    const known = found.get(row.instrument_id)
    if (known === undefined) found.set(row.instrument_id, [row])
    else known.push(row)
  }
  return found
}

async function write(
  transaction: Transaction<Schema>,
  instruments: readonly Instrument[],
  epoch: number,
): Promise<void> {
  const ids = instruments.map(({ instrumentId }) => instrumentId)
  await Promise.all([
    transaction
      .deleteFrom('alias')
      .where('instrument_id', '=', sql<string>`any(${ids}::text[])`)
      .execute(),
    INSTRUMENTS.execute(
      transaction,
      instruments.map((instrument) => rowOf(instrument, epoch)),
    ),
    ALIASES.execute(
      transaction,
      instruments.flatMap(({ instrumentId, symbols }) =>
        symbols.map(({ symbol, fromDay, toDay }) => [symbol, fromDay, toDay, instrumentId]),
      ),
    ),
  ])
}

function rowOf(instrument: Instrument, epoch: number): readonly unknown[] {
  const { derivative } = instrument
  return [
    instrument.instrumentId,
    instrument.symbol,
    instrument.mic,
    instrument.isin,
    instrument.figi,
    instrument.currency,
    instrument.assetClass,
    decimalText(instrument.multiplier),
    instrument.quantityScale,
    JSON.stringify(instrument.classifications),
    derivative?.underlyingSymbol ?? null,
    derivative?.expiryDay ?? null,
    derivative?.strike === undefined ? null : decimalText(derivative.strike),
    derivative?.right ?? null,
    epoch,
  ]
}

function instrumentOf(row: Selectable<InstrumentTable>, aliases: Aliases): Instrument {
  return {
    instrumentId: row.instrument_id,
    symbol: row.symbol,
    mic: row.mic,
    isin: row.isin,
    figi: row.figi,
    currency: row.currency,
    assetClass: row.asset_class,
    multiplier: decimal(row.multiplier),
    quantityScale: row.quantity_scale,
    symbols: (aliases.get(row.instrument_id) ?? []).map(({ symbol, from_day, to_day }) => ({
      symbol,
      fromDay: from_day,
      toDay: to_day,
    })),
    classifications: JSON.parse(row.classifications) as Readonly<Record<string, string>>,
    derivative: derivativeOf(row),
  }
}

function derivativeOf(row: Selectable<InstrumentTable>): Derivative | undefined {
  if (row.underlying_symbol === null || row.expiry_day === null) return undefined
  return {
    underlyingSymbol: row.underlying_symbol,
    expiryDay: row.expiry_day,
    strike: row.strike === null ? undefined : decimal(row.strike),
    right: row.option_right ?? undefined,
  }
}
