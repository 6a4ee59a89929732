import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Place } from '../../../../src/api/tear-sheet/scales.ts'
import { thinned } from '../../../../src/api/tear-sheet/thin.ts'

const WIDTH = 1_000
const COLUMNS = 20

const series = fc
  .array(fc.option(fc.integer({ min: -50, max: 50 }), { nil: undefined, freq: 20 }), {
    minLength: 1,
    maxLength: 400,
    size: 'max',
  })
  .map((values) => values.map((y, at): Place => [(at / values.length) * WIDTH, y]))

const known = (each: readonly Place[]) => each.flatMap(([, y]) => (y === undefined ? [] : [y]))

describe('thinned', () => {
  it('keeps the first, lowest, highest and last place of each column, and every gap', () => {
    fc.assert(
      fc.property(series, (places) => {
        const kept = thinned(places, WIDTH, COLUMNS)
        expect(places.filter((place) => kept.includes(place))).toEqual(kept)
        expect(kept.filter(([, y]) => y !== undefined).length).toBeLessThanOrEqual(4 * COLUMNS)
        for (let column = 0; column < COLUMNS; column += 1) {
          const isIn = ([x]: Place) => Math.floor((x / WIDTH) * COLUMNS) === column
          const [all, few] = [places.filter(isIn), kept.filter(isIn)]
          expect([few[0], few.at(-1)]).toEqual([all[0], all.at(-1)])
          expect(Math.max(...known(few))).toBe(Math.max(...known(all)))
          expect(Math.min(...known(few))).toBe(Math.min(...known(all)))
          expect(few.some(([, y]) => y === undefined)).toBe(all.some(([, y]) => y === undefined))
        }
      }),
    )
  })
})
