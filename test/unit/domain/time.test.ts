import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { instantOfTimestamp, rfc3339 } from '../../../src/domain/time.ts'

describe('instantOfTimestamp (decision 13)', () => {
  it.each([
    [0n, 0],
    [1n, 1_000_000],
    [99_999_999_999n, 99_999_999_999_000_000],
    [100_000_000_000n, 100_000_000_000_000],
    [99_999_999_999_999n, 99_999_999_999_999_000],
    [100_000_000_000_000n, 100_000_000_000_000],
    [9_007_199_254_740_991n, 9_007_199_254_740_991],
    [99_999_999_999_999_999n, 1e17],
    [100_000_000_000_000_000n, 100_000_000_000_000],
    [1_700_000_000_123_456_789n, 1_700_000_000_123_456],
  ])('reads %s', (timestamp, instant) => {
    expect(instantOfTimestamp(timestamp)).toBe(instant)
  })

  it('refuses what is before 1970', () => {
    expect(instantOfTimestamp(-1n)).toBeUndefined()
    expect(instantOfTimestamp(-(2n ** 63n))).toBeUndefined()
  })

  it('agrees on the first moment that milliseconds can name', () => {
    expect(rfc3339(instantOfTimestamp(100_000_000_000n) ?? 0)).toBe('1973-03-03T09:46:40Z')
  })
})

describe('rfc3339', () => {
  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [1_700_000_000_000_000, '2023-11-14T22:13:20Z'],
    [1_700_000_000_000_001, '2023-11-14T22:13:20.000001Z'],
    [1_700_000_000_120_000, '2023-11-14T22:13:20.120000Z'],
    [-1, '1969-12-31T23:59:59.999999Z'],
  ])('writes %d', (instant, text) => {
    expect(rfc3339(instant)).toBe(text)
  })
  it('writes what Date does, whatever day was written before', () => {
    const seconds = fc.integer({ min: -60_000_000_000, max: 8_000_000_000 })
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 999 }), (second, millisecond) => {
        const expected = new Date(second * 1_000 + millisecond).toISOString()
        const text = rfc3339(second * 1_000_000 + millisecond * 1_000)
        expect(text).toBe(
          millisecond === 0 ? expected.replace('.000Z', 'Z') : expected.replace('Z', '000Z'),
        )
      }),
    )
  })
})
