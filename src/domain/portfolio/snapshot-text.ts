import { decimal, type Decimal, decimalText } from '../decimal.ts'
import type { Instant } from '../time.ts'
import type { Cash } from './cash.ts'
import type { Book, Holding, Lot } from './holding.ts'
import type { Snapshot } from './past-fold.ts'

/** Name of the encoding below: a change of it is a new number, and snapshots of another number are not read. */
export const SNAPSHOT_FORMAT = 1

type Folded = Pick<Snapshot, 'books' | 'cash'>

/**
 * The canonical text of what a snapshot folded: decimals as texts, lists in place of records, in the order in which
 * the fold met them, since a fold that goes on spreads remainders in that order.
 */
export function snapshotText({ books, cash }: Folded): string {
  const written: Stored = [
    [
      cash.since ?? null,
      [...cash.balances].map(([currency, amount]) => [currency, decimalText(amount)]),
    ],
    [...books].map(([instrumentId, book]) => [instrumentId, [...book.values()].map(holdingRow)]),
  ]
  return JSON.stringify(written)
}

/** What {@link snapshotText} wrote. */
export function snapshotOfText(text: string): Folded {
  const [[since, balances], books] = JSON.parse(text) as Stored
  const cash: Cash = {
    since: since ?? undefined,
    balances: new Map(balances.map(([currency, amount]) => [currency, decimal(amount)])),
  }
  return {
    cash,
    books: new Map(
      books.map(([instrumentId, rows]): [string, Book] => [
        instrumentId,
        new Map(rows.map((row): [string, Holding] => [row[0], holdingOfRow(instrumentId, row)])),
      ]),
    ),
  }
}

type Stored = readonly [
  cash: readonly [since: Instant | null, balances: readonly (readonly [string, string])[]],
  books: readonly (readonly [instrumentId: string, holdings: readonly HoldingRow[]])[],
]

type HoldingRow = readonly [
  accountId: string,
  quantity: string,
  unknownQuantity: string,
  basis: string,
  realized: string,
  income: string,
  fees: string,
  taxes: string,
  capital: string,
  lastEffectiveAt: Instant,
  lastTrade: readonly [price: string, at: Instant] | null,
  transactionCount: number,
  lots: readonly LotRow[],
]

/** What is acquired and what is open are most often the same number. */
type LotRow = readonly [
  openedSequence: number,
  part: number,
  acquiredAt: Instant,
  quantity: string,
  basis: string | null,
  quantityAcquired?: string,
]

function holdingRow(holding: Holding): HoldingRow {
  const { lastTrade, lots } = holding
  if (lots === undefined) throw new Error('a snapshot needs the open lots')
  return [
    holding.accountId,
    decimalText(holding.quantity),
    decimalText(holding.unknownQuantity),
    decimalText(holding.basis),
    decimalText(holding.realized),
    decimalText(holding.income),
    decimalText(holding.fees),
    decimalText(holding.taxes),
    decimalText(holding.capital),
    holding.lastEffectiveAt,
    lastTrade === undefined ? null : [decimalText(lastTrade.price), lastTrade.at],
    holding.transactionCount,
    lots.map(lotRow),
  ]
}

function lotRow(lot: Lot): LotRow {
  const { openedSequence, part, acquiredAt, quantity, quantityAcquired } = lot
  const basis = lot.basis === null ? null : decimalText(lot.basis)
  const row = [openedSequence, part, acquiredAt, decimalText(quantity), basis] as const
  return quantity.equals(quantityAcquired) ? row : [...row, decimalText(quantityAcquired)]
}

function holdingOfRow(instrumentId: string, row: HoldingRow): Holding {
  const [accountId, quantity, unknownQuantity, basis, realized, income, ...rest] = row
  const [fees, taxes, capital, lastEffectiveAt, lastTrade, transactionCount, lots] = rest
  return {
    instrumentId,
    accountId,
    quantity: decimal(quantity),
    unknownQuantity: decimal(unknownQuantity),
    basis: decimal(basis),
    realized: decimal(realized),
    income: decimal(income),
    fees: decimal(fees),
    taxes: decimal(taxes),
    capital: decimal(capital),
    lotCount: lots.length,
    lots: lots.map((lot) => lotOfRow(accountId, lot)),
    lastEffectiveAt,
    lastTrade: lastTrade === null ? undefined : { price: decimal(lastTrade[0]), at: lastTrade[1] },
    transactionCount,
  }
}

function lotOfRow(accountId: string, row: LotRow): Lot {
  const [openedSequence, part, acquiredAt, open, basis, acquired] = row
  const quantity: Decimal = decimal(open)
  return {
    openedSequence,
    part,
    accountId,
    acquiredAt,
    quantityAcquired: acquired === undefined ? quantity : decimal(acquired),
    quantity,
    basis: basis === null ? null : decimal(basis),
  }
}
