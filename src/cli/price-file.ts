import type { SentQuote } from '../domain/market-data/accept-quote.ts'
import { QUOTE_KINDS, type QuoteKind } from '../domain/market-data/quote.ts'
import type { Instant } from '../domain/time.ts'
import { dayComesFirst, type Notation, readDate, readNumber, usesDecimalComma } from './cells.ts'
import type { RejectedRow } from './rows.ts'
import { cellOf, headerReader, readTable } from './table.ts'

/** A price as the service takes it; `line` is the file's, from 1. */
export interface PriceRow {
  readonly line: number
  readonly quote: SentQuote & { readonly pricedAt: Instant }
}

interface PriceFile {
  /** In order of time, so that each is measured against the one before it. */
  readonly rows: readonly PriceRow[]
  readonly rejected: readonly RejectedRow[]
}

interface PriceFileOptions {
  /** Of rows that name none. */
  readonly source: string
  /** Undefined = found out from the dates. */
  readonly dayFirst: boolean | undefined
}

const COLUMN_NAMES = {
  symbol: ['symbol', 'ticker', 'instrument', 'isin', 'figi', 'pair'],
  date: ['date', 'pricedat', 'datetime', 'time', 'timestamp', 'pricedate', 'day'],
  price: ['price', 'close', 'closeprice', 'closingprice', 'last', 'value', 'nav', 'rate'],
  currency: ['currency', 'currencycode', 'ccy'],
  kind: ['kind', 'type', 'pricetype'],
  source: ['source', 'provider', 'vendor'],
  adjusted: ['adjusted', 'splitadjusted'],
} as const

const headerOf = headerReader<keyof typeof COLUMN_NAMES>(COLUMN_NAMES, ['symbol', 'date', 'price'])
const PAIR = /^[A-Z]{3}\/[A-Z]{3}$/
const KINDS: ReadonlyMap<string, QuoteKind> = new Map(
  QUOTE_KINDS.map((kind) => [kind.toLowerCase(), kind]),
)
const YES_OR_NO: ReadonlyMap<string, boolean> = new Map([
  ['', false],
  ['no', false],
  ['false', false],
  ['0', false],
  ['yes', true],
  ['true', true],
  ['1', true],
])

/** @throws FileUnreadable when it is no CSV, or has no header. */
export function parsePrices(text: string, options: PriceFileOptions): PriceFile {
  const { header, lines, delimiter } = readTable(text, headerOf)
  const columnOf = (column: keyof typeof COLUMN_NAMES): readonly string[] =>
    lines.map(({ cells }) => cellOf(cells, header, column))
  const notation: Notation = {
    decimalComma: usesDecimalComma(columnOf('price'), delimiter),
    dayFirst: options.dayFirst ?? dayComesFirst(columnOf('date')),
  }
  const rows: PriceRow[] = []
  const rejected: RejectedRow[] = []
  for (const { line, cells } of lines) {
    const problems: string[] = []
    const facts = { notation, source: options.source }
    const quote = readQuote((column) => cellOf(cells, header, column), facts, problems)
    if (problems.length > 0) rejected.push({ line, reason: problems.join('; ') })
    else rows.push({ line, quote })
  }
  const inOrder = rows.toSorted((left, right) => left.quote.pricedAt - right.quote.pricedAt)
  return { rows: inOrder, rejected }
}

type ReadCell = (column: keyof typeof COLUMN_NAMES) => string

/** Means something only when there are no problems. */
function readQuote(
  cell: ReadCell,
  { notation, source }: { notation: Notation; source: string },
  problems: string[],
): SentQuote & { readonly pricedAt: Instant } {
  const symbol = cell('symbol')
  return {
    symbol,
    price: readPrice(cell('price'), notation, problems),
    // GBp is a hundredth of GBP: capitals matter.
    currencyCode: cell('currency'),
    pricedAt: readMoment(cell('date'), notation, problems),
    source: cell('source') || source,
    kind: QUOTE_KINDS.indexOf(readKind(cell('kind'), symbol, problems)),
    splitAdjusted: readYesOrNo(cell('adjusted'), problems),
  }
}

/** Below zero is for the service to refuse, as anything that is no price. */
function readPrice(text: string, notation: Notation, problems: string[]): string {
  const price = readNumber(text, notation)
  if (price === undefined) problems.push(`price "${text}" is not a number`)
  return price?.isNegative ? `-${price.text}` : (price?.text ?? '')
}

function readMoment(text: string, notation: Notation, problems: string[]): Instant {
  const read = readDate(text, notation)
  if (typeof read === 'number') return read
  problems.push(read)
  return 0
}

function readKind(text: string, symbol: string, problems: string[]): QuoteKind {
  const usual = PAIR.test(symbol.toUpperCase()) ? 'fx' : 'close'
  const kind = KINDS.get((text || usual).toLowerCase())
  if (kind === undefined) problems.push(`"${text}" is not a kind of price`)
  return kind ?? 'CLOSE'
}

function readYesOrNo(text: string, problems: string[]): boolean {
  const isYes = YES_OR_NO.get(text.toLowerCase())
  if (isYes === undefined) problems.push(`"${text}" is neither yes nor no`)
  return isYes === true
}
