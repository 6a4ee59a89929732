import { type Kysely, sql } from 'kysely'

/**
 * The valuations of past days, kept by a background pass under a fenced lease. Nothing here is the truth: all of it
 * can be deleted and is made again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}

const STATEMENTS = [
  // Grows whenever a lease changes hands or had run out: a write under an older one is refused.
  `alter table lease add column token bigint not null default 0 check (token >= 0)`,

  // A day on which something held had a quote or something happened, once it is over; null = it cannot be known.
  `create table valuation (
    user_id text not null,
    day date not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    value numeric check (value > '-Infinity' and value < 'Infinity'),
    inflow numeric check (inflow >= 0 and inflow < 'Infinity'),
    outflow numeric check (outflow >= 0 and outflow < 'Infinity'),
    growth numeric check (growth >= 0 and growth < 'Infinity'),
    observed boolean not null,
    completeness text not null check (completeness in ('COMPLETE', 'PARTIAL')),
    version bigint not null check (version > 0),
    action_epoch bigint not null check (action_epoch >= 0),
    quotes_until timestamptz not null,
    computed_at timestamptz not null,
    primary key (user_id, day),
    constraint valuation_day_over check (day < (computed_at at time zone 'UTC')::date),
    constraint valuation_complete check (completeness = 'PARTIAL'
      or (value is not null and inflow is not null and outflow is not null)),
    constraint valuation_growth_of_value check (growth is null or value is not null)
  )`,

  // Up to which day the rows of a user are what its ledger and the prices say; those of later days are outdated.
  `create table valuation_head (
    user_id text primary key,
    version bigint not null check (version >= 0),
    kept_until date,
    instrument_ids text[] not null,
    actions_left_out boolean not null default false,
    attempts integer not null default 0 check (attempts >= 0),
    attempted_version bigint not null default 0 check (attempted_version >= 0),
    retry_at timestamptz,
    constraint valuation_head_retry check ((attempts = 0) = (retry_at is null))
  ) with (fillfactor = 70)`,
  // By whose prices, rates and actions: their own index, so that no write of a portfolio keeps another one.
  `create index valuation_head_by_instrument on valuation_head using gin (instrument_ids)`,

  // Which news of prices and reference data outdated what they changed already.
  `create table valuation_news (
    name text primary key check (name = 'seen'),
    quotes_until timestamptz not null,
    action_epoch bigint not null check (action_epoch >= 0),
    instrument_epoch bigint not null check (instrument_epoch >= 0)
  ) with (fillfactor = 50)`,
  `insert into valuation_news (name, quotes_until, action_epoch, instrument_epoch)
    values ('seen', now(), 0, 0)`,
]
