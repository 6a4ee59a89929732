import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { SentTransaction } from '../../../src/api/client.ts'
import { parseFile } from '../../../src/cli/import-file.ts'
import { transactionTypes } from '../../../src/domain/portfolio/transaction-types.ts'
import { rfc3339 } from '../../../src/domain/time.ts'

const OPTIONS = { account: '', source: 'csv', dayFirst: undefined }

/** Any row as a broker could write it, by columns in any order. */
const amounts = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.integer({ min: 0, max: 18 }))
  .map(([digits, places]) => {
    const padded = digits.toString().padStart(places + 1, '0')
    const text = `${padded.slice(0, padded.length - places)}.${padded.slice(padded.length - places)}`
    return text.replace(/\.?0+$/, (end) => (end.startsWith('.') ? '' : end.replace(/0+$/, '')))
  })
  .map((text) => (text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text))
const word = fc
  .stringMatching(/^[A-Za-z0-9 ,;"é-]{1,20}$/)
  .map((text) => text.trim())
  .filter((text) => text !== '')
const currency = fc.constantFrom('', 'USD', 'EUR')
const transaction: fc.Arbitrary<SentTransaction> = fc
  .record({
    type: fc.constantFrom(...(Object.keys(transactionTypes) as SentTransaction['type'][])),
    symbol: fc.stringMatching(/^[A-Z0-9][A-Z0-9.]{0,8}$/),
    accountId: fc.oneof(fc.constant(''), word),
    quantity: amounts,
    price: amounts,
    grossAmount: amounts,
    currencyCode: currency,
    fee: fc.oneof(fc.constant(''), amounts),
    tax: fc.oneof(fc.constant(''), amounts),
    fxRate: fc.oneof(fc.constant(''), amounts),
    counterCurrencyCode: fc.constantFrom('CHF', 'GBP'),
    counterAmount: amounts,
    effectiveAt: fc.integer({ min: 0, max: 2_000_000_000_000_000 }),
    settlementDate: fc.constantFrom('', '2024-03-05'),
    externalId: word,
    source: fc.constant('csv'),
  })
  .map((sent): SentTransaction => {
    const rule: { symbol: string; movesUnits: boolean; price: string } = transactionTypes[sent.type]
    const isConversion = sent.type === 'FX_CONVERSION'
    return Object.assign(sent, {
      symbol: rule.symbol === 'none' ? '' : sent.symbol,
      quantity: rule.movesUnits ? sent.quantity : '',
      price: rule.movesUnits && rule.price !== 'none' ? sent.price : '',
      grossAmount: rule.movesUnits ? '' : sent.grossAmount,
      counterCurrencyCode: isConversion ? sent.counterCurrencyCode : '',
      counterAmount: isConversion ? sent.counterAmount : '',
    })
  })

const HEADERS = {
  date: ['Date', 'Trade Date', 'Executed At'],
  type: ['Action', 'Type', 'Transaction Type'],
  symbol: ['Ticker', 'Symbol'],
  quantity: ['Shares', 'Quantity', 'QTY'],
  price: ['Price', 'Unit Price ($)'],
  amount: ['Amount', 'Gross Amount'],
  fee: ['Fees', 'Commission'],
  tax: ['Tax'],
  currency: ['Currency', 'CCY'],
  fxRate: ['FX Rate'],
  account: ['Account'],
  id: ['Id', 'Order ID'],
  settlementDate: ['Settlement Date'],
  counterCurrency: ['Counter Currency'],
  counterAmount: ['Counter Amount'],
} as const

function cellsOf(sent: SentTransaction): Record<keyof typeof HEADERS, string> {
  return {
    date: rfc3339(sent.effectiveAt),
    type: sent.type.toLowerCase().replaceAll('_', ' '),
    symbol: sent.symbol,
    quantity: sent.quantity,
    price: sent.price,
    amount: sent.grossAmount,
    fee: sent.fee,
    tax: sent.tax,
    currency: sent.currencyCode,
    fxRate: sent.fxRate,
    account: sent.accountId,
    id: sent.externalId,
    settlementDate: sent.settlementDate,
    counterCurrency: sent.counterCurrencyCode,
    counterAmount: sent.counterAmount,
  }
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

test('what is written in any order, under any of its names, is read as it was', () => {
  const layout = fc.record({
    order: fc.shuffledSubarray(Object.keys(HEADERS) as (keyof typeof HEADERS)[], {
      minLength: Object.keys(HEADERS).length,
    }),
    name: fc.nat(),
    comma: fc.boolean(),
    delimiter: fc.constantFrom(',', ';', '\t'),
    ending: fc.constantFrom('\n', '\r\n'),
  })
  fc.assert(
    fc.property(
      fc.uniqueArray(transaction, {
        minLength: 1,
        maxLength: 5,
        selector: ({ externalId }) => externalId,
      }),
      layout,
      (sent, how) => {
        const header = how.order.map(
          (column) => HEADERS[column][how.name % HEADERS[column].length]!,
        )
        const comma = how.comma && how.delimiter !== ','
        const numeric = new Set([
          'quantity',
          'price',
          'amount',
          'fee',
          'tax',
          'fxRate',
          'counterAmount',
        ])
        const lines = sent.map((one) => {
          const cells = cellsOf(one)
          return how.order
            .map((column) =>
              comma && numeric.has(column) ? cells[column].replace('.', ',') : cells[column],
            )
            .map(quoted)
            .join(how.delimiter)
        })
        const text = [header.map(quoted).join(how.delimiter), ...lines].join(how.ending)
        const { rows, rejected } = parseFile(text, OPTIONS)
        expect(rejected).toEqual([])
        const inFile = rows.toSorted((left, right) => left.line - right.line)
        expect(inFile.map((row) => row.transaction)).toEqual(sent)
        expect(inFile.map((row) => row.line)).toEqual(sent.map((_, index) => index + 2))
      },
    ),
    { numRuns: 300 },
  )
})
