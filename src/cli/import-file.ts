import { createHash } from 'node:crypto'
import type { SentTransaction } from '../api/client.ts'
import { decimal, decimalText, divide } from '../domain/decimal.ts'
import { isDay } from '../domain/portfolio/calendar-day.ts'
import {
  type TransactionType,
  type TransactionTypeRule,
  transactionTypes,
} from '../domain/portfolio/transaction-types.ts'
import type { Instant } from '../domain/time.ts'
import {
  dayComesFirst,
  type Notation,
  readDate,
  readNumber,
  type SignedText,
  usesDecimalComma,
} from './cells.ts'
import { type Column, headerOf, typeOfWord } from './columns.ts'
import type { RejectedRow } from './rows.ts'
import { cellOf, type Header, readTable } from './table.ts'

/** A row of the file as the service takes it; `line` is the file's, from 1. */
export interface FileRow {
  readonly line: number
  readonly transaction: SentTransaction
}

export interface ParsedFile {
  /** In order of time; rows of one moment as the file has them, oldest first. */
  readonly rows: readonly FileRow[]
  readonly rejected: readonly RejectedRow[]
}

export interface FileOptions {
  /** Of rows that name no account. */
  readonly account: string
  /** Who made the file: ids are unique for a source. */
  readonly source: string
  /** Undefined = found out from the dates. */
  readonly dayFirst: boolean | undefined
}

const DECIMAL_PLACES_MAX = 18
/** Of what leaves brokers write the quantity with either sign. */
const NEVER_NEGATIVE: ReadonlySet<TransactionType> = new Set([
  'BUY',
  'COVER',
  'TRANSFER_IN',
  'STAKING_REWARD',
])
const NUMBERS = ['quantity', 'price', 'amount', 'fee', 'tax', 'fxRate', 'counterAmount'] as const

/** @throws FileUnreadable when it is no CSV, or has no header. */
export function parseFile(text: string, options: FileOptions): ParsedFile {
  const { header, lines, delimiter } = readTable(text, headerOf)
  const columnOf = (column: Column): readonly string[] =>
    lines.map(({ cells }) => cellOf(cells, header, column))
  const notation = {
    decimalComma: usesDecimalComma(NUMBERS.flatMap(columnOf), delimiter),
    dayFirst: options.dayFirst ?? dayComesFirst(columnOf('date')),
  }
  const rejected: RejectedRow[] = []
  const read: FileRow[] = []
  for (const { line, cells } of lines) {
    const row = new RowReader(cells, header, notation)
    const transaction = row.read(options)
    if (row.problems.length > 0) rejected.push({ line, reason: row.problems.join('; ') })
    else read.push({ line, transaction })
  }
  const rows = withIds(read, rejected)
  return { rows: inOrderOfTime(rows), rejected }
}

class RowReader {
  readonly problems: string[] = []
  readonly #cells: readonly string[]
  readonly #header: Header<Column>
  readonly #notation: Notation

  constructor(cells: readonly string[], header: Header<Column>, notation: Notation) {
    this.#cells = cells
    this.#header = header
    this.#notation = notation
  }

  /** Means something only when there are no problems. */
  read({ account, source }: FileOptions): SentTransaction {
    const quantity = this.#number('quantity')
    const type = this.#type(quantity)
    const rule: TransactionTypeRule = transactionTypes[type]
    return {
      type,
      symbol: rule.symbol === 'none' ? '' : this.#cell('symbol').toUpperCase(),
      accountId: this.#cell('account') || account,
      ...(rule.movesUnits ? this.#units(rule, quantity.text) : this.#money(quantity.text)),
      currencyCode: this.#cell('currency').toUpperCase(),
      fee: this.#charge('fee'),
      tax: this.#charge('tax'),
      fxRate: this.#number('fxRate').text,
      ...this.#counter(type),
      effectiveAt: this.#effectiveAt(),
      settlementDate: this.#settlementDate(),
      externalId: this.#cell('id'),
      source,
    }
  }

  #type(quantity: SignedText): TransactionType {
    const word = this.#cell('type')
    const type = typeOfWord(word, quantity.isNegative)
    if (type === undefined) this.problems.push(`"${word}" is not a type of transaction`)
    if (quantity.isNegative && type !== undefined && NEVER_NEGATIVE.has(type)) {
      this.problems.push(`the quantity of a ${type} is below zero`)
    }
    return type ?? 'BUY'
  }

  #effectiveAt(): Instant {
    const effectiveAt = readDate(this.#cell('date'), this.#notation)
    if (typeof effectiveAt === 'number') return effectiveAt
    this.problems.push(effectiveAt)
    return 0
  }

  #cell(column: Column): string {
    return cellOf(this.#cells, this.#header, column)
  }

  #number(column: Column): SignedText {
    const cell = this.#cell(column)
    if (cell === '' || cell === '-' || cell === '--') return { text: '', isNegative: false }
    const number = readNumber(cell, this.#notation)
    if (number === undefined) this.problems.push(`${column} "${cell}" is not a number`)
    return number ?? { text: '', isNegative: false }
  }

  /** Brokers write what was charged with either sign. */
  #charge(column: Column): string {
    const { text } = this.#number(column)
    return text === '0' ? '' : text
  }

  /** A price that is not there is the amount's, spread over the units. */
  #units(
    rule: TransactionTypeRule,
    quantity: string,
  ): Pick<SentTransaction, 'quantity' | 'price' | 'grossAmount'> {
    if (rule.price === 'none') return { quantity, price: '', grossAmount: '' }
    let { text: price } = this.#number('price')
    const amount = this.#number('amount').text
    if (price === '' && amount !== '' && quantity !== '' && quantity !== '0') {
      const exact = divide(decimal(amount), decimal(quantity))
      price = decimalText(exact.toDecimalPlaces(DECIMAL_PLACES_MAX))
    }
    // A transfer in at zero has an unknown cost, which is what no price says.
    if (rule.price === 'optional' && price === '0') price = ''
    return { quantity, price, grossAmount: '' }
  }

  /** An amount that is not there is units times what each brought. */
  #money(quantity: string): Pick<SentTransaction, 'quantity' | 'price' | 'grossAmount'> {
    let grossAmount = this.#number('amount').text
    const price = this.#number('price').text
    if (grossAmount === '' && quantity !== '' && price !== '') {
      grossAmount = decimalText(decimal(quantity).times(price))
    }
    return { quantity: '', price: '', grossAmount }
  }

  #counter(type: TransactionType): Pick<SentTransaction, 'counterCurrencyCode' | 'counterAmount'> {
    if (type !== 'FX_CONVERSION') return { counterCurrencyCode: '', counterAmount: '' }
    return {
      counterCurrencyCode: this.#cell('counterCurrency').toUpperCase(),
      counterAmount: this.#number('counterAmount').text,
    }
  }

  #settlementDate(): string {
    const cell = this.#cell('settlementDate')
    if (cell === '' || isDay(cell)) return cell
    const settled = readDate(cell, this.#notation)
    if (typeof settled === 'number') return new Date(settled / 1_000).toISOString().slice(0, 10)
    this.problems.push(`settlement: ${settled}`)
    return ''
  }
}

/**
 * The rows with their keys: the file's own, else a hash of what the row says and how often the file has said it, so
 * that two equal fills are two, and the same file again is none.
 */
function withIds(rows: readonly FileRow[], rejected: RejectedRow[]): readonly FileRow[] {
  const lines = new Map<string, number>()
  const seen = new Map<string, number>()
  return rows.flatMap((row) => {
    const { externalId } = row.transaction
    if (externalId !== '') {
      const earlier = lines.get(externalId)
      if (earlier !== undefined) {
        rejected.push({ line: row.line, reason: `has the id of line ${earlier}` })
        return []
      }
      lines.set(externalId, row.line)
      return [row]
    }
    const hash = createHash('sha256').update(JSON.stringify(row.transaction)).digest('hex')
    const occurrence = (seen.get(hash) ?? 0) + 1
    seen.set(hash, occurrence)
    const key = `row-${hash.slice(0, 40)}-${occurrence}`
    return [{ ...row, transaction: { ...row.transaction, externalId: key } }]
  })
}

function inOrderOfTime(rows: readonly FileRow[]): readonly FileRow[] {
  const [first, last] = [rows[0], rows.at(-1)]
  const newestFirst =
    first !== undefined &&
    last !== undefined &&
    first.transaction.effectiveAt > last.transaction.effectiveAt
  const oldestFirst = newestFirst ? rows.toReversed() : [...rows]
  return oldestFirst.toSorted(
    (left, right) => left.transaction.effectiveAt - right.transaction.effectiveAt,
  )
}
