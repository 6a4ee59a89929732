import { describe, expect, it } from '@jest/globals'
import { canonicalSymbol, isCurrencyCode } from '../../../../src/domain/market-data/symbol.ts'

describe('canonicalSymbol (decision 35)', () => {
  it.each([
    ['AAPL', 'AAPL'],
    [' aapl\t', 'AAPL'],
    ['ａａｐｌ', 'AAPL'],
    ['\u00a0ibm\ufeff', 'IBM'],
    ['^gspc', '^GSPC'],
    ['brk.b', 'BRK.B'],
    ['brk-b', 'BRK-B'],
    ['BRK/B', 'BRK/B'],
    ['EURUSD=X', 'EURUSD=X'],
    ['7203.T', '7203.T'],
    ['BINANCE:BTC_USD', 'BINANCE:BTC_USD'],
    ['ﬁx', 'FIX'],
    ['a'.repeat(32), 'A'.repeat(32)],
    ['constructor', 'CONSTRUCTOR'],
  ])('reads %j', (text, canonical) => {
    expect(canonicalSymbol(text)).toBe(canonical)
    expect(canonicalSymbol(canonical)).toBe(canonical)
  })

  it.each([
    '',
    '   ',
    '.A',
    '-A',
    '_A',
    '=A',
    '/A',
    ':A',
    '__proto__',
    'A B',
    'A\0',
    'A\nB',
    'AÄ',
    'ı',
    'ſ!',
    'A$',
    'A\ud800',
    'A'.repeat(33),
    'A'.repeat(4_096),
    '\u200bA',
  ])('refuses %j', (text) => {
    expect(canonicalSymbol(text)).toBeUndefined()
  })

  it('does no work on what is far too long, spaces or not', () => {
    expect(canonicalSymbol(`${' '.repeat(126)}A`)).toBe('A')
    expect(canonicalSymbol(`${' '.repeat(128)}A`)).toBeUndefined()
  })

  it('never guesses that two spellings are one instrument', () => {
    expect(new Set(['BRK.B', 'BRK-B', 'BRK/B'].map(canonicalSymbol)).size).toBe(3)
  })
})

describe('isCurrencyCode', () => {
  it('is three capital letters', () => {
    expect(['USD', 'usd', 'US', 'USDT', 'U5D', 'GBp', 'USD\n', ''].filter(isCurrencyCode)).toEqual([
      'USD',
    ])
  })
})
