import { PortfolioUpdateRequest_PortfolioTransaction_TransactionType as TransactionType } from '../gen/portfolio/v1/portfolio_update_pb.ts'

/** One row of the file, still text: what is written is what is sent. */
export interface FileRow {
  readonly type: 'BUY' | 'SELL' | 'TRANSFER'
  readonly symbol: string
  /** Units; of a TRANSFER above zero in, below zero out. */
  readonly quantity: string
  /** Per unit; of a TRANSFER in the cost basis, of one out 0. */
  readonly price: string
  /** RFC 3339, UTC. */
  readonly executedAt: string
}

/** A row as the service's UpdatePortfolio takes it. */
export interface FileTransaction {
  readonly type: TransactionType
  readonly symbol: string
  readonly quantity: number
  readonly price: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: bigint
}

const HEADER = 'type,symbol,quantity,price,executed_at'
const ROW =
  /^(BUY|SELL|TRANSFER),([^,]+),(-?\d+(?:\.\d+)?),(\d+(?:\.\d+)?),(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/

/** The whole text of a file of transactions. */
export function formatTransactions(rows: readonly FileRow[]): string {
  const lines = rows.map(({ type, symbol, quantity, price, executedAt }) =>
    [type, symbol, quantity, price, executedAt].join(','),
  )
  return `${[HEADER, ...lines].join('\n')}\n`
}

/**
 * Reads a file of transactions.
 * @throws Error naming the line that is not as it should be.
 */
export function parseTransactions(text: string): FileTransaction[] {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/)
  if (header !== HEADER) throw new Error(`line 1 is not "${HEADER}"`)
  return lines.map((line, index) => {
    const transaction = parseRow(line)
    if (transaction === undefined) throw new Error(`line ${index + 2} is no transaction: "${line}"`)
    return transaction
  })
}

function parseRow(line: string): FileTransaction | undefined {
  const [, type, symbol, quantity, price, executedAt] = ROW.exec(line) ?? []
  if (type === undefined || symbol === undefined || executedAt === undefined) return undefined
  const milliseconds = Date.parse(executedAt)
  if (Number.isNaN(milliseconds)) return undefined
  return {
    type: TransactionType[type as FileRow['type']],
    symbol,
    quantity: Number(quantity),
    price: Number(price),
    timestamp: BigInt(milliseconds),
  }
}
