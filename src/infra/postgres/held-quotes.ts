import { type Selectable, sql, type Transaction } from 'kysely'
import type { Outlier } from '../../app/ports.ts'
import type { QuarantinedQuote } from '../../domain/market-data/quarantine.ts'
import type { Quote } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'
import { BulkInsert } from './bulk-insert.ts'
import { type Database, timestampText } from './database.ts'
import { quoteOfRow } from './quote-rows.ts'
import type { QuarantinedQuoteTable, Schema } from './schema.ts'

const HELD = new BulkInsert(
  'quarantined_quote',
  [
    'instrument_id',
    'priced_at',
    'source',
    'price',
    'currency',
    'kind',
    'split_adjusted',
    'recorded_at',
    'reason',
  ],
  '(instrument_id, priced_at, source, recorded_at) do nothing',
)
/** What is looked through for a quote that says the same. */
const HELD_MAX = 1_000
/** What one statement forgets at most. */
const EXPIRY_SLICE_MICROSECONDS = 3_600_000_000
/** What is looked through for splits. */
const OUTLIERS_MAX = 200

export const NOTHING_HELD: {
  readonly quarantined: readonly QuarantinedQuote[]
  readonly released: readonly Quote[]
} = { quarantined: [], released: [] }

export async function insertHeld(
  transaction: Transaction<Schema>,
  quotes: readonly QuarantinedQuote[],
  recordedAt: Instant,
): Promise<void> {
  const known = new Map<string, number>()
  await HELD.execute(
    transaction,
    quotes.map((quote) => [
      quote.instrumentId,
      timestampText(quote.pricedAt),
      quote.source,
      quote.price,
      quote.currency,
      quote.kind,
      quote.splitAdjusted,
      timestampText(recordedAt + placeOf(quote, known)),
      quote.reason,
    ]),
  )
}

/** How many of its key came before it in one message: each is listed, a microsecond after the other. */
function placeOf(
  { instrumentId, pricedAt, source }: QuarantinedQuote,
  known: Map<string, number>,
): number {
  const key = `${instrumentId} ${pricedAt} ${source}`
  const place = known.get(key) ?? 0
  known.set(key, place + 1)
  return place
}

export async function release(
  transaction: Transaction<Schema>,
  quotes: readonly Quote[],
  releasedAt: Instant,
): Promise<void> {
  const ids = quotes.map(({ instrumentId }) => instrumentId)
  const instants = quotes.map(({ pricedAt }) => timestampText(pricedAt))
  const sources = quotes.map(({ source }) => source)
  await sql`update quarantined_quote as held
    set released_at = ${timestampText(releasedAt)}::timestamptz
    from unnest(${ids}::text[], ${instants}::timestamptz[], ${sources}::text[])
      as confirmed (instrument_id, priced_at, source)
    where held.instrument_id = confirmed.instrument_id
      and held.priced_at = confirmed.priced_at
      and held.source = confirmed.source
      and held.reason = 'OUTLIER' and held.released_at is null`.execute(transaction)
}

/** The newest outliers, told apart by whether another quote confirmed them. */
export async function readOutliers(
  database: Database,
  recordedSince: Instant,
): Promise<readonly Outlier[]> {
  const rows = await database.kysely
    .selectFrom('quarantined_quote')
    .selectAll()
    .where('reason', '=', 'OUTLIER')
    .where(sql<boolean>`recorded_at >= ${timestampText(recordedSince)}::timestamptz`)
    .orderBy('recorded_at', 'desc')
    .limit(OUTLIERS_MAX)
    .execute()
  return rows.map((row) => Object.assign(quoteOfRow(row), { isReleased: row.released_at !== null }))
}

/** Of these instruments, told apart by what was known then. */
export async function readOutliersAsOf(
  database: Database,
  instrumentIds: readonly string[],
  { from, until }: { readonly from: Instant; readonly until: Instant },
  recordedUntil: Instant | undefined,
): Promise<readonly Outlier[]> {
  if (instrumentIds.length === 0) return []
  const known =
    recordedUntil === undefined
      ? sql``
      : sql`and recorded_at <= ${timestampText(recordedUntil)}::timestamptz`
  const { rows } = await sql<Selectable<QuarantinedQuoteTable>>`
    select * from quarantined_quote
    where instrument_id = any(${[...instrumentIds]}::text[]) and reason = 'OUTLIER'
      and priced_at between ${timestampText(from)}::timestamptz
        and ${timestampText(until)}::timestamptz ${known}
    order by priced_at desc limit ${OUTLIERS_MAX}`.execute(database.kysely)
  return rows.map((row) => {
    const isReleased = row.released_at !== null && row.released_at <= (recordedUntil ?? Infinity)
    return Object.assign(quoteOfRow(row), { isReleased })
  })
}

export async function readHeld(
  database: Database,
  instrumentIds: readonly string[],
): Promise<readonly Quote[]> {
  const rows = await database.kysely
    .selectFrom('quarantined_quote')
    .selectAll()
    .where('instrument_id', '=', sql<string>`any(${[...instrumentIds]}::text[])`)
    .where('reason', '=', 'OUTLIER')
    .where('released_at', 'is', null)
    .orderBy('recorded_at', 'desc')
    .limit(HELD_MAX)
    .execute()
  return rows.map(quoteOfRow)
}

/** In parts, so that no statement holds up what is taken in meanwhile. */
export async function expireHeld(database: Database, before: Instant): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ oldest: number | null }>`
      select min(recorded_at) as oldest from quarantined_quote`.execute(database.kysely)
    const oldest = rows[0]?.oldest ?? null
    if (oldest === null || oldest >= before) return
    const until = timestampText(Math.min(before, oldest + EXPIRY_SLICE_MICROSECONDS))
    await sql`delete from quarantined_quote
      where recorded_at < ${until}::timestamptz`.execute(database.kysely)
  }
}
