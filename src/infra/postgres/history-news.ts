import { sql, type Transaction } from 'kysely'
import type { HistoryStore, PriceChange } from '../../app/history-store.ts'
import { dayText, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import { type Instant, MICROSECONDS_PER_SECOND } from '../../domain/time.ts'
import { type Database, timestampText } from './database.ts'
import { underLease } from './leases.ts'
import { QUOTE_DAY } from './quote-rows.ts'
import type { Schema } from './schema.ts'

/** A quote is stamped before it is committed, by a replica's clock: what is a little older is looked at once more. */
const STAMP_LAG_MICROSECONDS = 60 * MICROSECONDS_PER_SECOND
/** Of quotes recorded, what one statement looks through: of an import in full swing not more than its timeout allows. */
const STRETCH = sql`interval '2 minutes'`
/** Changes that one transaction outdates, and users that one statement of it does. */
const CHANGES_PER_TRANSACTION = 50
const USERS_PER_STATEMENT = 5_000

/** What the market's news do to what is kept. */
export function openHistoryNews(
  database: Database,
): Pick<HistoryStore, 'seenNews' | 'see' | 'quoteChanges' | 'changedInstruments' | 'outdate'> {
  return {
    async seenNews() {
      const row = await database.kysely
        .selectFrom('valuation_news')
        .select(['quotes_until', 'action_epoch', 'instrument_epoch'])
        .executeTakeFirstOrThrow()
      return {
        quotesUntil: row.quotes_until,
        actionEpoch: row.action_epoch,
        instrumentEpoch: row.instrument_epoch,
      }
    },

    see: (lease, { quotesUntil, actionEpoch, instrumentEpoch }) =>
      underLease(database, lease, async (transaction) => {
        await sql`update valuation_news set quotes_until = ${timestampText(quotesUntil)},
          action_epoch = ${actionEpoch}, instrument_epoch = ${instrumentEpoch}`.execute(transaction)
      }),

    quoteChanges: (since, untilDay) => readQuoteChanges(database, since, untilDay),

    async changedInstruments(after, until) {
      const { rows } = await sql<{ instrument_id: string }>`
        select instrument_id from instrument
        where epoch > ${after} and epoch <= ${until}`.execute(database.kysely)
      return rows.map((row) => row.instrument_id)
    },

    async outdate(lease, changes) {
      for (let left = changes; left.length > 0;) {
        const now = left.slice(0, CHANGES_PER_TRANSACTION)
        const unfinished = await underLease(database, lease, async (transaction) => {
          const counts = await Promise.all(now.map((change) => outdateSome(transaction, change)))
          return now.filter((_, at) => counts[at] === USERS_PER_STATEMENT)
        })
        left = [...unfinished, ...left.slice(CHANGES_PER_TRANSACTION)]
      }
    },
  }
}

interface LateRow {
  readonly instrument_id: string
  readonly day: EpochDay | null
  readonly day_before: EpochDay | null
  readonly count_before: number
  readonly last_count: number
}

interface CurrencyRow {
  readonly instrument_id: string
  readonly currencies: string
}

async function readQuoteChanges(
  database: Database,
  since: Instant,
  untilDay: EpochDay,
): ReturnType<HistoryStore['quoteChanges']> {
  const end = sql`${timestampText(since)}::timestamptz + ${STRETCH}`
  const stretch = await sql<{ until: Instant; is_all: boolean }>`
    select least(now(), ${end}) as until, now() <= ${end} as is_all`.execute(database.kysely)
  const [{ until, is_all: isAll } = { until: since, is_all: true }] = stretch.rows
  const from = momentOf(since - STAMP_LAG_MICROSECONDS)
  const within = sql`recorded_at >= ${from} and recorded_at < ${momentOf(until)}`
  const isBefore = sql`recorded_at < ${momentOf(since)}`
  // A row for each instrument: a history that is imported has millions of quotes an hour.
  const late = await sql<LateRow>`
    select instrument_id, min(${QUOTE_DAY}) filter (where not ${isBefore}) as day,
      min(${QUOTE_DAY}) filter (where ${isBefore}) as day_before,
      count(*) filter (where ${isBefore}) as count_before,
      count(*) filter (where recorded_at >= ${momentOf(until - STAMP_LAG_MICROSECONDS)}) as last_count
    from quote where ${within}
      and priced_at < (${dayText(untilDay + 1)}::date)::timestamp at time zone 'UTC'
    group by instrument_id`.execute(database.kysely)
  // An instrument is valued by its quotes in its last currency alone: in another one all its days are others.
  const other = await sql<CurrencyRow>`
    select recent.instrument_id, first || '/' || last as currencies
    from (
      select instrument_id, min(currency) as first, max(currency) as last
      from quote where ${within} group by instrument_id
    ) as recent
    left join lateral (
      select currency from quote
      where quote.instrument_id = recent.instrument_id and recorded_at < ${from}
      order by priced_at desc limit 1
    ) as before on true
    where first <> last or first <> before.currency`.execute(database.kysely)
  return {
    late: late.rows.map((row) => ({
      instrumentId: row.instrument_id,
      day: row.day ?? undefined,
      dayBefore: row.day_before ?? undefined,
      countBefore: row.count_before,
      lastCount: row.last_count,
    })),
    revalued: other.rows.map(({ instrument_id: instrumentId, currencies }) => ({
      instrumentId,
      name: `${instrumentId} ${currencies}`,
    })),
    until,
    isAll,
  }
}

function momentOf(instant: Instant) {
  return sql`${timestampText(instant)}::timestamptz`
}

/** Those whom the statement does not reach any more are found by the next: who is outdated is not found again. */
async function outdateSome(
  transaction: Transaction<Schema>,
  { instrumentId, fromDay }: PriceChange,
): Promise<number> {
  const dependent = sql`instrument_ids @> array[${instrumentId}]`
  const [until, isKept] =
    fromDay === undefined
      ? [sql`null`, sql`kept_until is not null`]
      : [sql`${dayText(fromDay - 1)}::date`, sql`kept_until >= ${dayText(fromDay)}::date`]
  const { numAffectedRows = 0n } = await sql`
    update valuation_head set kept_until = ${until} where user_id in (
      select user_id from valuation_head where ${dependent} and ${isKept}
      limit ${USERS_PER_STATEMENT})`.execute(transaction)
  return Number(numAffectedRows)
}
