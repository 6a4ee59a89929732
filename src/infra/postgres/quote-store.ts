import { type Selectable, sql, type Transaction } from 'kysely'
import type { QuoteStore } from '../../app/ports.ts'
import { decimalText } from '../../domain/decimal.ts'
import type { Quote } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'
import { BulkInsert, replacing } from './bulk-insert.ts'
import { type Database, timestampText } from './database.ts'
import {
  expireHeld,
  insertHeld,
  NOTHING_HELD,
  readHeld,
  readOutliers,
  readOutliersAsOf,
  release,
} from './held-quotes.ts'
import { listQuotes } from './quote-list.ts'
import { outdatePacked } from './packed-closes.ts'
import { quoteOfRow } from './quote-rows.ts'
import type { QuoteTable, Schema } from './schema.ts'

const KEY = ['instrument_id', 'priced_at', 'source'] as const
const FACTS = [...KEY, 'price', 'currency', 'kind', 'split_adjusted'] as const
const COLUMNS = [...FACTS, 'recorded_at'] as const
const TYPES = ['text', 'timestamptz', 'text', 'numeric', 'text', 'text', 'boolean', 'timestamptz']

const NEWEST = new BulkInsert(
  'newest_quote',
  COLUMNS,
  `${replacing(['instrument_id'], COLUMNS)} where excluded.priced_at >= newest_quote.priced_at`,
)

/** Prices by time, and the newest of each instrument beside them for replicas to follow. */
export function openQuoteStore(database: Database): QuoteStore {
  return {
    async append(quotes, recordedAt, { quarantined, released } = NOTHING_HELD) {
      if (quotes.length + quarantined.length === 0) return
      const rows = lastOfEach(quotes, quoteKey).map((quote) => rowOf(quote, recordedAt))
      const newest = lastOfEach(quotes.toSorted(byTime), (quote) => quote.instrumentId)
      await database.transaction(async (transaction) => {
        await Promise.all([
          // First: its row locks have corrections of one quote by two replicas come one after the other, the older or
          // not. The statement after it sees what the one before recorded.
          NEWEST.execute(
            transaction,
            newest.map((quote) => rowOf(quote, recordedAt)),
          ),
          rows.length > 0 && insertQuotes(transaction, rows),
          outdatePacked(transaction, quotes, recordedAt),
          insertHeld(transaction, quarantined, recordedAt),
          released.length > 0 && release(transaction, released, recordedAt),
        ])
        return { commit: true, result: undefined }
      })
    },

    expireHeld: (before) => expireHeld(database, before),
    readHeld: (instrumentIds) => readHeld(database, instrumentIds),
    readOutliers: (recordedSince) => readOutliers(database, recordedSince),
    readOutliersAsOf: (instrumentIds, priced, recordedUntil) =>
      readOutliersAsOf(database, instrumentIds, priced, recordedUntil),
    readBefore: (moments, recordedUntil) => readBefore(database, moments, recordedUntil),
    list: (query) => listQuotes(database, query),

    async readNewest(recordedSince) {
      let query = database.kysely.selectFrom('newest_quote').selectAll()
      if (recordedSince !== undefined) {
        query = query.where(sql<boolean>`recorded_at >= ${timestampText(recordedSince)}`)
      }
      const rows = await query.execute()
      const recordedUntil = rows.reduce<Instant | undefined>(
        (latest, row) => Math.max(latest ?? row.recorded_at, row.recorded_at),
        undefined,
      )
      return { quotes: rows.map(quoteOfRow), recordedUntil }
    },

    async readAsOf(instrumentIds, at, recordedUntil) {
      if (instrumentIds.length === 0) return []
      const { rows } = await sql<Selectable<QuoteTable>>`
        select newest.* from unnest(${[...instrumentIds]}::text[]) as asked (instrument_id)
        cross join lateral (
          select * from quote
          where quote.instrument_id = asked.instrument_id
            and priced_at <= ${timestampText(at)}::timestamptz ${knownBy(recordedUntil)}
          order by priced_at desc, recorded_at desc, source limit 1
        ) as newest`.execute(database.kysely)
      return rows.map(quoteOfRow)
    },
  }
}

function knownBy(recordedUntil: Instant | undefined) {
  return recordedUntil === undefined
    ? sql``
    : sql`and recorded_at <= ${timestampText(recordedUntil)}::timestamptz`
}

async function readBefore(
  database: Database,
  moments: readonly Pick<Quote, 'instrumentId' | 'pricedAt'>[],
  recordedUntil: Instant | undefined,
): Promise<ReadonlyMap<number, Quote>> {
  if (moments.length === 0) return new Map()
  const ids = moments.map(({ instrumentId }) => instrumentId)
  const instants = moments.map(({ pricedAt }) => timestampText(pricedAt))
  const { rows } = await sql<Selectable<QuoteTable> & { readonly place: number }>`
    select newest.*, asked.place from
      unnest(${ids}::text[], ${instants}::timestamptz[]) with ordinality
        as asked (instrument_id, priced_at, place)
    cross join lateral (
      select * from quote
      where quote.instrument_id = asked.instrument_id and quote.priced_at <= asked.priced_at
        ${knownBy(recordedUntil)}
      order by priced_at desc, recorded_at desc, source limit 1
    ) as newest`.execute(database.kysely)
  return new Map(rows.map((row) => [row.place - 1, quoteOfRow(row)]))
}

/**
 * A correction is another record, and the same quote again is none: what was known at any moment stays known. It is
 * recorded after what it corrects, also where its replica's clock is behind the other's: else nobody would ever see it.
 */
async function insertQuotes(
  transaction: Transaction<Schema>,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  const columns = COLUMNS.map((_, column) => rows.map((row) => row[column]))
  const arrays = columns.map(
    (values, column) => sql`${values}::${sql.raw(TYPES[column] ?? 'text')}[]`,
  )
  const insert = sql`
    insert into quote (${sql.raw(COLUMNS.join(', '))})
    select ${sql.raw(FACTS.map((column) => `sent.${column}`).join(', '))},
      greatest(sent.recorded_at, known.recorded_at + interval '1 microsecond')
    from unnest(${sql.join(arrays)}) as sent (${sql.raw(COLUMNS.join(', '))})
    left join lateral (
      select price, currency, kind, split_adjusted, recorded_at from quote
      where quote.instrument_id = sent.instrument_id and quote.priced_at = sent.priced_at
        and quote.source = sent.source
      order by recorded_at desc limit 1
    ) as known on true
    where (known.price, known.currency, known.kind, known.split_adjusted) is distinct from
      (sent.price, sent.currency, sent.kind, sent.split_adjusted)
    on conflict ${sql.raw(replacing([...KEY, 'recorded_at'], COLUMNS))}`
  // As the bulk insert does, so that what is started first goes out first.
  await transaction.executeQuery(insert.compile(transaction))
}

function quoteKey({ instrumentId, pricedAt, source }: Quote): string {
  return `${instrumentId} ${pricedAt} ${source}`
}

function byTime(left: Quote, right: Quote): number {
  return left.pricedAt - right.pricedAt
}

/**
 * The last of the quotes with each key, sorted by it: one statement cannot write a row twice, and statements that
 * write rows in one order never wait for each other in a circle.
 */
function lastOfEach(quotes: readonly Quote[], key: (quote: Quote) => string): readonly Quote[] {
  const last = new Map(quotes.map((quote) => [key(quote), quote]))
  return [...last].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, quote]) => quote)
}

function rowOf(quote: Quote, recordedAt: Instant): readonly unknown[] {
  return [
    quote.instrumentId,
    timestampText(quote.pricedAt),
    quote.source,
    decimalText(quote.price),
    quote.currency,
    quote.kind,
    quote.splitAdjusted,
    timestampText(recordedAt),
  ]
}
