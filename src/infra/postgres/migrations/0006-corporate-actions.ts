import { type Kysely, sql } from 'kysely'

/** Corporate actions: reference data, folded into a holding when it is next read or written. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}

const STATEMENTS = [
  `insert into reference_epoch (name, epoch) values ('corporate_action', 0)`,

  // Append only: a reversal is a second revision, so that what was known before it stays known.
  `create table corporate_action (
    action_id bigint not null check (action_id > 0),
    revision integer not null check (revision in (1, 2)),
    epoch bigint not null unique check (epoch >= action_id),
    instrument_id text not null check (length(instrument_id) between 1 and 32),
    target_id text check (length(target_id) between 1 and 32),
    kind text not null
      check (kind in ('SPLIT', 'SYMBOL_CHANGE', 'SPIN_OFF', 'MERGER', 'CASH_DIVIDEND')),
    ex_day text not null,
    effective_at timestamptz not null,
    terms text not null,
    recorded_at timestamptz not null,
    reason text not null,
    caller text not null,
    request_id text not null,
    content_hash bytea not null check (length(content_hash) = 32),
    primary key (action_id, revision)
  )`,
  `create unique index corporate_action_by_request on corporate_action (caller, request_id)
    where request_id <> ''`,

  // A holding written before this knows no action, which is what 0 says; below 0 they were left out.
  `alter table holding add column action_epoch integer not null default 0`,
  `alter table snapshot add column action_epoch bigint not null default 0`,

  // Looked through for splits that nobody recorded.
  `create index quarantined_outlier on quarantined_quote (recorded_at) where reason = 'OUTLIER'`,
]
