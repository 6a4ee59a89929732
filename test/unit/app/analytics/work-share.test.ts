import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { rest, restMsAfter } from '../../../../src/app/analytics/work-share.ts'

describe('rest', () => {
  it('is four fifths of the time', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 500, noNaN: true }), (workedMs) => {
        const restMs = restMsAfter(workedMs)
        expect(restMs / (workedMs + restMs)).toBeCloseTo(0.8)
      }),
    )
  })

  it('is two seconds at most', () => {
    expect(restMsAfter(501)).toBe(2_000)
  })

  it('is as long as it was said to be', async () => {
    const began = performance.now()
    await rest(30, new AbortController().signal)
    expect(performance.now() - began).toBeGreaterThan(28)
  })

  it('ends with the pass, and does not begin after it', async () => {
    const stopping = new AbortController()
    const resting = rest(3_600_000, stopping.signal)
    stopping.abort()
    await expect(resting).resolves.toBeUndefined()
    await expect(rest(3_600_000, stopping.signal)).resolves.toBeUndefined()
  })
})
