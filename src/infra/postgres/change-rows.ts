import { sql, type Transaction } from 'kysely'
import { decimalText, type Decimal } from '../../domain/decimal.ts'
import { contentHash } from '../../domain/portfolio/external-ids.ts'
import { termsText } from '../../domain/portfolio/terms-text.ts'
import type { PortfolioChange } from '../../domain/portfolio/portfolio-change.ts'
import { etagOf } from '../../domain/portfolio/state.ts'
import type { Instant } from '../../domain/time.ts'
import { BulkInsert, replacing } from './bulk-insert.ts'
import { executePrepared, timestampText } from './database.ts'
import { deleteClosedLots, deleteOutdatedCash, endSupersededMatches } from './outdated-rows.ts'
import type { Schema } from './schema.ts'

type Rows = (readonly unknown[])[]

const LEDGER = new BulkInsert('ledger', [
  'user_id',
  'sequence',
  'version',
  'effective_at',
  'recorded_at',
  'instrument_id',
  'account_id',
  'type',
  'quantity',
  'price',
  'request_id',
  'hash',
  'terms',
  'reverses_sequence',
])

const HOLDING_KEY = ['user_id', 'instrument_id', 'account_id'] as const
const HOLDING_COLUMNS = [
  ...HOLDING_KEY,
  'quantity',
  'unknown_quantity',
  'basis',
  'realized',
  'income',
  'fees',
  'taxes',
  'capital',
  'lot_count',
  'last_effective_at',
  'last_trade_price',
  'last_trade_at',
  'transaction_count',
  'action_epoch',
] as const
const HOLDING = new BulkInsert('holding', HOLDING_COLUMNS, replacing(HOLDING_KEY, HOLDING_COLUMNS))

const LOT_KEY = ['user_id', 'instrument_id', 'account_id', 'opened_sequence', 'part'] as const
const LOT_COLUMNS = [...LOT_KEY, 'acquired_at', 'quantity_acquired', 'quantity', 'basis'] as const
const LOT = new BulkInsert('lot', LOT_COLUMNS, replacing(LOT_KEY, LOT_COLUMNS))

const CASH_COLUMNS = ['user_id', 'currency', 'amount'] as const
const CASH = new BulkInsert('cash', CASH_COLUMNS, replacing(['user_id', 'currency'], CASH_COLUMNS))

/** A correction takes over the id of what it replaces; any other reuse was refused under the lock. */
const EXTERNAL_ID_KEY = ['user_id', 'source', 'external_id'] as const
const EXTERNAL_ID_COLUMNS = [...EXTERNAL_ID_KEY, 'sequence', 'content_hash'] as const
const EXTERNAL_ID = new BulkInsert(
  'external_id',
  EXTERNAL_ID_COLUMNS,
  replacing(EXTERNAL_ID_KEY, EXTERNAL_ID_COLUMNS),
)

const LOT_MATCH = new BulkInsert('lot_match', [
  'user_id',
  'disposal_sequence',
  'part',
  'from_version',
  'disposed_at',
  'instrument_id',
  'account_id',
  'lot_sequence',
  'lot_part',
  'acquired_at',
  'quantity',
  'basis',
  'proceeds',
  'gain',
  'rule',
])

const OUTBOX = new BulkInsert('outbox', [
  'user_id',
  'version',
  'n',
  'recorded_at',
  'etag',
  'first_sequence',
  'last_sequence',
])

/** Starts all statements that write the changes of a batch; resolves when every one has succeeded. */
export async function writeChanges(
  transaction: Transaction<Schema>,
  changes: readonly PortfolioChange[],
): Promise<void> {
  await Promise.all([
    LEDGER.execute(transaction, changes.flatMap(ledgerRows)),
    HOLDING.execute(transaction, changes.flatMap(holdingRows)),
    deleteClosedLots(transaction, changes),
    LOT.execute(transaction, changes.flatMap(lotRows)),
    endSupersededMatches(transaction, changes),
    LOT_MATCH.execute(transaction, changes.flatMap(matchRows)),
    deleteOutdatedCash(transaction, changes),
    CASH.execute(transaction, changes.flatMap(cashRows)),
    EXTERNAL_ID.execute(transaction, changes.flatMap(externalIdRows)),
    OUTBOX.execute(transaction, changes.map(outboxRow)),
    updatePortfolios(transaction, changes),
    updateSettings(transaction, changes),
  ])
}

/** The row lock holds the version; that the update hits every row is the second guard. */
async function updatePortfolios(
  transaction: Transaction<Schema>,
  changes: readonly PortfolioChange[],
): Promise<void> {
  const users = changes.map(({ after }) => after.userId)
  const update = sql`
    update portfolio set version = new.version, last_sequence = new.last_sequence,
      last_recorded_at = new.last_recorded_at, chain_head = new.chain_head
    from unnest(${users}::text[], ${changes.map(({ before }) => before.version)}::bigint[],
      ${changes.map(({ after }) => after.version)}::bigint[],
      ${changes.map(({ after }) => after.lastSequence)}::bigint[],
      ${changes.map(({ after }) => optionalTimestamp(after.lastRecordedAt))}::timestamptz[],
      ${changes.map(({ after }) => after.chainHead)}::bytea[])
      as new (user_id, old_version, version, last_sequence, last_recorded_at, chain_head)
    where portfolio.user_id = any(${users}::text[]) and portfolio.user_id = new.user_id
      and portfolio.version = new.old_version`.compile(transaction)
  const { numAffectedRows } = await executePrepared(transaction, 'update portfolio', update)
  if (Number(numAffectedRows) !== changes.length) {
    throw new Error('a locked portfolio changed its version')
  }
}

/** What hardly any change touches, under the version it has by then. */
async function updateSettings(
  transaction: Transaction<Schema>,
  changes: readonly PortfolioChange[],
): Promise<void> {
  const changed = changes.filter(
    ({ before, after }) =>
      before.settings !== after.settings || before.cash.since !== after.cash.since,
  )
  if (changed.length === 0) return
  const users = changed.map(({ after }) => after.userId)
  const settings = changed.map(({ after }) => after.settings)
  const { numAffectedRows } = await sql`
    update portfolio set base_currency = new.base_currency, lot_method = new.lot_method,
      allow_short = new.allow_short, cash_since = new.cash_since,
      tax_jurisdiction = new.tax_jurisdiction, time_zone = new.time_zone,
      benchmark_symbols = new.benchmark_symbols
    from unnest(${users}::text[], ${changed.map(({ after }) => after.version)}::bigint[],
      ${settings.map(({ baseCurrency }) => baseCurrency)}::text[],
      ${settings.map(({ lotMethod }) => lotMethod)}::text[],
      ${settings.map(({ allowShort }) => allowShort)}::boolean[],
      ${changed.map(({ after }) => optionalTimestamp(after.cash.since))}::timestamptz[],
      ${settings.map(({ taxJurisdiction }) => taxJurisdiction)}::text[],
      ${settings.map(({ timeZone }) => timeZone)}::text[],
      ${settings.map(({ benchmarkSymbols }) => benchmarkSymbols.join(' '))}::text[])
      as new (user_id, version, base_currency, lot_method, allow_short, cash_since,
        tax_jurisdiction, time_zone, benchmark_symbols)
    where portfolio.user_id = any(${users}::text[]) and portfolio.user_id = new.user_id
      and portfolio.version = new.version`.execute(transaction)
  if (Number(numAffectedRows) !== changed.length) throw new Error('settings found no portfolio')
}

function cashRows({ before, after }: PortfolioChange): Rows {
  return [...after.cash.balances].flatMap(([currency, amount]) =>
    before.cash.balances.get(currency)?.equals(amount)
      ? []
      : [[after.userId, currency, decimalText(amount)]],
  )
}

function externalIdRows({ after, entries }: PortfolioChange): Rows {
  return entries.flatMap(({ entry }) => {
    const { externalId = '', source = '' } = entry.terms ?? {}
    if (externalId === '') return []
    return [[after.userId, source, externalId, entry.sequence, contentHash(entry)]]
  })
}

/** What others are told of a change: here it is certain exactly when the change is. */
function outboxRow({ before, after }: PortfolioChange): readonly unknown[] {
  return [
    after.userId,
    after.version,
    0,
    timestampText(after.lastRecordedAt),
    etagOf(after),
    before.lastSequence + 1,
    after.lastSequence,
  ]
}

function ledgerRows({ after, entries }: PortfolioChange): Rows {
  return entries.map(({ entry, hash }) => [
    after.userId,
    entry.sequence,
    entry.version,
    timestampText(entry.effectiveAt),
    timestampText(entry.recordedAt),
    entry.instrumentId,
    entry.accountId,
    entry.type,
    decimalText(entry.quantity),
    decimalText(entry.price),
    entry.requestId,
    hash,
    entry.terms === undefined ? null : termsText(entry.terms),
    entry.terms?.reverses?.sequence ?? null,
  ])
}

function holdingRows({ after, holdings }: PortfolioChange): Rows {
  return holdings.map((holding) => [
    after.userId,
    holding.instrumentId,
    holding.accountId,
    decimalText(holding.quantity),
    decimalText(holding.unknownQuantity),
    decimalText(holding.basis),
    decimalText(holding.realized),
    decimalText(holding.income),
    decimalText(holding.fees),
    decimalText(holding.taxes),
    decimalText(holding.capital),
    holding.lotCount,
    optionalTimestamp(holding.lastEffectiveAt),
    optionalText(holding.lastTrade?.price ?? null),
    holding.lastTrade === undefined ? null : timestampText(holding.lastTrade.at),
    holding.transactionCount,
    holding.actionEpoch,
  ])
}

function lotRows({ after, lots }: PortfolioChange): Rows {
  return lots.map(({ instrumentId, lot }) => [
    after.userId,
    instrumentId,
    lot.accountId,
    lot.openedSequence,
    lot.part,
    timestampText(lot.acquiredAt),
    decimalText(lot.quantityAcquired),
    decimalText(lot.quantity),
    optionalText(lot.basis),
  ])
}

function matchRows({ after, matches }: PortfolioChange): Rows {
  return matches.map(({ instrumentId, match }) => [
    after.userId,
    match.disposalSequence,
    match.part,
    after.version,
    timestampText(match.disposedAt),
    instrumentId,
    match.accountId,
    match.lotSequence,
    match.lotPart,
    timestampText(match.acquiredAt),
    decimalText(match.quantity),
    optionalText(match.basis),
    decimalText(match.proceeds),
    optionalText(match.gain),
    match.rule,
  ])
}

function optionalText(value: Decimal | null): string | null {
  return value === null ? null : decimalText(value)
}

function optionalTimestamp(instant: Instant | undefined): string | null {
  return instant === undefined || instant === Number.MIN_SAFE_INTEGER
    ? null
    : timestampText(instant)
}
