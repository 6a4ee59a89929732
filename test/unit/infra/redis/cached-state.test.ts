import { describe, expect, it } from '@jest/globals'
import { decimal } from '../../../../src/domain/decimal.ts'
import { emptyHolding } from '../../../../src/domain/portfolio/holding.ts'
import { newPortfolio, type PortfolioState } from '../../../../src/domain/portfolio/state.ts'
import { decodeHead, decodeState, encodeState } from '../../../../src/infra/redis/cached-state.ts'

const KEY = 'portfolio:state:1:{alice}'
const MARK = { run: 'ab12', microseconds: 1_700_000_000_000_000 }
const held = {
  ...emptyHolding('AAPL', 'ira'),
  quantity: decimal('-0.000000000000000000000000000000000001'),
  unknownQuantity: decimal('2'),
  basis: decimal('99999999999999999999999999999999.5'),
  realized: decimal('3'),
  income: decimal('4'),
  fees: decimal('5'),
  taxes: decimal('6'),
  capital: decimal('7'),
  lotCount: 2,
  lots: undefined,
  lastEffectiveAt: 12,
  lastTrade: { price: decimal('8.25'), at: 11 },
  transactionCount: 3,
}
const state: PortfolioState = {
  ...newPortfolio('alice'),
  version: 12,
  lastSequence: 34,
  lastRecordedAt: 56,
  chainHead: Buffer.alloc(32, 0xab),
  settings: { ...newPortfolio('alice').settings, lotMethod: 'LIFO', benchmarkSymbols: ['SPY'] },
  books: new Map([
    [
      'AAPL',
      new Map([
        ['ira', held],
        ['', emptyHolding('AAPL', '')],
      ]),
    ],
    ['Ünï "code"', new Map([['', emptyHolding('Ünï "code"', '')]])],
  ]),
  cash: {
    since: 9,
    balances: new Map([
      ['', decimal('-1.5')],
      ['EUR', decimal(2)],
    ]),
  },
}

describe('a cached state', () => {
  it('comes back as it was put, but for the lots', () => {
    const text = encodeState(KEY, state, MARK)
    const head = decodeHead(KEY, text)
    expect(head).toMatchObject({ version: 12, mark: MARK })
    expect(decodeState('alice', head!)).toEqual(state)
  })

  it('knows a holding without lots from one whose lots are elsewhere', () => {
    const open = { ...held, lots: [] }
    const text = encodeState(
      KEY,
      { ...state, books: new Map([['AAPL', new Map([['', open]])]]) },
      MARK,
    )
    const decoded = decodeState('alice', decodeHead(KEY, text)!)
    expect(decoded.books.get('AAPL')?.get('ira')?.lots).toBeUndefined()
  })

  it('keeps that cash is not tracked', () => {
    const text = encodeState(KEY, newPortfolio('alice'), MARK)
    expect(decodeState('alice', decodeHead(KEY, text)!).cash.since).toBeUndefined()
  })

  it('is garbage when any bit of it is flipped', () => {
    const bytes = Buffer.from(encodeState(KEY, state, MARK))
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeHead(KEY, flipped.toString())).toBeUndefined()
    }
  })

  it.each(['', '12', '12 1 ab\n{}', '{"version":12}', '\0\0', 'x'.repeat(100_000)])(
    'is not %j',
    (text) => {
      expect(decodeHead(KEY, text)).toBeUndefined()
    },
  )

  it('is garbage cut short, grown or under the key of another user', () => {
    const text = encodeState(KEY, state, MARK)
    for (let length = 0; length < text.length; length += 1) {
      expect(decodeHead(KEY, text.slice(0, length))).toBeUndefined()
    }
    expect(decodeHead(KEY, `${text} `)).toBeUndefined()
    expect(decodeHead('portfolio:state:1:{bob}', text)).toBeUndefined()
  })
})
