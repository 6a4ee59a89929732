import { sql } from 'kysely'
import type { BehindPortfolio, HistoryStore, OwedDays, OwedUntil } from '../../app/history-store.ts'
import { dayText, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { Database } from './database.ts'

/** Portfolios that one statement looks through, and those behind that it gives back. */
const PORTFOLIOS_PER_PAGE = 5_000
const BEHIND_PER_PAGE = 200
/** Portfolios that one statement counts. */
const PORTFOLIOS_PER_COUNT = 50_000

const IS_OUTDATED = sql`(valuation_head.version is distinct from portfolio.version
  or kept_until is null)`

const OLDEST = sql`min(kept_until) - date '1970-01-01'`

interface BehindRow {
  readonly user_id: string
  readonly version: number
  readonly last_sequence: number
  readonly time_zone: string
  readonly kept_version: number | null
  readonly kept_until: EpochDay | null
  readonly actions_left_out: boolean | null
}

export async function readBehind(
  database: Database,
  after: string,
  { untilDay, lateZones }: OwedDays,
): ReturnType<HistoryStore['behind']> {
  const page = await readPage(database, after, PORTFOLIOS_PER_PAGE)
  if (page === undefined) return { portfolios: [], next: undefined }
  const { rows } = await sql<BehindRow>`
    select user_id, portfolio.version, last_sequence, time_zone,
      valuation_head.version as kept_version, kept_until - date '1970-01-01' as kept_until,
      actions_left_out
    ${portfoliosOf(page)}
      and (${IS_OUTDATED} or kept_until < ${dayText(untilDay)}::date
        - case when time_zone = any (${lateZones}::text[]) then 1 else 0 end)
      and (retry_at is null or retry_at <= now() or attempted_version <> portfolio.version
        -- A release that gave up after some tries wrote that.
        or retry_at = 'infinity')
    order by user_id limit ${BEHIND_PER_PAGE}`.execute(database.kysely)
  const isFull = rows.length === BEHIND_PER_PAGE
  return { portfolios: rows.map(behindOf), next: isFull ? rows.at(-1)?.user_id : page.next }
}

/** What may be behind, by time zone: the database may know others than we do. */
interface LagRow {
  readonly time_zone: string
  /** Behind in whichever time zone. */
  readonly certain: number
  /** Without the last day that is over by UTC alone. */
  readonly possible: number
  readonly kept_until: EpochDay | null
}

export async function readLag(
  database: Database,
  after: string | undefined,
  owedUntil: OwedUntil,
): ReturnType<HistoryStore['lag']> {
  const lag = { users: 0, days: 0 }
  const day = owedUntil('UTC')
  const add = (rows: readonly LagRow[]): void => {
    for (const { time_zone, certain, possible, kept_until: keptUntil } of rows) {
      const owed = owedUntil(time_zone)
      lag.users += certain + (owed === day ? possible : 0)
      lag.days = Math.max(lag.days, owed - (keptUntil ?? owed))
    }
  }
  add(await readFailed(database, after))
  for (let from = after; from !== undefined;) {
    const page = await readPage(database, from, PORTFOLIOS_PER_COUNT)
    if (page !== undefined) add(await readPageLag(database, page, day))
    from = page?.next
  }
  return lag
}

/** Up to a user, those that could not be made: until they are, they are behind. */
async function readFailed(
  database: Database,
  until: string | undefined,
): Promise<readonly LagRow[]> {
  const { rows } = await sql<LagRow>`
    select time_zone, count(*) as certain, 0 as possible, ${OLDEST} as kept_until
    from valuation_head join portfolio using (user_id)
    where attempts > 0 ${until === undefined ? sql`` : sql`and user_id <= ${until}`}
    group by time_zone`.execute(database.kysely)
  return rows
}

async function readPageLag(
  database: Database,
  page: Page,
  day: EpochDay,
): Promise<readonly LagRow[]> {
  const until = sql`${dayText(day)}::date`
  const isCertain = sql`(${IS_OUTDATED} or kept_until < ${until} - 1)`
  const { rows } = await sql<LagRow>`
    select time_zone, count(*) filter (where ${isCertain}) as certain,
      count(*) filter (where not ${isCertain}) as possible, ${OLDEST} as kept_until
    ${portfoliosOf(page)} and (${IS_OUTDATED} or kept_until < ${until})
    group by time_zone`.execute(database.kysely)
  return rows
}

/** Neighbours in the order of users, and where the others begin. */
interface Page {
  readonly after: string
  readonly last: string
  readonly next: string | undefined
}

async function readPage(
  database: Database,
  after: string,
  size: number,
): Promise<Page | undefined> {
  const { rows } = await sql<{ last: string | null; count: number }>`
    select max(user_id) as last, count(*) as count from (
      select user_id from portfolio where user_id > ${after}
      order by user_id limit ${size}) as page`.execute(database.kysely)
  const [{ last, count } = { last: null, count: 0 }] = rows
  if (last === null) return undefined
  return { after, last, next: count < size ? undefined : last }
}

/** Those of a page that have a history, with what is kept. */
function portfoliosOf({ after, last }: Page) {
  // Said of both: else all heads are read for each page.
  const within = sql`user_id > ${after} and user_id <= ${last}`
  return sql`
    from portfolio
    left join (select * from valuation_head where ${within}) as valuation_head using (user_id)
    where ${within} and portfolio.version > 0`
}

function behindOf(row: BehindRow): BehindPortfolio {
  return {
    userId: row.user_id,
    version: row.version,
    entryCount: row.last_sequence,
    timeZone: row.time_zone,
    keptVersion: row.kept_version ?? 0,
    keptUntil: row.kept_until ?? undefined,
    areActionsLeftOut: row.actions_left_out ?? false,
  }
}
