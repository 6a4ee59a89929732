import { sql } from 'kysely'
import { dayNumberOf } from '../../domain/analytics/epoch-day.ts'
import type { StoredEntry, StoredTerms } from '../../domain/analytics/pack-ledger.ts'
import { type TransactionType, transactionTypes } from '../../domain/portfolio/transaction-types.ts'
import type { Instant } from '../../domain/time.ts'
import { TabbedText } from './tabbed-text.ts'

/** What an analysis needs of an entry, as one line; the last field is there in reversals alone. */
export const ENTRY_TEXT = sql`concat_ws(e'\t', sequence,
  (date_part('epoch', effective_at) * 1000000)::bigint, type, instrument_id, quantity, price,
  coalesce(terms, ''), reverses_sequence)`

interface Line {
  readonly sequence: number
  readonly at: Instant
  readonly type: TransactionType
  readonly instrumentId: string
  readonly quantity: number
  readonly price: number
  readonly terms: StoredTerms | undefined
}

/**
 * The entries of a ledger that count, in order of time and reversals left out, of lines in any order: sorting them
 * here takes a fifth of what the database takes. Cash is tracked from the first flow on (decision 31).
 */
export function entriesOfText(text: string, timeZone: string): readonly StoredEntry[] {
  const active = activeLines(text)
  const firstFlow = active.find(({ type }) => type === 'DEPOSIT' || type === 'WITHDRAWAL')
  const trackedSince = firstFlow?.at ?? Infinity
  return active.map(({ at, type, instrumentId, quantity, price, terms }) => ({
    day: dayNumberOf(at, timeZone),
    at,
    type,
    instrumentId,
    quantity,
    price,
    isTracked: at >= trackedSince,
    terms,
  }))
}

function activeLines(text: string): readonly Line[] {
  const lines: Line[] = []
  const reversed = new Set<number>()
  for (const reader = new TabbedText(text); !reader.isAtEnd;) {
    const line = readLine(reader)
    if (reader.isLineRead) lines.push(line)
    else reversed.add(reader.integer())
  }
  lines.sort((left, right) => left.at - right.at || left.sequence - right.sequence)
  return reversed.size === 0 ? lines : lines.filter(({ sequence }) => !reversed.has(sequence))
}

function readLine(reader: TabbedText): Line {
  const [sequence, at] = [reader.integer(), reader.integer()]
  const type = typeOf(reader.word())
  const instrumentId = reader.word()
  const [quantity, price] = [reader.decimal(), reader.decimal()]
  const terms = reader.word()
  return {
    sequence,
    at,
    type,
    instrumentId,
    quantity,
    price,
    terms: terms === '' ? undefined : (JSON.parse(terms) as StoredTerms),
  }
}

/** What is looked up by its type is found faster by one and the same string than by another one like it. */
const TYPES = new Map(Object.keys(transactionTypes).map((type) => [type, type]))

function typeOf(word: string): TransactionType {
  // The ledger's own check keeps the types.
  return (TYPES.get(word) ?? word) as TransactionType
}
