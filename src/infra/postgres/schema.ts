import type { ColumnType } from 'kysely'
import type { QuarantineReason } from '../../domain/market-data/accept-quote.ts'
import type { AssetClass } from '../../domain/market-data/asset-class.ts'
import type { ActionTerms } from '../../domain/market-data/corporate-action.ts'
import type { QuoteKind } from '../../domain/market-data/quote.ts'
import type { LotMethod } from '../../domain/portfolio/lot-methods.ts'
import type { TransactionType } from '../../domain/portfolio/transaction-types.ts'
import type { Instant } from '../../domain/time.ts'

/** NUMERIC: text both ways, since a double cannot hold it. */
type Numeric = string
/** bigint columns of this schema count things and stay below 2^53. */
type Count = ColumnType<number, number | string, number | string>
/** timestamptz: read as whole microseconds, written as text. */
type Timestamp = ColumnType<Instant, string, string>

/** Tables as Kysely sees them; `migrations/` makes them. */
export interface Schema {
  readonly portfolio: PortfolioTable
  readonly ledger: LedgerTable
  readonly holding: HoldingTable
  readonly lot: LotTable
  readonly lot_match: LotMatchTable
  readonly cash: CashTable
  readonly snapshot: SnapshotTable
  readonly request_key: RequestKeyTable
  readonly external_id: ExternalIdTable
  readonly quote: QuoteTable
  readonly newest_quote: QuoteTable
  readonly quarantined_quote: QuarantinedQuoteTable
  readonly instrument: InstrumentTable
  readonly alias: AliasTable
  readonly reference_epoch: ReferenceEpochTable
  readonly corporate_action: CorporateActionTable
  readonly outbox: OutboxTable
  readonly lease: LeaseTable
  readonly packed_closes: PackedClosesTable
  readonly valuation: ValuationTable
  readonly valuation_head: ValuationHeadTable
  readonly valuation_news: ValuationNewsTable
}

export interface PortfolioTable {
  user_id: string
  version: Count
  last_sequence: Count
  last_recorded_at: Timestamp | null
  chain_head: Buffer
  base_currency: string
  lot_method: LotMethod
  allow_short: boolean
  cash_since: Timestamp | null
  tax_jurisdiction: string
  time_zone: string
  /** Separated by spaces, which no symbol has. */
  benchmark_symbols: string
}

export interface LedgerTable {
  user_id: string
  sequence: Count
  version: Count
  effective_at: Timestamp
  recorded_at: Timestamp
  instrument_id: string
  account_id: string
  type: TransactionType
  quantity: Numeric
  price: Numeric
  request_id: string
  hash: Buffer
  terms: string | null
  reverses_sequence: Count | null
}

export interface HoldingTable {
  user_id: string
  instrument_id: string
  account_id: string
  quantity: Numeric
  unknown_quantity: Numeric
  basis: Numeric
  realized: Numeric
  income: Numeric
  fees: Numeric
  taxes: Numeric
  capital: Numeric
  lot_count: number
  last_effective_at: Timestamp | null
  last_trade_price: Numeric | null
  last_trade_at: Timestamp | null
  transaction_count: Count
  action_epoch: number
}

export interface LotTable {
  user_id: string
  instrument_id: string
  account_id: string
  opened_sequence: Count
  part: number
  acquired_at: Timestamp
  quantity_acquired: Numeric
  quantity: Numeric
  basis: Numeric | null
}

export interface LotMatchTable {
  user_id: string
  disposal_sequence: Count
  part: number
  from_version: Count
  to_version: Count | null
  disposed_at: Timestamp
  instrument_id: string
  account_id: string
  lot_sequence: Count
  lot_part: number
  acquired_at: Timestamp
  quantity: Numeric
  basis: Numeric | null
  proceeds: Numeric
  gain: Numeric | null
  rule: string
}

export interface RequestKeyTable {
  user_id: string
  caller: string
  method: string
  key: string
  content_hash: Buffer
  version: Count
  answer: string | null
  recorded_at: Timestamp
}

export interface CashTable {
  user_id: string
  currency: string
  amount: Numeric
}

export interface SnapshotTable {
  user_id: string
  effective_at: Timestamp
  version: Count
  format: number
  lot_method: LotMethod
  entry_count: Count
  last_version: Count
  last_sequence: Count
  last_recorded_at: Timestamp
  folded: string
  /** `CorporateActions.epoch` it was folded with. */
  action_epoch: Count
}

export interface ExternalIdTable {
  user_id: string
  source: string
  external_id: string
  sequence: Count
  content_hash: Buffer
}

export interface QuoteTable {
  instrument_id: string
  priced_at: Timestamp
  source: string
  price: Numeric
  currency: string
  kind: QuoteKind
  split_adjusted: boolean
  recorded_at: Timestamp
}

export interface QuarantinedQuoteTable {
  instrument_id: string
  priced_at: Timestamp
  source: string
  /** As it was sent: it may be no number. */
  price: string
  currency: string
  kind: QuoteKind
  split_adjusted: boolean
  recorded_at: Timestamp
  reason: QuarantineReason
  released_at: Timestamp | null
}

export interface InstrumentTable {
  instrument_id: string
  symbol: string
  mic: string
  isin: string
  figi: string
  currency: string
  asset_class: AssetClass
  multiplier: Numeric
  quantity_scale: number
  /** JSON of texts by name. */
  classifications: string
  underlying_symbol: string | null
  expiry_day: string | null
  strike: Numeric | null
  option_right: 'CALL' | 'PUT' | null
  epoch: Count
}

export interface AliasTable {
  symbol: string
  from_day: string
  /** Empty = to this day. */
  to_day: string
  instrument_id: string
}

export interface ReferenceEpochTable {
  name: string
  epoch: Count
}

export interface CorporateActionTable {
  action_id: Count
  /** 1 = the record, 2 = its reversal. */
  revision: number
  epoch: Count
  instrument_id: string
  target_id: string | null
  kind: ActionTerms['kind']
  ex_day: string
  effective_at: Timestamp
  /** JSON, decimals as texts. */
  terms: string
  recorded_at: Timestamp
  reason: string
  caller: string
  request_id: string
  content_hash: Buffer
}

export interface OutboxTable {
  user_id: string
  version: Count
  n: number
  recorded_at: Timestamp
  etag: string
  first_sequence: Count
  last_sequence: Count
}

export interface LeaseTable {
  name: string
  holder: string
  expires_at: Timestamp
  token: Count
}

/** A day's value, what moved and how one unit of money grew; null = it cannot be known. */
export interface ValuationTable {
  user_id: string
  day: string
  currency: string
  value: Numeric | null
  inflow: Numeric | null
  outflow: Numeric | null
  growth: Numeric | null
  observed: boolean
  completeness: 'COMPLETE' | 'PARTIAL'
  version: Count
  action_epoch: Count
  quotes_until: Timestamp
  computed_at: Timestamp
}

export interface ValuationHeadTable {
  user_id: string
  version: Count
  /** Null: nothing is kept. */
  kept_until: string | null
  /** What the values are made of: instruments, those linked to them by corporate actions, and pairs of currencies. */
  instrument_ids: string[]
  actions_left_out: boolean
  attempts: number
  attempted_version: Count
  retry_at: Timestamp | null
}

export interface ValuationNewsTable {
  name: string
  quotes_until: Timestamp
  action_epoch: Count
  instrument_epoch: Count
}

export interface PackedClosesTable {
  instrument_id: string
  revision: Count
  packed_before: Timestamp | null
  currency: string
  days: Buffer | null
  prices: Buffer | null
  units_of: Buffer | null
}
