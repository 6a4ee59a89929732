import { type Selectable, sql } from 'kysely'
import { decimal } from '../../domain/decimal.ts'
import type { Quote } from '../../domain/market-data/quote.ts'
import type { QuarantinedQuoteTable, QuoteTable } from './schema.ts'

type Row = Pick<
  Selectable<QuoteTable> | Selectable<QuarantinedQuoteTable>,
  | 'instrument_id'
  | 'price'
  | 'currency'
  | 'priced_at'
  | 'source'
  | 'kind'
  | 'split_adjusted'
  | 'recorded_at'
>

/** The UTC day of a quote, as an EpochDay. */
export const QUOTE_DAY = sql`((priced_at at time zone 'UTC')::date - date '1970-01-01')`

export function quoteOfRow(row: Row): Quote {
  return { ...factsOfRow(row), price: decimal(row.price) }
}

/** All of a quote but its price, which may be none. */
export function factsOfRow(row: Row): Omit<Quote, 'price'> {
  return {
    instrumentId: row.instrument_id,
    currency: row.currency,
    pricedAt: row.priced_at,
    source: row.source,
    kind: row.kind,
    splitAdjusted: row.split_adjusted,
    ...(row.split_adjusted && { recordedAt: row.recorded_at }),
  }
}
