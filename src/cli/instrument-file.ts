import type { SentInstrument } from '../api/market-data-client.ts'
import type { AssetClass } from '../domain/market-data/asset-class.ts'
import { isDay } from '../domain/portfolio/calendar-day.ts'
import { readDate } from './cells.ts'
import type { RejectedRow } from './rows.ts'
import { cellOf, headerReader, readTable } from './table.ts'

/** An instrument as the service takes it; `line` is the file's, from 1. */
export interface InstrumentRow {
  readonly line: number
  readonly instrument: SentInstrument
}

const COLUMN_NAMES = {
  symbol: ['symbol', 'ticker'],
  class: ['assetclass', 'class', 'type', 'instrumenttype'],
  id: ['instrumentid', 'id'],
  currency: ['currency', 'currencycode', 'ccy'],
  exchange: ['exchange', 'exchangemic', 'mic'],
  isin: ['isin'],
  figi: ['figi'],
  multiplier: ['multiplier', 'contractsize'],
  decimals: ['quantityscale', 'quantitydecimals', 'decimals'],
  formerSymbols: ['formersymbols', 'symbolhistory'],
  underlying: ['underlying', 'underlyingsymbol'],
  expiry: ['expiry', 'expirydate', 'expiration'],
  strike: ['strike', 'strikeprice'],
  right: ['right', 'putcall', 'callput', 'optiontype'],
  sector: ['sector'],
  industry: ['industry'],
  country: ['country'],
  region: ['region'],
} as const

type Column = keyof typeof COLUMN_NAMES
type ReadCell = (column: Column) => string

const headerOf = headerReader<Column>(COLUMN_NAMES, ['symbol', 'class'])
const CLASSIFICATIONS = ['sector', 'industry', 'country', 'region'] as const

const CLASS_WORDS: Readonly<Record<AssetClass, readonly string[]>> = {
  EQUITY: ['stock', 'share', 'commonstock', 'adr'],
  ETF: ['exchangetradedfund'],
  MUTUAL_FUND: ['fund'],
  FIXED_INCOME: ['bond'],
  CRYPTO: ['cryptocurrency', 'coin'],
  COMMODITY: [],
  CASH: ['currency', 'money'],
  OPTION: [],
  FUTURE: ['futures'],
  REAL_ESTATE: ['property'],
  ALTERNATIVE: ['privateequity'],
}
const CLASSES: ReadonlyMap<string, AssetClass> = new Map(
  Object.entries(CLASS_WORDS).flatMap(([name, words]) =>
    [name, ...words].map((word): [string, AssetClass] => [lettersOf(word), name as AssetClass]),
  ),
)
const RIGHTS: ReadonlyMap<string, 'CALL' | 'PUT'> = new Map([
  ['call', 'CALL'],
  ['c', 'CALL'],
  ['put', 'PUT'],
  ['p', 'PUT'],
])
const FORMER_SYMBOL = /^(\S+)(?:\s+(\d{4}-\d{2}-\d{2})?\.\.(\d{4}-\d{2}-\d{2})?)?$/

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '')
}

/** @throws FileUnreadable when it is no CSV, or has no header. */
export function parseInstruments(text: string): {
  readonly rows: readonly InstrumentRow[]
  readonly rejected: readonly RejectedRow[]
} {
  const { header, lines } = readTable(text, headerOf)
  const rows: InstrumentRow[] = []
  const rejected: RejectedRow[] = []
  for (const { line, cells } of lines) {
    const problems: string[] = []
    const instrument = readInstrument((column) => cellOf(cells, header, column), problems)
    if (problems.length > 0) rejected.push({ line, reason: problems.join('; ') })
    else rows.push({ line, instrument })
  }
  return { rows, rejected }
}

/** Means something only when there are no problems; what the service checks is left to it. */
function readInstrument(cell: ReadCell, problems: string[]): SentInstrument {
  const assetClass = CLASSES.get(lettersOf(cell('class')))
  if (assetClass === undefined) problems.push(`"${cell('class')}" is not an asset class`)
  const decimals = cell('decimals')
  if (!/^\d{0,2}$/.test(decimals)) problems.push(`decimals "${decimals}" are not a whole number`)
  return {
    instrumentId: cell('id'),
    symbol: cell('symbol'),
    exchangeMic: cell('exchange').toUpperCase(),
    isin: cell('isin').toUpperCase(),
    figi: cell('figi').toUpperCase(),
    // GBp is a hundredth of GBP: capitals matter.
    currencyCode: cell('currency'),
    assetClass: assetClass ?? 'EQUITY',
    multiplier: cell('multiplier'),
    quantityScale: decimals === '' ? undefined : Number(decimals),
    symbolHistory: readFormerSymbols(cell('formerSymbols'), problems),
    classifications: Object.fromEntries(
      CLASSIFICATIONS.map((name) => [name, cell(name)]).filter(([, text]) => text !== ''),
    ) as Record<string, string>,
    derivative: readDerivative(cell, problems),
  }
}

/** "FB 2012-05-18..2022-06-08 | OLD ..2012-05-17". */
function readFormerSymbols(text: string, problems: string[]): SentInstrument['symbolHistory'] {
  if (text === '') return []
  return text.split('|').map((part) => {
    const [, symbol = '', fromDate = '', toDate = ''] = FORMER_SYMBOL.exec(part.trim()) ?? []
    if (symbol === '') problems.push(`"${part.trim()}" is not as FB 2012-05-18..2022-06-08`)
    return { symbol, fromDate, toDate }
  })
}

function readDerivative(cell: ReadCell, problems: string[]): SentInstrument['derivative'] {
  const [underlyingSymbol, expiry, strike, right] = [
    cell('underlying'),
    cell('expiry'),
    cell('strike'),
    cell('right'),
  ]
  if (underlyingSymbol + expiry + strike + right === '') return undefined
  const sent = RIGHTS.get(right.toLowerCase())
  if (right !== '' && sent === undefined) problems.push(`"${right}" is neither call nor put`)
  return { underlyingSymbol, expiryDate: readDay(expiry, problems), strike, right: sent }
}

function readDay(text: string, problems: string[]): string {
  if (isDay(text)) return text
  const read = readDate(text, { decimalComma: false, dayFirst: undefined })
  if (typeof read === 'number') return new Date(read / 1_000).toISOString().slice(0, 10)
  problems.push(`expiry: ${read}`)
  return ''
}
