import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { LedgerOrder, LedgerPageQuery, ListedEntry } from '../../app/ports.ts'
import { type Database, timestampText } from './database.ts'
import { entryOfRow } from './portfolio-rows.ts'
import type { LedgerTable } from './schema.ts'

const ORDER: Record<LedgerOrder, RawBuilder<unknown>> = {
  EFFECTIVE_DESC: sql`ledger.effective_at desc, ledger.sequence desc`,
  EFFECTIVE_ASC: sql`ledger.effective_at, ledger.sequence`,
  RECORDED_ASC: sql`ledger.sequence`,
}

type Row = Selectable<LedgerTable> & { reversed_by: number | null }

/** One page by keyset: its cost does not grow with its number. */
export async function readLedgerPage(
  database: Database,
  userId: string,
  query: LedgerPageQuery,
): Promise<readonly ListedEntry[]> {
  const conditions = [
    sql`ledger.user_id = ${userId} and ledger.sequence <= ${query.sequenceUntil}`,
    ...timeConditions(query),
    ...contentConditions(userId, query),
    ...pageConditions(query),
  ]
  const { rows } = await sql<Row>`
    select ledger.*, reversal.sequence as reversed_by
    from ledger left join ledger as reversal
      on reversal.user_id = ledger.user_id and reversal.user_id = ${userId}
      and reversal.reverses_sequence = ledger.sequence and reversal.sequence <= ${query.sequenceUntil}
      ${recordedBy(query, 'reversal')}
    where ${sql.join(conditions, sql` and `)}
    order by ${ORDER[query.order]} limit ${query.size}`.execute(database.kysely)
  return rows.map((row) => ({ entry: entryOfRow(row), reversedBy: row.reversed_by ?? undefined }))
}

function recordedBy(
  { recordedUntil }: LedgerPageQuery,
  table: 'ledger' | 'reversal',
): RawBuilder<unknown> {
  return recordedUntil === undefined
    ? sql``
    : sql`and ${sql.table(table)}.recorded_at <= ${timestampText(recordedUntil)}::timestamptz`
}

function timeConditions(query: LedgerPageQuery): readonly RawBuilder<unknown>[] {
  const { effectiveFrom, effectiveUntil } = query
  return [
    sql`true ${recordedBy(query, 'ledger')}`,
    ...(effectiveFrom === undefined
      ? []
      : [sql`ledger.effective_at >= ${timestampText(effectiveFrom)}::timestamptz`]),
    ...(effectiveUntil === undefined
      ? []
      : [sql`ledger.effective_at <= ${timestampText(effectiveUntil)}::timestamptz`]),
  ]
}

function contentConditions(userId: string, query: LedgerPageQuery): readonly RawBuilder<unknown>[] {
  const { instrumentIds, types, accountIds, externalIds, idempotencyKey } = query
  const conditions: RawBuilder<unknown>[] = []
  if (instrumentIds.length > 0) {
    conditions.push(sql`ledger.instrument_id = any(${[...instrumentIds]}::text[])`)
  }
  if (types.length > 0) conditions.push(sql`ledger.type = any(${[...types]}::text[])`)
  if (accountIds.length > 0) {
    conditions.push(sql`ledger.account_id = any(${[...accountIds]}::text[])`)
  }
  if (externalIds.length > 0) {
    conditions.push(sql`ledger.sequence in (select external_id.sequence from external_id
      where external_id.user_id = ${userId} and external_id.external_id = any(${[...externalIds]}::text[]))`)
  }
  if (idempotencyKey !== undefined) {
    conditions.push(sql`ledger.version in (select request_key.version from request_key
      where request_key.user_id = ${userId} and request_key.key = ${idempotencyKey})`)
  }
  if (!query.includeReversed) {
    conditions.push(sql`ledger.reverses_sequence is null and reversal.sequence is null`)
  }
  return conditions
}

function pageConditions({ order, after }: LedgerPageQuery): readonly RawBuilder<unknown>[] {
  if (after === undefined) return []
  if (order === 'RECORDED_ASC') return [sql`ledger.sequence > ${after.sequence}`]
  const place = sql`(${timestampText(after.effectiveAt)}::timestamptz, ${after.sequence}::bigint)`
  const columns = sql`(ledger.effective_at, ledger.sequence)`
  return [order === 'EFFECTIVE_ASC' ? sql`${columns} > ${place}` : sql`${columns} < ${place}`]
}
