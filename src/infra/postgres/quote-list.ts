import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { ListedQuote, QuoteQuery } from '../../app/ports.ts'
import { type Database, timestampText } from './database.ts'
import { factsOfRow } from './quote-rows.ts'
import type { QuarantinedQuoteTable, QuoteTable } from './schema.ts'

/** In order of time and source; of a corrected quote what is known now, of a quarantined one every record. */
export async function listQuotes(
  database: Database,
  query: QuoteQuery,
): Promise<readonly ListedQuote[]> {
  const statement = query.quarantinedOnly ? heldQuotes(query) : knownQuotes(query)
  const { rows } = await statement.execute(database.kysely)
  return rows.map((row) => {
    const facts = { price: row.price, recordedAt: row.recorded_at }
    return Object.assign(facts, factsOfRow(row))
  })
}

function knownQuotes(query: QuoteQuery): RawBuilder<Selectable<QuoteTable>> {
  const { after } = query
  const later =
    after && sql`and (priced_at, source) > (${instantOf(after.pricedAt)}, ${after.source})`
  return sql<Selectable<QuoteTable>>`
    select distinct on (priced_at, source) * from quote
    where instrument_id = ${query.instrumentId} ${boundsOf(query)} ${later ?? sql``}
    order by priced_at, source, recorded_at desc limit ${query.size}`
}

function heldQuotes(query: QuoteQuery): RawBuilder<Selectable<QuarantinedQuoteTable>> {
  const { after } = query
  const later =
    after &&
    sql`and (priced_at, source, recorded_at) >
      (${instantOf(after.pricedAt)}, ${after.source}, ${instantOf(after.recordedAt)})`
  return sql<Selectable<QuarantinedQuoteTable>>`
    select * from quarantined_quote
    where instrument_id = ${query.instrumentId} and released_at is null
      ${boundsOf(query)} ${later ?? sql``}
    order by priced_at, source, recorded_at limit ${query.size}`
}

function boundsOf({ from, until }: QuoteQuery) {
  return sql`${from === undefined ? sql`` : sql`and priced_at >= ${instantOf(from)}`}
    ${until === undefined ? sql`` : sql`and priced_at <= ${instantOf(until)}`}`
}

function instantOf(instant: number) {
  return sql`${timestampText(instant)}::timestamptz`
}
