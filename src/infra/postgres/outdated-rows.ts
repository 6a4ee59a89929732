import { sql, type Transaction } from 'kysely'
import type { PortfolioChange } from '../../domain/portfolio/portfolio-change.ts'
import { timestampText } from './database.ts'
import type { Schema } from './schema.ts'

export async function deleteClosedLots(
  transaction: Transaction<Schema>,
  changes: readonly PortfolioChange[],
): Promise<void> {
  const closed = changes.flatMap(({ after, closedLots }) =>
    closedLots.map((closedLot) => ({ ...closedLot, userId: after.userId })),
  )
  if (closed.length === 0) return
  const users = closed.map(({ userId }) => userId)
  await sql`
    delete from lot using unnest(${users}::text[], ${closed.map(({ instrumentId }) => instrumentId)}::text[],
      ${closed.map(({ lot }) => lot.accountId)}::text[],
      ${closed.map(({ lot }) => lot.openedSequence)}::bigint[],
      ${closed.map(({ lot }) => lot.part)}::int[])
      as closed (user_id, instrument_id, account_id, opened_sequence, part)
    where lot.user_id = any(${users}::text[]) and lot.user_id = closed.user_id
      and lot.instrument_id = closed.instrument_id and lot.account_id = closed.account_id
      and lot.opened_sequence = closed.opened_sequence and lot.part = closed.part`.execute(
    transaction,
  )
}

/** What was known stays: the old matches end at this version, their successors begin with it. */
export async function endSupersededMatches(
  transaction: Transaction<Schema>,
  changes: readonly PortfolioChange[],
): Promise<void> {
  const ended = changes.flatMap(({ after, superseded }) =>
    superseded.map((range) => ({ ...range, userId: after.userId, version: after.version })),
  )
  if (ended.length === 0) return
  const users = ended.map((range) => range.userId)
  await sql`
    update lot_match set to_version = ended.version
    from unnest(${users}::text[], ${ended.map((range) => range.instrumentId)}::text[],
      ${ended.map((range) => timestampText(range.from))}::timestamptz[],
      ${ended.map((range) => range.version)}::bigint[]) as ended (user_id, instrument_id, disposed_from, version)
    where lot_match.user_id = any(${users}::text[]) and lot_match.user_id = ended.user_id
      and lot_match.instrument_id = ended.instrument_id and lot_match.to_version is null
      and lot_match.disposed_at >= ended.disposed_from`.execute(transaction)
}

/** Cash that was recounted from the whole ledger may have lost a currency. */
export async function deleteOutdatedCash(
  transaction: Transaction<Schema>,
  changes: readonly PortfolioChange[],
): Promise<void> {
  const gone = changes.flatMap(({ before, after }) =>
    [...before.cash.balances.keys()]
      .filter((currency) => !after.cash.balances.has(currency))
      .map((currency) => ({ userId: after.userId, currency })),
  )
  if (gone.length === 0) return
  const users = gone.map(({ userId }) => userId)
  await sql`
    delete from cash using unnest(${users}::text[], ${gone.map(({ currency }) => currency)}::text[])
      as gone (user_id, currency)
    where cash.user_id = any(${users}::text[]) and cash.user_id = gone.user_id
      and cash.currency = gone.currency`.execute(transaction)
}
