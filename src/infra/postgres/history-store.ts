import { sql, type Transaction } from 'kysely'
import type { BehindPortfolio, HistoryStore, KeptDays } from '../../app/history-store.ts'
import { dayText } from '../../domain/analytics/epoch-day.ts'
import type { Instant } from '../../domain/time.ts'
import { readBehind, readLag } from './behind-portfolios.ts'
import { BulkInsert, replacing } from './bulk-insert.ts'
import { type Database, timestampText } from './database.ts'
import { openHistoryNews } from './history-news.ts'
import { underLease } from './leases.ts'
import type { Schema } from './schema.ts'

/** Twice the time is between tries each time, until it is a day: a fault that is mended elsewhere heals by itself. */
const RETRY_MIN = sql`interval '1 minute'`
const RETRY_MAX = sql`interval '1 day'`
/** More doublings than there are up to a day; beyond that the power would not be a time any more. */
const DOUBLINGS_MAX = 11

const FIGURES = ['currency', 'value', 'inflow', 'outflow', 'growth', 'observed', 'completeness']
const COLUMNS = [
  'user_id',
  'day',
  'currency',
  'value',
  'inflow',
  'outflow',
  'growth',
  'observed',
  'completeness',
  'version',
  'action_epoch',
  'quotes_until',
  'computed_at',
] as const
const KEY = ['user_id', 'day']
// What is the same again is not written again: it stays what it was made of first.
const VALUATIONS = new BulkInsert(
  'valuation',
  COLUMNS,
  `${replacing(KEY, COLUMNS)} where (${listOf('valuation')}) is distinct from (${listOf('excluded')})`,
)
const HEAD_COLUMNS = [
  'user_id',
  'version',
  'kept_until',
  'instrument_ids',
  'actions_left_out',
  'attempts',
  'retry_at',
] as const
const HEADS = new BulkInsert('valuation_head', HEAD_COLUMNS, replacing(['user_id'], HEAD_COLUMNS))

function listOf(table: string): string {
  return FIGURES.map((column) => `${table}.${column}`).join(', ')
}

export function openHistoryStore(database: Database): HistoryStore {
  return {
    ...openHistoryNews(database),

    behind: (after, owed) => readBehind(database, after, owed),

    async ledgerChanges(portfolios) {
      const { rows } = await sql<ChangeRow>`
        select ledger.user_id, min(effective_at) as effective_from,
          count(distinct ledger.version) as version_count
        from unnest(${portfolios.map(({ userId }) => userId)}::text[],
            ${portfolios.map(({ keptVersion }) => keptVersion)}::bigint[],
            ${portfolios.map(({ version }) => version)}::bigint[])
          as kept (user_id, after, until)
        join ledger on ledger.user_id = kept.user_id
          and ledger.version > kept.after and ledger.version <= kept.until
        group by ledger.user_id`.execute(database.kysely)
      return new Map(
        rows.map((row) => [
          row.user_id,
          { effectiveFrom: row.effective_from, versionCount: row.version_count },
        ]),
      )
    },

    async valuesBefore(days) {
      if (days.length === 0) return new Map()
      const { rows } = await sql<{ user_id: string; value: string | null }>`
        select asked.user_id, kept.value
        from unnest(${days.map(({ userId }) => userId)}::text[],
            ${days.map(({ fromDay }) => dayText(fromDay))}::date[]) as asked (user_id, from_day)
        cross join lateral (
          select value from valuation
          where valuation.user_id = asked.user_id and day < from_day
            and (value is not null or inflow is distinct from 0 or outflow is distinct from 0)
          order by day desc limit 1
        ) as kept`.execute(database.kysely)
      return new Map(
        rows.map(({ user_id, value }) => [user_id, value === null ? NaN : Number(value)]),
      )
    },

    write: (lease, histories, { seen, computedAt }) => {
      const facts = [seen.actionEpoch, timestampText(seen.quotesUntil), timestampText(computedAt)]
      return underLease(database, lease, async (transaction) => {
        const [written] = await Promise.all([
          writeRows(transaction, histories, facts),
          HEADS.execute(transaction, histories.map(headOf)),
        ])
        return written
      })
    },

    confirm: (lease, heads) =>
      underLease(database, lease, async (transaction) => {
        await sql`
          insert into valuation_head (user_id, version, kept_until, instrument_ids)
          select user_id, version, kept_until, '{}'
          from unnest(${heads.map(({ userId }) => userId)}::text[],
            ${heads.map(({ version }) => version)}::bigint[],
            ${heads.map(({ keptUntil }) => dayText(keptUntil))}::date[])
            as confirmed (user_id, version, kept_until)
          on conflict (user_id) do update set version = excluded.version,
            kept_until = excluded.kept_until, attempts = 0, retry_at = null`.execute(transaction)
      }),

    postpone: (lease, portfolio) =>
      underLease(database, lease, (transaction) => postpone(transaction, portfolio)),

    lag: (after, owedUntil) => readLag(database, after, owedUntil),
  }
}

interface ChangeRow {
  readonly user_id: string
  readonly effective_from: Instant
  readonly version_count: number
}

async function postpone(
  transaction: Transaction<Schema>,
  { userId, version }: Pick<BehindPortfolio, 'userId' | 'version'>,
): Promise<void> {
  // Another version is another chance.
  const before = sql`case when valuation_head.attempted_version = ${version}
    then valuation_head.attempts else 0 end`
  await sql`
    insert into valuation_head
      (user_id, version, instrument_ids, attempts, attempted_version, retry_at)
    values (${userId}, 0, '{}', 1, ${version}, now() + ${RETRY_MIN})
    on conflict (user_id) do update set attempts = ${before} + 1,
      attempted_version = ${version},
      retry_at = now() + least(${RETRY_MAX},
        ${RETRY_MIN} * power(2, least(${before}, ${DOUBLINGS_MAX})))`.execute(transaction)
}

/** Rows whose days are none any more go, the others are written where they differ. */
async function writeRows(
  transaction: Transaction<Schema>,
  histories: readonly KeptDays[],
  facts: readonly unknown[],
): Promise<number> {
  const outdated = histories.map(
    ({ userId, fromDay, rows }) => sql`delete from valuation where user_id = ${userId}
      ${fromDay === undefined ? sql`` : sql`and day >= ${dayText(fromDay)}::date`}
      and day <> all (${Array.from(rows.days, dayText)}::date[])`,
  )
  const [written] = await Promise.all([
    VALUATIONS.execute(
      transaction,
      histories.flatMap((history) => rowsOf(history, facts)),
    ),
    ...outdated.map((each) => each.execute(transaction)),
  ])
  return written
}

function rowsOf(history: KeptDays, facts: readonly unknown[]): readonly (readonly unknown[])[] {
  const { userId, currency, ledgerVersion, areActionsLeftOut } = history
  const { days, values, inflows, outflows, growths, observed } = history.rows
  return Array.from(days, (day, row) => {
    const amounts = [values[row], inflows[row], outflows[row]].map(amountText)
    const completeness = areActionsLeftOut || amounts.includes(null) ? 'PARTIAL' : 'COMPLETE'
    const growth = amountText(growths[row])
    const isObserved = observed[row] === 1
    const figures = [currency, ...amounts, growth, isObserved, completeness]
    return [userId, dayText(day), ...figures, ledgerVersion, ...facts]
  })
}

/** The shortest text that is read as this very number again. */
function amountText(amount = NaN): string | null {
  return Number.isFinite(amount) ? String(amount) : null
}

function headOf(history: KeptDays): readonly unknown[] {
  const { userId, version, keptUntil, instrumentIds, areActionsLeftOut } = history
  return [userId, version, dayText(keptUntil), instrumentIds, areActionsLeftOut, 0, null]
}
