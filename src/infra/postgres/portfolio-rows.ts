import type { Selectable } from 'kysely'
import { decimal } from '../../domain/decimal.ts'
import { compareLots, type Holding, type Lot } from '../../domain/portfolio/holding.ts'
import { termsOfText } from '../../domain/portfolio/terms-text.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import type { CashTable, HoldingTable, LedgerTable, LotTable, PortfolioTable } from './schema.ts'

/** The state a portfolio's rows stand for. Holdings without rows of their lots have none loaded. */
export function stateOfRows(
  row: Selectable<PortfolioTable>,
  holdings: readonly Selectable<HoldingTable>[],
  cash: readonly Pick<CashTable, 'currency' | 'amount'>[],
): PortfolioState {
  const books = new Map<string, Map<string, Holding>>()
  for (const holdingRow of holdings) {
    let book = books.get(holdingRow.instrument_id)
    if (book === undefined) {
      book = new Map()
      books.set(holdingRow.instrument_id, book)
    }
    book.set(holdingRow.account_id, holdingOfRow(holdingRow))
  }
  const balances = new Map(cash.map(({ currency, amount }) => [currency, decimal(amount)]))
  return { ...headOfRow(row), books, cash: { since: row.cash_since ?? undefined, balances } }
}

function headOfRow(row: Selectable<PortfolioTable>): Omit<PortfolioState, 'books' | 'cash'> {
  return {
    userId: row.user_id,
    version: row.version,
    lastSequence: row.last_sequence,
    lastRecordedAt: row.last_recorded_at ?? Number.MIN_SAFE_INTEGER,
    chainHead: row.chain_head,
    settings: {
      baseCurrency: row.base_currency,
      lotMethod: row.lot_method,
      allowShort: row.allow_short,
      taxJurisdiction: row.tax_jurisdiction,
      timeZone: row.time_zone,
      benchmarkSymbols: row.benchmark_symbols.split(' ').filter((symbol) => symbol !== ''),
    },
  }
}

function holdingOfRow(row: Selectable<HoldingTable>): Holding {
  return {
    instrumentId: row.instrument_id,
    accountId: row.account_id,
    quantity: decimal(row.quantity),
    unknownQuantity: decimal(row.unknown_quantity),
    basis: decimal(row.basis),
    realized: decimal(row.realized),
    income: decimal(row.income),
    fees: decimal(row.fees),
    taxes: decimal(row.taxes),
    capital: decimal(row.capital),
    lotCount: row.lot_count,
    lots: row.lot_count === 0 ? [] : undefined,
    lastEffectiveAt: row.last_effective_at ?? Number.MIN_SAFE_INTEGER,
    lastTrade:
      row.last_trade_price === null || row.last_trade_at === null
        ? undefined
        : { price: decimal(row.last_trade_price), at: row.last_trade_at },
    transactionCount: row.transaction_count,
    actionEpoch: row.action_epoch,
  }
}

/** The state with the open lots of the named instruments, read at the state's version, in place. */
export function withLots(
  state: PortfolioState,
  instrumentIds: readonly string[],
  rows: readonly Selectable<LotTable>[],
): PortfolioState {
  const books = new Map(state.books)
  for (const instrumentId of instrumentIds) {
    const book = books.get(instrumentId)
    if (book === undefined) continue
    const loaded = new Map<string, Holding>()
    for (const [accountId, holding] of book) {
      const lots = rows
        .filter((row) => row.instrument_id === instrumentId && row.account_id === accountId)
        .map(lotOfRow)
        .toSorted(compareLots)
      if (lots.length !== holding.lotCount) throw new Error('open lots do not match their holding')
      loaded.set(accountId, { ...holding, lots })
    }
    books.set(instrumentId, loaded)
  }
  return { ...state, books }
}

function lotOfRow(row: Selectable<LotTable>): Lot {
  return {
    openedSequence: row.opened_sequence,
    part: row.part,
    accountId: row.account_id,
    acquiredAt: row.acquired_at,
    quantityAcquired: decimal(row.quantity_acquired),
    quantity: decimal(row.quantity),
    basis: row.basis === null ? null : decimal(row.basis),
  }
}

export function entryOfRow(row: Selectable<LedgerTable>): LedgerEntry {
  return {
    sequence: row.sequence,
    version: row.version,
    effectiveAt: row.effective_at,
    recordedAt: row.recorded_at,
    instrumentId: row.instrument_id,
    accountId: row.account_id,
    type: row.type,
    quantity: decimal(row.quantity),
    price: decimal(row.price),
    requestId: row.request_id,
    ...(row.terms !== null && { terms: termsOfText(row.terms) }),
  }
}
