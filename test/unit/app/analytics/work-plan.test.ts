import { describe, expect, it } from '@jest/globals'
import { LedgerCache } from '../../../../src/app/analytics/ledger-cache.ts'
import { inChunks, readingOrder } from '../../../../src/app/analytics/work-plan.ts'
import { packLedger } from '../../../../src/domain/analytics/pack-ledger.ts'

describe('the plan of a batch', () => {
  it('makes chunks of the small and keeps the large apart', () => {
    const priced = [30, 10, 10, 10, 1].map((costMs) => ({ work: costMs, costMs }))
    expect(inChunks(priced)).toEqual({
      chunks: [[1, 10, 10], [10]],
      large: [{ work: 30, costMs: 30 }],
    })
  })

  it('reads short ledgers first, and a giant by itself', () => {
    const users = [9_000, 10, 4_980, 20].map((entryCount) => ({
      userId: `${entryCount}`,
      entryCount,
    }))
    expect(readingOrder(users)).toEqual([['10', '20'], ['4980'], ['9000']])
  })
})

function ledger(userId: string, version: number) {
  const entry = { day: 1, type: 'BUY', instrumentId: 'A', quantity: 1, price: 1 } as const
  const packed = packLedger([{ ...entry, at: 0, isTracked: false, terms: undefined }])
  return {
    userId,
    version,
    baseCurrency: 'USD',
    timeZone: 'UTC',
    lotMethod: 'FIFO',
    ...packed,
  } as const
}

describe('LedgerCache', () => {
  it('gives a ledger for its very version, and forgets the ones asked for longest ago', () => {
    const cache = new LedgerCache(4)
    cache.put(ledger('a', 1))
    cache.put(ledger('b', 1))
    expect(cache.get('a', 2)).toBeUndefined()
    expect(cache.get('a', 1)?.userId).toBe('a')
    cache.put(ledger('c', 1))
    expect(cache.get('b', 1)).toBeUndefined()
    expect(cache.get('a', 1)?.userId).toBe('a')
    cache.put(ledger('a', 2))
    expect(cache.get('c', 1)?.userId).toBe('c')
  })
})
