import { describe, expect, it } from '@jest/globals'
import { parseInstruments } from '../../../src/cli/instrument-file.ts'
import { parsePrices } from '../../../src/cli/price-file.ts'

const OPTIONS = { source: 'csv', dayFirst: undefined }
const instant = (text: string): number => Date.parse(text) * 1_000

describe('a file of prices', () => {
  it('is read in order of time, pairs as rates, with what each row says', () => {
    const { rows, rejected } = parsePrices(
      [
        'Prices of the week',
        'Ticker;Date;Close ($);Currency;Adjusted;Kind;Source',
        'ACME;2024-03-02;1.234,50;USD;yes;;vendor',
        'VOD.L;2024-03-01;70,5;GBp;;nav;',
        'eur/usd;2024-02-29 14:10Z;1,08;;no;;',
      ].join('\n'),
      OPTIONS,
    )
    expect(rejected).toEqual([])
    const facts = { currencyCode: '', source: 'csv', splitAdjusted: false }
    expect(rows).toEqual([
      {
        line: 5,
        quote: {
          ...facts,
          symbol: 'eur/usd',
          price: '1.08',
          kind: 6,
          pricedAt: instant('2024-02-29T14:10Z'),
        },
      },
      {
        line: 4,
        quote: {
          ...facts,
          symbol: 'VOD.L',
          price: '70.5',
          currencyCode: 'GBp',
          kind: 4,
          pricedAt: instant('2024-03-01T12:00Z'),
        },
      },
      {
        line: 3,
        quote: {
          symbol: 'ACME',
          price: '1234.5',
          currencyCode: 'USD',
          kind: 3,
          pricedAt: instant('2024-03-02T12:00Z'),
          source: 'vendor',
          splitAdjusted: true,
        },
      },
    ])
  })

  it('names every row that cannot be read, with all that is wrong', () => {
    const { rows, rejected } = parsePrices(
      'symbol,date,price,kind,adjusted\nA,yesterday,NaN,,\nB,2024-01-02,1,guess,maybe\nC,2024-01-02,-1,,\n',
      OPTIONS,
    )
    // Below zero is for the service to refuse.
    expect(rows.map(({ line, quote }) => `${line} ${quote.price}`)).toEqual(['4 -1'])
    expect(rejected).toEqual([
      {
        line: 2,
        reason: 'price "NaN" is not a number; "yesterday" is not a date such as 2024-02-29',
      },
      { line: 3, reason: '"guess" is not a kind of price; "maybe" is neither yes nor no' },
    ])
  })

  it('needs a symbol, a date and a price', () => {
    expect(() => parsePrices('symbol,date\nA,2024-01-02\n', OPTIONS)).toThrow(
      'no line names the columns: a symbol and a date and a price are the least',
    )
  })
})

describe('a file of instruments', () => {
  it('is read with everything the service knows of one', () => {
    const { rows, rejected } = parseInstruments(
      [
        'Symbol,Asset class,Id,Currency,MIC,ISIN,Multiplier,Decimals,Former symbols,Underlying,Expiry,Strike,Put/Call,Sector,Country',
        'META,Common Stock,META-1,USD,xnas,us30303m1027,,4,FB 2012-05-18..2022-06-08 | OLD ..2012-05-17,,,,,Communication,US',
        'ACME-P,Option,,,,,100,,,ACME,20-Dec-2030,90,put,,',
      ].join('\n'),
    )
    expect(rejected).toEqual([])
    expect(rows[0]).toEqual({
      line: 2,
      instrument: {
        instrumentId: 'META-1',
        symbol: 'META',
        exchangeMic: 'XNAS',
        isin: 'US30303M1027',
        figi: '',
        currencyCode: 'USD',
        assetClass: 'EQUITY',
        multiplier: '',
        quantityScale: 4,
        symbolHistory: [
          { symbol: 'FB', fromDate: '2012-05-18', toDate: '2022-06-08' },
          { symbol: 'OLD', fromDate: '', toDate: '2012-05-17' },
        ],
        classifications: { sector: 'Communication', country: 'US' },
        derivative: undefined,
      },
    })
    expect(rows[1]!.instrument).toMatchObject({
      assetClass: 'OPTION',
      multiplier: '100',
      quantityScale: undefined,
      derivative: {
        underlyingSymbol: 'ACME',
        expiryDate: '2030-12-20',
        strike: '90',
        right: 'PUT',
      },
    })
  })

  it('names every row that cannot be read', () => {
    const { rows, rejected } = parseInstruments(
      'symbol,class,decimals,former symbols,right,expiry\nA,gem,many,X Y Z,up,soon\nB,bond,,,,\n',
    )
    expect(rows.map(({ line }) => line)).toEqual([3])
    expect(rejected).toEqual([
      {
        line: 2,
        reason:
          '"gem" is not an asset class; decimals "many" are not a whole number; ' +
          '"X Y Z" is not as FB 2012-05-18..2022-06-08; "up" is neither call nor put; ' +
          'expiry: "soon" is not a date such as 2024-02-29',
      },
    ])
  })
})
