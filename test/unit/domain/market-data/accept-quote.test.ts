import { describe, expect, it } from '@jest/globals'
import { createInstrumentTable } from '../../../../src/app/market-data/instrument-table.ts'
import {
  acceptQuote,
  quotedInstrument,
  type SentQuote,
} from '../../../../src/domain/market-data/accept-quote.ts'
import { FUTURE_MAX_MICROSECONDS } from '../../../../src/domain/time.ts'
import { NOW } from '../portfolio/scenario.ts'
import { describedAs } from './instruments.ts'
import { plain } from '../portfolio/stored-rows.ts'

const SENT: SentQuote = {
  symbol: ' acme ',
  price: '12.50',
  currencyCode: 'USD',
  pricedAt: NOW - 5,
  source: 'exchange',
  kind: 1,
  splitAdjusted: true,
}

function accept(facts: Partial<SentQuote>): unknown {
  const sent = { ...SENT, ...facts }
  const instruments = createInstrumentTable()
  instruments.publish({
    epoch: 1,
    instruments: [describedAs('PENCE', 'EQUITY', { currency: 'GBX' })],
  })
  return plain(acceptQuote(sent, quotedInstrument(sent, instruments, NOW), NOW))
}

describe('acceptQuote', () => {
  it('reads what was sent', () => {
    expect(accept({})).toEqual({
      instrumentId: 'ACME',
      price: '12.5',
      currency: 'USD',
      pricedAt: NOW - 5,
      source: 'exchange',
      kind: 'REALTIME',
      splitAdjusted: true,
    })
  })

  it('dates a quote without a time at its receipt', () => {
    expect(accept({ pricedAt: undefined })).toMatchObject({ pricedAt: NOW })
  })

  it('is in the currency of its instrument, and in no other', () => {
    expect(accept({ symbol: 'pence', currencyCode: '' })).toMatchObject({
      price: '0.125',
      currency: 'GBP',
    })
    expect(accept({ symbol: 'pence', currencyCode: 'GBP' })).toMatchObject({ price: '12.5' })
    expect(accept({ symbol: 'pence', currencyCode: 'USD' })).toBe('CURRENCY_MISMATCH')
  })

  it('normalises minor units (decision 27)', () => {
    expect(accept({ currencyCode: 'GBX' })).toMatchObject({ price: '0.125', currency: 'GBP' })
  })

  it('reads a currency pair as units of the second', () => {
    const pair = { symbol: 'eur/usd', price: '1.25', kind: 6 }
    expect(accept({ ...pair, currencyCode: '' })).toMatchObject({
      instrumentId: 'EUR/USD',
      currency: 'USD',
      kind: 'FX',
    })
    expect(accept({ ...pair, currencyCode: 'USD' })).toMatchObject({ currency: 'USD' })
    expect(accept({ ...pair, currencyCode: 'EUR' })).toBe('CURRENCY_INVALID')
    expect(accept({ ...pair, symbol: 'EURUSD' })).toBe('CURRENCY_INVALID')
  })

  it('reads a pair so of whatever kind it is said to be: it is looked up as a rate', () => {
    const pair = { symbol: 'EUR/USD', price: '1.25', kind: 3 }
    expect(accept({ ...pair, currencyCode: '' })).toMatchObject({ currency: 'USD', kind: 'CLOSE' })
    expect(accept({ ...pair, currencyCode: 'JPY' })).toBe('CURRENCY_INVALID')
    expect(accept({ ...pair, symbol: 'BRK/B', currencyCode: '' })).toMatchObject({ currency: '' })
  })

  it('takes no rate that nobody would look at: into itself, or of hundredths', () => {
    for (const symbol of ['EUR/EUR', 'GBX/USD', 'USD/GBX', 'ILA/ILS']) {
      expect(accept({ symbol, price: '1.25', kind: 6, currencyCode: '' })).toBe('CURRENCY_INVALID')
    }
  })

  it.each<[string, Partial<SentQuote>]>([
    ['SYMBOL_INVALID', { symbol: '__proto__' }],
    ['PRICE_INVALID', { price: '0' }],
    ['PRICE_INVALID', { price: '-1' }],
    ['PRICE_INVALID', { price: 'NaN' }],
    ['PRICE_INVALID', { price: '1e3' }],
    ['PRICE_INVALID', { price: '1000000000000000.1' }],
    ['KIND_UNKNOWN', { kind: 7 }],
    ['KIND_UNKNOWN', { kind: -1 }],
    ['CURRENCY_INVALID', { currencyCode: 'usd' }],
    ['TIMESTAMP_OUT_OF_RANGE', { pricedAt: NOW + FUTURE_MAX_MICROSECONDS + 1 }],
    ['SOURCE_INVALID', { source: 'a\0' }],
    ['SOURCE_INVALID', { source: 'a'.repeat(65) }],
  ])('sets aside for %s: %j', (reason, facts) => {
    expect(accept(facts)).toBe(reason)
  })

  it('accepts what is just within the bounds', () => {
    const bounds = {
      price: '1000000000000000',
      currencyCode: '',
      pricedAt: NOW + FUTURE_MAX_MICROSECONDS,
      source: 'a'.repeat(64),
      kind: 0,
    }
    expect(accept(bounds)).toMatchObject({ kind: 'UNSPECIFIED', currency: '' })
  })
})
