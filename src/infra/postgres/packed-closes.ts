import { sql, type Transaction } from 'kysely'
import type { CloseHistory } from '../../app/analytics-ports.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import { type Database, timestampText } from './database.ts'
import type { Schema } from './schema.ts'

/** An instrument that is to be packed, and what has to be so still when it is. */
export interface Unpacked {
  readonly instrumentId: string
  readonly revision: number
}

/** Closes before a moment. */
export interface PackedHistory extends CloseHistory {
  readonly before: Instant
}

interface PackedRow {
  readonly instrument_id: string
  readonly packed_before: Instant
  readonly currency: string
  readonly days: Buffer
  readonly prices: Buffer
  readonly units_of?: Buffer
}

/** The first moment of a month, UTC. */
function startOfMonth(instant: Instant): Instant {
  const date = new Date(instant / 1_000)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) * 1_000
}

/**
 * Up to where closes are packed. Of a month that ended a day ago, whatever comes is known to come late, on any
 * replica: {@link outdatePacked} sees it.
 */
export function packedBefore(now: Instant): Instant {
  return startOfMonth(now - MICROSECONDS_PER_DAY)
}

/** Packed histories hold quotes of earlier months: one that is appended now makes them be packed anew. */
export async function outdatePacked(
  transaction: Transaction<Schema>,
  quotes: readonly { readonly instrumentId: string; readonly pricedAt: Instant }[],
  recordedAt: Instant,
): Promise<void> {
  const before = startOfMonth(recordedAt)
  const late = quotes.filter(({ pricedAt }) => pricedAt < before)
  // In one order, so that no two wait for each other in a circle.
  const ids = [...new Set(late.map(({ instrumentId }) => instrumentId))].toSorted()
  if (ids.length === 0) return
  await sql`
    insert into packed_closes (instrument_id, revision) select id, 1 from unnest(${ids}::text[]) as id
    on conflict (instrument_id) do update set revision = packed_closes.revision + 1,
      packed_before = null, days = null, prices = null, units_of = null`.execute(transaction)
}

export async function readPacked(
  database: Database,
  instrumentIds: readonly string[],
  withUnits: boolean,
): Promise<ReadonlyMap<string, PackedHistory>> {
  const { rows } = await sql<PackedRow>`
    select instrument_id, packed_before, currency, days, prices ${withUnits ? sql`, units_of` : sql``}
    from packed_closes
    where instrument_id = any(${[...instrumentIds]}::text[]) and prices is not null`.execute(
    database.kysely,
  )
  return new Map(
    rows.map((row) => [
      row.instrument_id,
      {
        instrumentId: row.instrument_id,
        before: row.packed_before,
        currency: row.currency,
        days: numbersOf(row.days, Int32Array),
        prices: numbersOf(row.prices, Float64Array),
        unitsOf: row.units_of && numbersOf(row.units_of, Float64Array),
      },
    ]),
  )
}

/** Some instruments that are not packed up to a moment. */
export async function findUnpacked(
  database: Database,
  before: Instant,
  countMax: number,
): Promise<readonly Unpacked[]> {
  const { rows } = await sql<{ instrument_id: string; revision: number }>`
    select instrument_id, coalesce(revision, 0) as revision
    from newest_quote left join packed_closes using (instrument_id)
    where packed_before is distinct from ${timestampText(before)}::timestamptz
    order by instrument_id limit ${countMax}`.execute(database.kysely)
  return rows.map(({ instrument_id: instrumentId, revision }) => ({ instrumentId, revision }))
}

/**
 * Keeps a history, or that there is none to keep (undefined), unless a quote of its time was recorded meanwhile: the
 * revision is another one then.
 */
export async function writePacked(
  database: Database,
  { instrumentId, revision }: Unpacked,
  before: Instant,
  history: CloseHistory | undefined,
): Promise<void> {
  const [days, prices, unitsOf] = [history?.days, history?.prices, history?.unitsOf].map(
    (numbers) => numbers && Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  )
  await sql`
    insert into packed_closes as kept
      (instrument_id, revision, packed_before, currency, days, prices, units_of)
    values (${instrumentId}, ${revision}, ${timestampText(before)}, ${history?.currency ?? ''},
      ${days ?? null}, ${prices ?? null}, ${unitsOf ?? null})
    on conflict (instrument_id) do update set packed_before = excluded.packed_before,
      currency = excluded.currency, days = excluded.days, prices = excluded.prices,
      units_of = excluded.units_of
    where kept.revision = excluded.revision`.execute(database.kysely)
}

type Numbers = Int32Array | Float64Array

/** Copied: a buffer of the driver's begins anywhere. */
function numbersOf<Of extends Numbers>(bytes: Buffer, kind: new (length: number) => Of): Of {
  const { length } = bytes
  const numbers = new kind(length / new kind(0).BYTES_PER_ELEMENT)
  bytes.copy(new Uint8Array(numbers.buffer))
  return numbers
}
