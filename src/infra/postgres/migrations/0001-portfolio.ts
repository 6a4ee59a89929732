import { type Kysely, sql } from 'kysely'

/**
 * The ledger is the truth; holding, lot and lot_match can be rebuilt from it. Keys begin with user_id, there are no
 * triggers and no foreign keys to market data, so that the same tables can be distributed by user.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}

const STATEMENTS = [
  `create table portfolio (
    user_id text primary key check (length(user_id) between 1 and 128),
    version bigint not null default 0 check (version >= 0),
    last_sequence bigint not null default 0 check (last_sequence >= 0),
    last_recorded_at timestamptz,
    chain_head bytea not null default decode(repeat('00', 32), 'hex') check (length(chain_head) = 32),
    base_currency text not null default 'USD' check (base_currency ~ '^[A-Z]{3}$'),
    lot_method text not null default 'FIFO'
      check (lot_method in ('FIFO', 'LIFO', 'HIFO', 'LOFO', 'AVERAGE_COST', 'SPECIFIC_ID')),
    allow_short boolean not null default false
  ) with (fillfactor = 70)`,

  // NaN and Infinity are values of NUMERIC; "< 'Infinity'" refuses both.
  `create table ledger (
    user_id text not null,
    sequence bigint not null check (sequence > 0),
    version bigint not null check (version > 0),
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    instrument_id text not null,
    account_id text not null,
    type text not null check (type in ('BUY', 'SELL', 'TRANSFER_IN', 'TRANSFER_OUT')),
    quantity numeric not null check (quantity > 0 and quantity < 'Infinity'),
    price numeric not null check (price >= 0 and price < 'Infinity'),
    request_id text not null,
    hash bytea not null check (length(hash) = 32),
    primary key (user_id, sequence),
    check (type not in ('BUY', 'SELL') or price > 0)
  )`,
  `create index ledger_by_instrument on ledger (user_id, instrument_id, effective_at, sequence)`,

  `create table holding (
    user_id text not null,
    instrument_id text not null,
    account_id text not null,
    quantity numeric not null check (quantity > '-Infinity' and quantity < 'Infinity'),
    unknown_quantity numeric not null check (abs(unknown_quantity) <= abs(quantity)),
    basis numeric not null check (basis > '-Infinity' and basis < 'Infinity'),
    realized numeric not null check (realized > '-Infinity' and realized < 'Infinity'),
    capital numeric not null check (capital > '-Infinity' and capital < 'Infinity'),
    lot_count integer not null check (lot_count >= 0 and (lot_count = 0) = (quantity = 0)),
    last_effective_at timestamptz,
    last_trade_price numeric check (last_trade_price > 0 and last_trade_price < 'Infinity'),
    last_trade_at timestamptz,
    transaction_count bigint not null check (transaction_count >= 0),
    primary key (user_id, instrument_id, account_id),
    check (quantity <> 0 or (basis = 0 and unknown_quantity = 0)),
    check ((last_trade_price is null) = (last_trade_at is null))
  ) with (fillfactor = 70)`,

  `create table lot (
    user_id text not null,
    instrument_id text not null,
    account_id text not null,
    opened_sequence bigint not null check (opened_sequence > 0),
    part integer not null check (part >= 0),
    acquired_at timestamptz not null,
    quantity_acquired numeric not null check (abs(quantity_acquired) < 'Infinity'),
    quantity numeric not null check (quantity <> 0 and abs(quantity) <= abs(quantity_acquired)),
    basis numeric check (basis > '-Infinity' and basis < 'Infinity'),
    primary key (user_id, instrument_id, account_id, opened_sequence, part),
    check (sign(quantity) = sign(quantity_acquired)),
    check (basis is null or sign(basis) in (0, sign(quantity)))
  ) with (fillfactor = 80)`,

  `create table lot_match (
    user_id text not null,
    disposal_sequence bigint not null,
    part integer not null check (part >= 0),
    from_version bigint not null check (from_version > 0),
    to_version bigint check (to_version > from_version),
    disposed_at timestamptz not null,
    instrument_id text not null,
    account_id text not null,
    lot_sequence bigint not null,
    lot_part integer not null,
    acquired_at timestamptz not null,
    quantity numeric not null check (quantity > 0 and quantity < 'Infinity'),
    basis numeric check (basis > '-Infinity' and basis < 'Infinity'),
    proceeds numeric not null check (proceeds > '-Infinity' and proceeds < 'Infinity'),
    gain numeric check (gain = proceeds - basis),
    rule text not null,
    primary key (user_id, disposal_sequence, part, from_version),
    check ((basis is null) = (gain is null))
  )`,
  `create index lot_match_current on lot_match (user_id, instrument_id, disposed_at)
    where to_version is null`,

  `create table request_key (
    user_id text not null,
    caller text not null,
    method text not null,
    key text not null check (length(key) between 1 and 128),
    content_hash bytea not null check (length(content_hash) = 32),
    version bigint not null check (version > 0),
    answer text,
    recorded_at timestamptz not null,
    primary key (user_id, caller, method, key)
  )`,
  `create index request_key_by_age on request_key (recorded_at)`,

  `create table quote (
    instrument_id text not null,
    priced_at timestamptz not null,
    source text not null,
    price numeric not null check (price > 0 and price < 'Infinity'),
    currency text not null,
    kind text not null
      check (kind in ('UNSPECIFIED', 'REALTIME', 'DELAYED', 'CLOSE', 'NAV', 'MANUAL', 'FX')),
    split_adjusted boolean not null,
    recorded_at timestamptz not null,
    primary key (instrument_id, priced_at, source)
  )`,
  `create table newest_quote (
    instrument_id text primary key,
    priced_at timestamptz not null,
    source text not null,
    price numeric not null check (price > 0 and price < 'Infinity'),
    currency text not null,
    kind text not null
      check (kind in ('UNSPECIFIED', 'REALTIME', 'DELAYED', 'CLOSE', 'NAV', 'MANUAL', 'FX')),
    split_adjusted boolean not null,
    recorded_at timestamptz not null
  ) with (fillfactor = 70)`,
  `create index newest_quote_by_record on newest_quote (recorded_at)`,
]
