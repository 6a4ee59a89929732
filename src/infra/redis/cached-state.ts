import { hash } from 'node:crypto'
import { decimal, type Decimal, decimalText, ZERO } from '../../domain/decimal.ts'
import type { Holding } from '../../domain/portfolio/holding.ts'
import type { PortfolioSettings, PortfolioState } from '../../domain/portfolio/state.ts'
import type { Mark } from './server-time.ts'

/** What a value says in its first line. */
export interface CachedHead {
  readonly version: number
  readonly mark: Mark
  readonly chainHead: Uint8Array
  readonly body: string
}

/** Version, mark, run, head of the chain, digest; Lua scripts read the first two. */
const HEADER = /^(\d{1,15}) (\d{1,16}) ([0-9a-f]{1,64}) ([0-9a-f]{64}) ([0-9a-f]{32})\n/
const DIGEST_LENGTH = 32

/** The value kept under `key`: a header line, and the positions as JSON with decimals as texts. */
export function encodeState(key: string, state: PortfolioState, mark: Mark): string {
  const body = JSON.stringify(bodyOf(state))
  const chainHead = Buffer.from(state.chainHead).toString('hex')
  const fields = `${state.version} ${mark.microseconds} ${mark.run} ${chainHead}`
  return `${fields} ${digestOf(key, fields, body)}\n${body}`
}

/** Undefined for anything but a whole value that was put under this very key. */
export function decodeHead(key: string, text: string): CachedHead | undefined {
  const match = HEADER.exec(text)
  if (match === null) return undefined
  const [header, version = '', microseconds = '', run = '', chainHead = '', digest] = match
  const body = text.slice(header.length)
  const fields = `${version} ${microseconds} ${run} ${chainHead}`
  if (digest !== digestOf(key, fields, body)) return undefined
  return {
    version: Number(version),
    mark: { run, microseconds: Number(microseconds) },
    chainHead: Buffer.from(chainHead, 'hex'),
    body,
  }
}

export function decodeState(
  userId: string,
  { version, chainHead, body }: CachedHead,
): PortfolioState {
  const parsed = JSON.parse(body) as Body
  const books = new Map<string, Map<string, Holding>>()
  for (const row of parsed.holdings) {
    const holding = holdingOf(row)
    const book = books.get(holding.instrumentId)
    if (book === undefined) books.set(holding.instrumentId, new Map([[holding.accountId, holding]]))
    else book.set(holding.accountId, holding)
  }
  const balances = new Map(parsed.cash.map(([currency, amount]) => [currency, decimal(amount)]))
  return {
    userId,
    version,
    lastSequence: parsed.lastSequence,
    lastRecordedAt: parsed.lastRecordedAt,
    chainHead,
    settings: parsed.settings,
    books,
    cash: { since: parsed.cashSince ?? undefined, balances },
  }
}

/** The key is part of it, so that a value moved to another user's key is garbage there. */
function digestOf(key: string, fields: string, body: string): string {
  return hash('sha256', `${key}\n${fields}\n${body}`).slice(0, DIGEST_LENGTH)
}

interface Body {
  readonly lastSequence: number
  readonly lastRecordedAt: number
  readonly settings: PortfolioSettings
  readonly cashSince: number | null
  readonly cash: readonly (readonly [currency: string, amount: string])[]
  readonly holdings: readonly HoldingRow[]
}

/** A holding without its lots: a write reads those under its lock. */
type HoldingRow = readonly [
  instrumentId: string,
  accountId: string,
  amounts: readonly string[],
  lotCount: number,
  lastEffectiveAt: number,
  lastTrade: readonly [price: string, at: number] | null,
  transactionCount: number,
  /** Absent = none is folded in: where there is one, that is found out. */
  actionEpoch?: number,
]

/** The order in which amounts are kept: part of the stored data. */
const AMOUNTS = [
  'quantity',
  'unknownQuantity',
  'basis',
  'realized',
  'income',
  'fees',
  'taxes',
  'capital',
] as const satisfies readonly (keyof Holding)[]

function bodyOf(state: PortfolioState): Body {
  const holdings: HoldingRow[] = []
  for (const book of state.books.values()) {
    for (const holding of book.values()) holdings.push(rowOf(holding))
  }
  return {
    lastSequence: state.lastSequence,
    lastRecordedAt: state.lastRecordedAt,
    settings: state.settings,
    cashSince: state.cash.since ?? null,
    cash: [...state.cash.balances].map(([currency, amount]) => [currency, decimalText(amount)]),
    holdings,
  }
}

function rowOf(holding: Holding): HoldingRow {
  const { lastTrade } = holding
  return [
    holding.instrumentId,
    holding.accountId,
    AMOUNTS.map((name) => decimalText(holding[name])),
    holding.lotCount,
    holding.lastEffectiveAt,
    lastTrade === undefined ? null : [decimalText(lastTrade.price), lastTrade.at],
    holding.transactionCount,
    holding.actionEpoch,
  ]
}

function holdingOf(row: HoldingRow): Holding {
  const [instrumentId, accountId, texts, lotCount, lastEffectiveAt, trade, transactionCount] = row
  const [quantity, unknownQuantity, basis, realized, income, fees, taxes, capital] = texts
  const ownBasis = amountOf(basis)
  return {
    instrumentId,
    accountId,
    quantity: amountOf(quantity),
    unknownQuantity: amountOf(unknownQuantity),
    basis: ownBasis,
    realized: amountOf(realized),
    income: amountOf(income),
    fees: amountOf(fees),
    taxes: amountOf(taxes),
    // One and the same until something is sold.
    capital: capital === basis ? ownBasis : amountOf(capital),
    lotCount,
    lots: lotCount === 0 ? [] : undefined,
    lastEffectiveAt,
    lastTrade: trade === null ? undefined : { price: decimal(trade[0]), at: trade[1] },
    transactionCount,
    actionEpoch: row[7] ?? 0,
  }
}

/** Most amounts of most holdings are zero: no new number for them. */
function amountOf(text: string | undefined): Decimal {
  return text === '0' ? ZERO : decimal(text ?? '')
}
