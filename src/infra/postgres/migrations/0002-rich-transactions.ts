import { type Kysely, sql } from 'kysely'

/** Every type of transaction with its terms, tracked cash, income and charges, and the sources' own ids. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}

const UNITS = `'BUY', 'SELL', 'SHORT_SELL', 'COVER', 'TRANSFER_IN', 'TRANSFER_OUT', 'STAKING_REWARD',
  'OPTION_EXERCISE', 'OPTION_EXPIRY'`
const MONEY = `'DEPOSIT', 'WITHDRAWAL', 'FX_CONVERSION', 'DIVIDEND', 'INTEREST', 'COUPON', 'FEE', 'TAX',
  'RETURN_OF_CAPITAL'`

const STATEMENTS = [
  // A price of zero is a price where it was written as text: free shares, a worthless sale (decision 16).
  `alter table ledger
    add column terms text,
    add column reverses_sequence bigint check (reverses_sequence < sequence),
    drop constraint ledger_type_check,
    drop constraint ledger_quantity_check,
    drop constraint ledger_check,
    add constraint ledger_quantity_check check (quantity >= 0 and quantity < 'Infinity'),
    add constraint ledger_type_check check (
      (type in (${UNITS}) and quantity > 0) or (type in (${MONEY}) and quantity = 0))`,
  `create index ledger_by_version on ledger (user_id, version)`,
  // Unique: what was taken back cannot be taken back again.
  `create unique index ledger_reversal on ledger (user_id, reverses_sequence)
    where reverses_sequence is not null`,
  `create index ledger_by_time on ledger (user_id, effective_at, sequence)`,

  `alter table holding
    add column income numeric not null default 0 check (income > '-Infinity' and income < 'Infinity'),
    add column fees numeric not null default 0 check (fees >= 0 and fees < 'Infinity'),
    add column taxes numeric not null default 0 check (taxes >= 0 and taxes < 'Infinity'),
    drop constraint holding_last_trade_price_check,
    add constraint holding_last_trade_price_check
      check (last_trade_price >= 0 and last_trade_price < 'Infinity')`,

  // Charges can exceed what a short sale brings: then its basis is positive.
  `alter table lot drop constraint lot_check2`,

  `alter table portfolio
    add column cash_since timestamptz,
    add column tax_jurisdiction text not null default 'NONE',
    add column time_zone text not null default 'UTC',
    add column benchmark_symbols text not null default ''`,
  `create table cash (
    user_id text not null,
    currency text not null check (currency ~ '^([A-Z]{3})?$'),
    amount numeric not null check (amount > '-Infinity' and amount < 'Infinity'),
    primary key (user_id, currency)
  ) with (fillfactor = 70)`,

  `create table external_id (
    user_id text not null,
    source text not null,
    external_id text not null check (length(external_id) between 1 and 128),
    sequence bigint not null check (sequence > 0),
    content_hash bytea not null check (length(content_hash) = 32),
    primary key (user_id, source, external_id)
  )`,
]
