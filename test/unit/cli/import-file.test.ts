import { describe, expect, it, test } from '@jest/globals'
import type { SentTransaction } from '../../../src/api/client.ts'
import { headerOf, typeOfWord } from '../../../src/cli/columns.ts'
import { parseFile } from '../../../src/cli/import-file.ts'
import { transactionTypes } from '../../../src/domain/portfolio/transaction-types.ts'
import { rfc3339 } from '../../../src/domain/time.ts'

const OPTIONS = { account: '', source: 'csv', dayFirst: undefined }
const NOON = Date.parse('2024-03-01T12:00:00Z') * 1_000

function parsed(text: string, options: { dayFirst?: boolean } = {}) {
  return parseFile(text, { ...OPTIONS, ...options })
}

function only(text: string, options: { dayFirst?: boolean } = {}): SentTransaction {
  const { rows, rejected } = parsed(text, options)
  expect(rejected).toEqual([])
  expect(rows).toHaveLength(1)
  return rows[0]!.transaction
}

const PLAIN: SentTransaction = {
  type: 'BUY',
  symbol: 'AAPL',
  accountId: '',
  quantity: '10',
  price: '12.5',
  grossAmount: '',
  currencyCode: '',
  fee: '',
  tax: '',
  fxRate: '',
  counterCurrencyCode: '',
  counterAmount: '',
  effectiveAt: NOON,
  settlementDate: '',
  externalId: 'a',
  source: 'csv',
}

describe('the header', () => {
  it.each([
    ['Date,Type,Symbol,Quantity,Price,Id'],
    ['Trade Date,Action,Ticker,Shares,Unit Price,Transaction ID'],
    ['ID,PRICE ($),Quantity,Symbol,Type,Run Date'],
  ])('%s', (line) => {
    const place = Object.fromEntries(headerOf(line.split(','))!)
    const cells: string[] = []
    const values = {
      date: '2024-03-01',
      type: 'buy',
      symbol: 'aapl',
      quantity: '10',
      price: '12.50',
      id: 'a',
    }
    for (const [column, value] of Object.entries(values)) cells[place[column]!] = value
    expect(only(`${line}\n${cells.join(',')}`)).toEqual(PLAIN)
  })

  it('is found below what brokers write above it, and lines count from the top', () => {
    const text =
      'Brokerage\n\n"Account X",,\nDate;Type\nDate,Action,Symbol,Qty,Price\n\n2024-03-01,Nonsense,A,1,1\n'
    expect(parsed(text).rejected).toEqual([
      { line: 7, reason: '"Nonsense" is not a type of transaction' },
    ])
  })

  it('must be there', () => {
    expect(() => parsed('a,b\n1,2\n')).toThrow('no line names the columns')
    expect(() => parsed('')).toThrow('no line names the columns')
    expect(() => parsed('Date,Type\n"2024')).toThrow(/quote/i)
  })
})

test.each(Object.keys(transactionTypes))('%s is a type by its own name', (name) => {
  expect(typeOfWord(name, false)).toBe(name)
  expect(typeOfWord(name.toLowerCase().replaceAll('_', ' '), false)).toBe(name)
})

function quantity(cell: string, delimiter = ','): string {
  const header = ['Date', 'Type', 'Symbol', 'Qty', 'Price'].join(delimiter)
  return only(`${header}\n${['2024-03-01', 'Sell', 'A', `"${cell}"`, '1'].join(delimiter)}`)
    .quantity
}

describe('numbers', () => {
  it.each([
    ['1,234.50', '1234.5'],
    ['-10', '10'],
    ['(7.25)', '7.25'],
    ['$1,000', '1000'],
    ['007', '7'],
    ['0.000000000000000001', '0.000000000000000001'],
  ])('%s is %s', (cell, wanted) => expect(quantity(cell)).toBe(wanted))

  it('have a decimal comma where cells are parted by semicolons and one of them has one', () => {
    expect(quantity('1.234,5', ';')).toBe('1234.5')
    expect(quantity('1.234', ';')).toBe('1.234')
  })

  it('are refused when they are none, or could be two', () => {
    for (const cell of ['1,5', '1e5', 'ten', '1,23,456', '1.2.3', '--5']) {
      const { rejected } = parsed(`Date,Type,Symbol,Qty,Price\n2024-03-01,Sell,A,"${cell}",1`)
      expect(rejected).toEqual([{ line: 2, reason: `quantity "${cell}" is not a number` }])
    }
  })
})

function at(cell: string, options: { dayFirst?: boolean } = {}): string {
  const text = `Date,Type,Symbol,Qty,Price\n"${cell}",Buy,A,1,1`
  return rfc3339(only(text, options).effectiveAt)
}

describe('dates', () => {
  it.each([
    ['2024-03-01', '2024-03-01T12:00:00Z'],
    ['20240301', '2024-03-01T12:00:00Z'],
    ['2024/03/01', '2024-03-01T12:00:00Z'],
    ['1.3.2024', '2024-03-01T12:00:00Z'],
    ['01-Mar-2024', '2024-03-01T12:00:00Z'],
    ['03/31/2024', '2024-03-31T12:00:00Z'],
    ['31/03/2024', '2024-03-31T12:00:00Z'],
    ['03/03/2024', '2024-03-03T12:00:00Z'],
    ['2024-03-01T10:11:12Z', '2024-03-01T10:11:12Z'],
    ['2024-03-01 10:11:12.5+01:00', '2024-03-01T09:11:12.500000Z'],
    ['2024-03-01, 10:11:12', '2024-03-01T10:11:12Z'],
    ['20240301;101112', '2024-03-01T10:11:12Z'],
  ])('%s is %s', (cell, wanted) => expect(at(cell)).toBe(wanted))

  it('are refused when day and month could be each other, unless the order is said', () => {
    const { rejected } = parsed('Date,Type,Symbol,Qty,Price\n03/04/2024,Buy,A,1,1')
    expect(rejected[0]!.reason).toMatch(/--date-order/)
    expect(at('03/04/2024', { dayFirst: true })).toBe('2024-04-03T12:00:00Z')
    expect(at('03/04/2024', { dayFirst: false })).toBe('2024-03-04T12:00:00Z')
  })

  it('are refused when there is no such day or time', () => {
    for (const cell of [
      '2023-02-29',
      '31.11.2024',
      'soon',
      '2024-03-01T25:00:00Z',
      '2024-03-01 x',
    ]) {
      expect(parsed(`Date,Type,Symbol,Qty,Price\n"${cell}",Buy,A,1,1`).rejected).toHaveLength(1)
    }
  })
})

describe('what the type has no use for', () => {
  it('is left out, and what it needs is found', () => {
    const header = 'Date,Type,Symbol,Quantity,Price,Amount,Id'
    const readRow = (line: string) => only(`${header}\n2024-03-01,${line},a`)
    expect(readRow('Dividend,AAPL,10,0.24,')).toMatchObject({
      grossAmount: '2.4',
      quantity: '',
      price: '',
    })
    expect(readRow('Deposit,USD,,,-500')).toMatchObject({ symbol: '', grossAmount: '500' })
    expect(readRow('Buy,AAPL,3,,-10')).toMatchObject({ price: '3.333333333333333333' })
    expect(readRow('Transfer,AAPL,-3,7,')).toMatchObject({
      type: 'TRANSFER_OUT',
      quantity: '3',
      price: '',
    })
    expect(readRow('Transfer,AAPL,3,0,')).toMatchObject({ type: 'TRANSFER_IN', price: '' })
  })

  it('a purchase of less than nothing is refused', () => {
    const { rejected } = parsed('Date,Type,Symbol,Qty,Price\n2024-03-01,Buy,A,-1,1')
    expect(rejected).toEqual([{ line: 2, reason: 'the quantity of a BUY is below zero' }])
  })
})

describe('keys', () => {
  const header = 'Date,Type,Symbol,Qty,Price\n'
  const one = '2024-03-01,Buy,A,1,1\n'

  it('tell two equal rows apart, and are the same for the same file written otherwise', () => {
    const ids = parsed(header + one + one).rows.map(({ transaction }) => transaction.externalId)
    expect(new Set(ids).size).toBe(2)
    const other = 'Symbol;Trade Date;Price;Action;Shares\nA;2024/03/01;1.0;BOUGHT;1,00\n'
    expect(parsed(other).rows[0]!.transaction.externalId).toBe(ids[0])
  })

  it('of the file are used once', () => {
    const { rows, rejected } = parsed(
      'Date,Type,Symbol,Qty,Price,Id\n2024-03-01,Buy,A,1,1,x\n2024-03-02,Buy,A,1,1,x\n',
    )
    expect(rows).toHaveLength(1)
    expect(rejected).toEqual([{ line: 3, reason: 'has the id of line 2' }])
  })
})

function row(day: number, id: string): string {
  return `2024-03-0${day},Buy,A,1,1,${id}\n`
}

it('rows come oldest first, also of a file with the newest first', () => {
  const header = 'Date,Type,Symbol,Qty,Price,Id\n'
  const ids = (text: string) =>
    parsed(header + text).rows.map(({ transaction }) => transaction.externalId)
  expect(ids(row(2, 'c') + row(1, 'a') + row(2, 'd') + row(3, 'e'))).toEqual(['a', 'c', 'd', 'e'])
  expect(ids(row(3, 'e') + row(2, 'd') + row(2, 'c') + row(1, 'a'))).toEqual(['a', 'c', 'd', 'e'])
})
