import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { brentRoot } from '../../../../src/domain/analytics/brent.ts'

describe('brentRoot', () => {
  it.each<[string, (at: number) => number, number, number]>([
    ['a cubic', (at) => at ** 3 - 2, Math.cbrt(2), 9],
    ['a cosine', (at) => Math.cos(at) - at, 0.7390851332151607, 8],
    ['an exponential', (at) => Math.exp(-5 * at) - 0.001, Math.log(1_000) / 5, 13],
    ['a line', (at) => at - 0.3, 0.3, 3],
  ])('finds the root of %s in few steps', (_name, value, root, evaluationsMax) => {
    let evaluations = 0
    const counted = (at: number): number => {
      evaluations += 1
      return value(at)
    }
    expect(brentRoot(counted, 0, 2)).toBeCloseTo(root, 14)
    expect(evaluations).toBeLessThanOrEqual(evaluationsMax)
  })

  it('stays between its borders and ends where the sign changes', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.constantFrom(1, 3, 9, 1 / 3),
        (root, power) => {
          const value = (at: number): number => Math.sign(at - root) * Math.abs(at - root) ** power
          expect(Math.abs(brentRoot(value, 0, 1) - root)).toBeLessThan(1e-9)
          expect(brentRoot(value, 1, 0)).toBeCloseTo(root, 9)
        },
      ),
    )
  })
})
