import { decimal, type Decimal, decimalText } from '../decimal.ts'
import type { Instant } from '../time.ts'
import type { Cash } from './cash.ts'
import type { Book, Holding, Lot } from './holding.ts'
import type { Snapshot } from './past-fold.ts'

/** Name of the encoding below: a change of it is a new number, and snapshots of another number are not read. */
export const SNAPSHOT_FORMAT = 2

type Folded = Pick<Snapshot, 'books' | 'withLots' | 'cash'>

/**
 * The canonical text of what a snapshot folded: decimals as texts, lists in place of records, in the order in which
 * the fold met them, since a fold that goes on spreads remainders in that order.
 */
export function snapshotText({ books, withLots, cash }: Folded): string {
  const balances = [...cash.balances].map(
    ([currency, amount]) => [currency, decimalText(amount)] as const,
  )
  const bookRows = [...books.keys()].map((instrumentId) => {
    const holdings = withLots(instrumentId)?.values() ?? []
    return [instrumentId, [...holdings].map(holdingRow)] as const
  })
  const written: Stored = [[cash.since ?? null, balances], bookRows]
  return JSON.stringify(written)
}

/** What {@link snapshotText} wrote; lots, which are most of it, are read when they are asked for. */
export function snapshotOfText(text: string): Folded {
  const [[since, balances], bookRows] = JSON.parse(text) as Stored
  const cash: Cash = {
    since: since ?? undefined,
    balances: new Map(balances.map(([currency, amount]) => [currency, decimal(amount)])),
  }
  const rows = new Map(bookRows)
  const loaded = new Map<string, Book>()
  return {
    cash,
    books: new Map(
      bookRows.map(([instrumentId, holdings]) => [
        instrumentId,
        bookOf(instrumentId, holdings, () => undefined),
      ]),
    ),
    withLots: (instrumentId) => {
      const holdings = rows.get(instrumentId)
      const book =
        loaded.get(instrumentId) ?? (holdings && bookOf(instrumentId, holdings, lotsOfRow))
      if (book !== undefined) loaded.set(instrumentId, book)
      return book
    },
  }
}

function bookOf(
  instrumentId: string,
  rows: readonly HoldingRow[],
  lotsOf: (row: HoldingRow) => readonly Lot[] | undefined,
): Book {
  return new Map(
    rows.map((row): [string, Holding] => [row[0], holdingOfRow(instrumentId, row, lotsOf(row))]),
  )
}

function lotsOfRow([accountId, lots]: HoldingRow): readonly Lot[] {
  return (JSON.parse(lots) as readonly LotRow[]).map((lot) => lotOfRow(accountId, lot))
}

type Stored = readonly [
  cash: readonly [since: Instant | null, balances: readonly (readonly [string, string])[]],
  books: readonly (readonly [instrumentId: string, holdings: readonly HoldingRow[]])[],
]

type HoldingRow = readonly [
  accountId: string,
  lots: string,
  lotCount: number,
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
  /** True: a corporate action is not in it, see `Holding.actionEpoch`. */
  isLeftOut?: true,
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
    JSON.stringify(lots.map(lotRow)),
    lots.length,
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
    ...leftOutMark(holding),
  ]
}

function leftOutMark({ actionEpoch }: Holding): readonly [isLeftOut?: true] {
  return actionEpoch < 0 ? [true] : []
}

function lotRow(lot: Lot): LotRow {
  const { openedSequence, part, acquiredAt, quantity, quantityAcquired } = lot
  const basis = lot.basis === null ? null : decimalText(lot.basis)
  const row = [openedSequence, part, acquiredAt, decimalText(quantity), basis] as const
  return quantity.equals(quantityAcquired) ? row : [...row, decimalText(quantityAcquired)]
}

function holdingOfRow(
  instrumentId: string,
  row: HoldingRow,
  lots: readonly Lot[] | undefined,
): Holding {
  const [accountId, , lotCount, quantity, unknownQuantity, basis, realized, ...rest] = row
  const [income, fees, taxes, capital, lastEffectiveAt, lastTrade, transactionCount, isLeftOut] =
    rest
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
    lotCount,
    // None is loaded without being read.
    lots: lotCount === 0 ? [] : lots,
    lastEffectiveAt,
    lastTrade: lastTrade === null ? undefined : { price: decimal(lastTrade[0]), at: lastTrade[1] },
    transactionCount,
    actionEpoch: isLeftOut ? -1 : 0,
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
