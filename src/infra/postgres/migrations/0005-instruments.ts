import { type Kysely, sql } from 'kysely'

/** Reference data of instruments, and the quotes that value nobody. No table of a user refers to them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}

const KINDS = `'UNSPECIFIED', 'REALTIME', 'DELAYED', 'CLOSE', 'NAV', 'MANUAL', 'FX'`

const STATEMENTS = [
  // Written first by every change of reference data: its row lock puts the changes in order, and the number each gives
  // its rows is what replicas read on from.
  `create table reference_epoch (
    name text primary key,
    epoch bigint not null check (epoch >= 0)
  ) with (fillfactor = 50)`,
  `insert into reference_epoch (name, epoch) values ('instrument', 0)`,

  `create table instrument (
    instrument_id text primary key check (length(instrument_id) between 1 and 32),
    symbol text not null,
    mic text not null,
    isin text not null,
    figi text not null,
    currency text not null,
    asset_class text not null,
    multiplier numeric not null check (multiplier > 0 and multiplier < 'Infinity'),
    quantity_scale integer not null check (quantity_scale between 0 and 18),
    classifications text not null,
    underlying_symbol text,
    expiry_day text,
    strike numeric check (strike >= 0 and strike < 'Infinity'),
    option_right text check (option_right in ('CALL', 'PUT')),
    epoch bigint not null check (epoch > 0)
  )`,
  `create index instrument_by_epoch on instrument (epoch)`,
  `create table alias (
    symbol text not null,
    from_day text not null,
    to_day text not null check (to_day = '' or to_day >= from_day),
    instrument_id text not null,
    primary key (symbol, from_day, instrument_id)
  )`,
  `create index alias_by_instrument on alias (instrument_id)`,

  // The price is text: what is none is kept too, to be looked at.
  `create table quarantined_quote (
    instrument_id text not null,
    priced_at timestamptz not null,
    source text not null,
    price text not null,
    currency text not null,
    kind text not null check (kind in (${KINDS})),
    split_adjusted boolean not null,
    recorded_at timestamptz not null,
    reason text not null,
    released_at timestamptz,
    primary key (instrument_id, priced_at, source, recorded_at)
  )`,
]
