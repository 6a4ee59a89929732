import { sql } from 'kysely'
import type { AnalyticsStore, CloseHistory } from '../../app/analytics-store.ts'
import type { EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import { packLedger } from '../../domain/analytics/pack-ledger.ts'
import type { LotMethod } from '../../domain/portfolio/lot-methods.ts'
import type { Instant } from '../../domain/time.ts'
import { type Database, timestampText } from './database.ts'
import { ENTRY_TEXT, entriesOfText } from './entry-text.ts'
import {
  findUnpacked,
  packedBefore,
  type PackedHistory,
  readPacked,
  writePacked,
} from './packed-closes.ts'
import { QUOTE_DAY } from './quote-rows.ts'

/** Many rows as one text: a row for each entry or close would cost the driver more than all that is done with them. */
export function openAnalyticsStore(database: Database): AnalyticsStore {
  return {
    async heads(userIds) {
      const { rows } = await sql<HeadRow>`
        select user_id, version, last_sequence from portfolio
        where user_id = any(${[...userIds]}::text[]) and version > 0`.execute(database.kysely)
      return new Map(
        rows.map((row) => [row.user_id, { version: row.version, entryCount: row.last_sequence }]),
      )
    },

    async ledgers(userIds, recordedUntil) {
      const known =
        recordedUntil === undefined
          ? sql``
          : sql`and recorded_at <= ${timestampText(recordedUntil)}::timestamptz`
      const { rows } = await sql<LedgerRow>`
        select user_id, version, base_currency, time_zone, lot_method, entries from portfolio
        cross join lateral (
          select string_agg(${ENTRY_TEXT}, e'\n') as entries
          from ledger where ledger.user_id = portfolio.user_id ${known}
        ) as folded
        where user_id = any(${[...userIds]}::text[]) and version > 0`.execute(database.kysely)
      return rows.map(packedOf)
    },

    async closes(instrumentIds, asked) {
      if (instrumentIds.length === 0) return []
      const packed =
        asked.recordedUntil === undefined
          ? await readPacked(database, instrumentIds, asked.withUnits)
          : new Map<string, PackedHistory>()
      const found = new Map<string, CloseHistory>(packed)
      for (const [since, ids] of bySince(instrumentIds, packed)) {
        // Of an instrument quoted in several currencies, the last one counts: it comes last.
        for (const exact of await readExact(database, ids, { ...asked, since })) {
          found.set(exact.instrumentId, joined(packed.get(exact.instrumentId), exact))
        }
      }
      return [...found.values()]
    },

    async packCloses(now) {
      const before = packedBefore(now)
      const unpacked = await findUnpacked(database, before, PACKED_PER_CALL)
      const ids = unpacked.map(({ instrumentId }) => instrumentId)
      const asked = { recordedUntil: undefined, withUnits: true, before }
      const read = ids.length === 0 ? [] : await readExact(database, ids, asked)
      for (const each of unpacked) {
        const histories = read.filter(({ instrumentId }) => instrumentId === each.instrumentId)
        // Of several currencies only the quotes themselves tell which one counts.
        await writePacked(database, each, before, histories.length === 1 ? histories[0] : undefined)
      }
      return unpacked.length
    },

    closesSince: (recordedSince) => closesSince(database, recordedSince),
  }
}

/** Instruments that are packed at a time: their histories are in memory together. */
const PACKED_PER_CALL = 20

/** Instruments by what is packed of them: up to one month nearly always, or nothing. */
function bySince(
  instrumentIds: readonly string[],
  packed: ReadonlyMap<string, PackedHistory>,
): ReadonlyMap<Instant | undefined, readonly string[]> {
  const groups = new Map<Instant | undefined, string[]>()
  for (const id of instrumentIds) {
    const since = packed.get(id)?.before
    const group = groups.get(since)
    if (group === undefined) groups.set(since, [id])
    else group.push(id)
  }
  return groups
}

function joined(packed: CloseHistory | undefined, exact: CloseHistory): CloseHistory {
  if (packed?.currency !== exact.currency) return exact
  const count = packed.days.length
  const days = new Int32Array(count + exact.days.length)
  const prices = new Float64Array(days.length)
  days.set(packed.days)
  days.set(exact.days, count)
  prices.set(packed.prices)
  prices.set(exact.prices, count)
  if (packed.unitsOf === undefined || exact.unitsOf === undefined) {
    return { ...exact, days, prices, unitsOf: undefined }
  }
  const unitsOf = new Float64Array(days.length)
  unitsOf.set(packed.unitsOf)
  unitsOf.set(exact.unitsOf, count)
  return { ...exact, days, prices, unitsOf }
}

/** Closes out of the quotes themselves, by instrument and currency, the currency of the last close last. */
async function readExact(
  database: Database,
  instrumentIds: readonly string[],
  asked: {
    readonly recordedUntil: Instant | undefined
    readonly withUnits: boolean
    readonly since?: Instant | undefined
    readonly before?: Instant
  },
): Promise<readonly CloseHistory[]> {
  const { recordedUntil, withUnits, since, before } = asked
  const known =
    recordedUntil === undefined
      ? sql``
      : sql`and recorded_at <= ${timestampText(recordedUntil)}::timestamptz`
  const { rows } = await sql<ClosesRow>`
    select instrument_id, currency, max(day) as last_day,
      string_agg(day || ' ' || price, ',' order by day) as closes
      ${withUnits ? sql`, string_agg(units_of::text, ',' order by day) as units_of` : sql``}
    from (
      select distinct on (instrument_id, day) instrument_id, price, currency, ${QUOTE_DAY} as day
        ${withUnits ? sql`, ${UNITS_OF} as units_of` : sql``}
      from quote where instrument_id = any(${[...instrumentIds]}::text[])
        and priced_at >= ${momentText(since) ?? '-infinity'}::timestamptz
        and priced_at < ${momentText(before) ?? 'infinity'}::timestamptz ${known}
      order by instrument_id, day, priced_at desc, recorded_at desc, source
    ) as daily
    group by instrument_id, currency order by instrument_id, last_day`.execute(database.kysely)
  return rows.map(historyOf)
}

function momentText(instant: Instant | undefined): string | undefined {
  return instant === undefined ? undefined : timestampText(instant)
}

async function closesSince(
  database: Database,
  recordedSince: Instant,
): ReturnType<AnalyticsStore['closesSince']> {
  const since = sql`${timestampText(recordedSince)}::timestamptz`
  const { rows } = await sql<ChangedRow>`
        with changed as (
          select instrument_id, ${QUOTE_DAY} as day, max(recorded_at) as recorded_at from quote
          where recorded_at >= ${since} group by 1, 2
        )
        select changed.instrument_id, changed.day, changed.recorded_at, newest.*
        from changed cross join lateral (
          select price, currency, ${UNITS_OF} as units_of from quote
          where quote.instrument_id = changed.instrument_id
            and priced_at >= (date '1970-01-01' + changed.day)::timestamp at time zone 'UTC'
            and priced_at < (date '1970-01-01' + changed.day + 1)::timestamp at time zone 'UTC'
          order by priced_at desc, recorded_at desc, source limit 1
        ) as newest`.execute(database.kysely)
  return {
    closes: rows.map((row) => ({
      instrumentId: row.instrument_id,
      currency: row.currency,
      day: row.day,
      price: Number(row.price),
      unitsOf: row.units_of,
    })),
    recordedUntil: rows.reduce((latest, row) => Math.max(latest, row.recorded_at), recordedSince),
  }
}

/** As `pairedQuote` reads it: a price of an adjusted history is of the units of when it was recorded. */
const UNITS_OF = sql`(date_part('epoch',
  case when split_adjusted then greatest(priced_at, recorded_at) else priced_at end) * 1000000)::bigint`

interface HeadRow {
  readonly user_id: string
  readonly version: number
  readonly last_sequence: number
}

interface LedgerRow {
  readonly user_id: string
  readonly version: number
  readonly base_currency: string
  readonly time_zone: string
  readonly lot_method: LotMethod
  readonly entries: string | null
}

interface ClosesRow {
  readonly instrument_id: string
  readonly currency: string
  readonly closes: string
  readonly units_of?: string
}

interface ChangedRow {
  readonly instrument_id: string
  readonly day: EpochDay
  readonly recorded_at: Instant
  readonly price: string
  readonly currency: string
  readonly units_of: Instant
}

function historyOf(row: ClosesRow): CloseHistory {
  const { instrument_id: instrumentId, currency, closes, units_of: units } = row
  const texts = closes.split(',')
  const days = new Int32Array(texts.length)
  const prices = new Float64Array(texts.length)
  for (const [at, text] of texts.entries()) {
    const space = text.indexOf(' ')
    days[at] = Number(text.slice(0, space))
    prices[at] = Number(text.slice(space + 1))
  }
  const unitsOf = units === undefined ? undefined : Float64Array.from(units.split(','), Number)
  return { instrumentId, currency, days, prices, unitsOf }
}

function packedOf(row: LedgerRow): PackedLedger {
  return {
    userId: row.user_id,
    version: row.version,
    baseCurrency: row.base_currency,
    timeZone: row.time_zone,
    lotMethod: row.lot_method,
    ...packLedger(entriesOfText(row.entries ?? '', row.time_zone)),
  }
}
