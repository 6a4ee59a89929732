import { describe, expect, it } from '@jest/globals'
import type { AssetClass } from '../../../../src/domain/market-data/asset-class.ts'
import { screenQuotes } from '../../../../src/domain/market-data/quarantine.ts'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import { NOW, quote } from '../portfolio/scenario.ts'
import { describedAs } from './instruments.ts'

const HOUR = 3_600_000_000
const DAY = 24 * HOUR

/** ACME at a price so many hours later. */
function priced(price: string, hours: number, facts: Partial<Quote> = {}): Quote {
  return quote('ACME', price, { pricedAt: NOW + hours * HOUR, ...facts })
}

interface Known {
  readonly before?: Quote
  readonly held?: readonly Quote[]
  readonly assetClass?: AssetClass
}

/** The places of those held back. */
function heldBack(quotes: readonly Quote[], { before, held = [], assetClass }: Known = {}) {
  const { outliers } = screenQuotes(quotes, {
    before: () => before,
    instrumentOf: () => assetClass && describedAs('ACME', assetClass),
    held,
  })
  return [...outliers]
}

const BEFORE = priced('100', 0)

describe('screenQuotes', () => {
  it.each<[AssetClass | undefined, string, string]>([
    [undefined, '125', '125.01'],
    [undefined, '75', '74.99'],
    ['EQUITY', '125', '125.01'],
    ['CRYPTO', '160', '160.01'],
    ['CRYPTO', '40', '39.99'],
    ['FUTURE', '135', '135.01'],
    ['OPTION', '600', '600.01'],
    ['OPTION', '0.01', '601'],
  ])('%s: takes a move from 100 to %s, holds back one to %s', (assetClass, good, bad) => {
    const known = { before: BEFORE, ...(assetClass && { assetClass }) }
    expect(heldBack([priced(good, 1)], known)).toEqual([])
    expect(heldBack([priced(bad, 1)], known)).toEqual([0])
  })

  it('never holds back the first quote, nor what somebody typed in', () => {
    expect(heldBack([priced('100000', 1)])).toEqual([])
    expect(heldBack([priced('100000', 1, { kind: 'MANUAL' })], { before: BEFORE })).toEqual([])
  })

  it('gives a longer time a longer way', () => {
    expect(heldBack([priced('149', 48)], { before: BEFORE })).toEqual([])
    expect(heldBack([priced('151', 48)], { before: BEFORE })).toEqual([0])
  })

  it('measures against what was taken, not against what was held back', () => {
    const stream = [priced('110', 1), priced('1000', 2), priced('120', 3)]
    expect(heldBack(stream, { before: BEFORE })).toEqual([1])
  })

  it('measures a late quote against the one before it in time', () => {
    const stream = [priced('120', 10), priced('150', 20), priced('110', 5)]
    expect(heldBack(stream, { before: BEFORE })).toEqual([])
  })

  it('takes both when another quote says the same within the window', () => {
    const first = priced('200', 1)
    const second = priced('201', 2)
    const alone = screenQuotes([first, second], {
      before: () => BEFORE,
      instrumentOf: () => undefined,
      held: [],
    })
    expect(alone).toMatchObject({ accepted: [first, second], released: [] })
    expect(alone.outliers.size).toBe(0)
    const later = screenQuotes([second], {
      before: () => BEFORE,
      instrumentOf: () => undefined,
      held: [first],
    })
    expect(later).toMatchObject({ accepted: [first, second], released: [first] })
  })

  it.each([
    ['says something else', priced('300', 1)],
    ['is the same record again', priced('200', 2)],
    ['is too old', quote('ACME', '200', { pricedAt: NOW + 2 * HOUR - 5 * DAY })],
    ['is of another', quote('OTHER', '200', { pricedAt: NOW })],
    ['is in another currency', priced('200', 1, { currency: 'EUR' })],
  ])('is not convinced by one that %s', (_, held) => {
    expect(heldBack([priced('200', 2)], { before: BEFORE, held: [held] })).toEqual([0])
  })

  it('has a short window for what trades always', () => {
    const known = { before: BEFORE, assetClass: 'CRYPTO' as const }
    expect(heldBack([priced('200', 2)], { ...known, held: [priced('200', 1)] })).toEqual([])
    expect(heldBack([priced('200', 3)], { ...known, held: [priced('200', 1)] })).toEqual([0])
  })
})
