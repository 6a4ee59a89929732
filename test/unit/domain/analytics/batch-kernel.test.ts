import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { annualized } from '../../../../src/domain/analytics/annualize.ts'
import {
  kernelScratch,
  MEASURES,
  measureSeries,
  type SeriesBatch,
} from '../../../../src/domain/analytics/batch-kernel.ts'
import { regression } from '../../../../src/domain/analytics/benchmark.ts'
import { maxDrawdown } from '../../../../src/domain/analytics/drawdown.ts'
import { expectedShortfall95, valueAtRisk95 } from '../../../../src/domain/analytics/quantile.ts'
import { partitionAt } from '../../../../src/domain/analytics/quickselect.ts'
import {
  calmarRatio,
  excessReturns,
  sharpeRatio,
  sortinoRatio,
  volatility,
} from '../../../../src/domain/analytics/risk-ratios.ts'

interface Series {
  readonly returns: readonly number[]
  readonly calendarDays: number
  readonly benchmarkFrom: number
}

const OBSERVATIONS_MAX = 400

function batchOf(series: readonly Series[], market: readonly [number, number][]): SeriesBatch {
  const offsets = [0]
  for (const { returns } of series) offsets.push((offsets.at(-1) ?? 0) + returns.length)
  return {
    returns: Float64Array.from(series.flatMap(({ returns }) => returns)),
    offsets: Uint32Array.from(offsets),
    calendarDays: Uint32Array.from(series, ({ calendarDays }) => calendarDays),
    benchmarkOffsets: Uint32Array.from(series, ({ benchmarkFrom }) => benchmarkFrom),
    benchmark: Float64Array.from(market, ([value]) => value),
    riskFree: Float64Array.from(market, ([, rate]) => rate),
  }
}

function measured(batch: SeriesBatch): number[][] {
  const count = batch.calendarDays.length
  const measures = new Float64Array(count * MEASURES.length).fill(123)
  const scratch = kernelScratch(OBSERVATIONS_MAX)
  for (let at = 0; at < count; at += 1) measureSeries(batch, at, scratch, measures)
  return Array.from({ length: count }, (_, at) => [
    ...measures.subarray(at * MEASURES.length, (at + 1) * MEASURES.length),
  ])
}

/** The same eleven by the straightforward functions, NaN for a status. */
function straightforward(series: Series, market: readonly [number, number][]): number[] {
  const returns = Float64Array.from(series.returns)
  const own = market.slice(series.benchmarkFrom, series.benchmarkFrom + returns.length)
  const rates = Float64Array.from(own, ([, rate]) => rate)
  const benchmark = Float64Array.from(own, ([value]) => value)
  const excess = excessReturns(returns, rates)
  const cumulative = returns.reduce((growth, value) => growth * (1 + value), 1) - 1
  const depth = maxDrawdown({ startDay: 0, days: Int32Array.from(returns, (_, at) => at), returns })
  const { alpha, beta } = regression({
    portfolio: excess,
    benchmark: excessReturns(benchmark, rates),
  })
  if (returns.length === 0) return MEASURES.map(() => NaN)
  return [
    cumulative,
    annualized(cumulative, series.calendarDays) ?? NaN,
    volatility(returns).value ?? NaN,
    sharpeRatio(excess).value ?? NaN,
    sortinoRatio(returns, 0).value ?? NaN,
    calmarRatio(cumulative, series.calendarDays, depth).value ?? NaN,
    depth,
    valueAtRisk95(returns.toSorted()).value ?? NaN,
    expectedShortfall95(returns.toSorted()).value ?? NaN,
    alpha.value ?? NaN,
    beta.value ?? NaN,
  ]
}

/** Equal to 1e-12 of the greater of the two and of what cancelled on the way to them. */
function differences(found: number[], expected: number[], scales: number[]): string[] {
  return MEASURES.flatMap((name, at) => {
    const [value, other] = [found[at] ?? 123, expected[at] ?? 123]
    const scale = Math.max(Math.abs(value), Math.abs(other), scales[at] ?? 0)
    const same = Number.isNaN(other)
      ? Number.isNaN(value)
      : Math.abs(value - other) <= 1e-12 * scale
    return same ? [] : [`${name}: ${value} instead of ${other}`]
  })
}

// A cumulative return, a drawdown and a rate are growth less 1; alpha is a growth over a year less 1.
const SCALES = [1, 1, 0, 1, 1, 100, 1, 0.1, 0.1, 100, 1]

/** Whole billionths: squares of less vanish, and no price moves by less. */
const billionths = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: min * 1e9, max: max * 1e9 }).map((value) => value / 1e9)
const market = fc.array(fc.tuple(billionths(-0.08, 0.08), billionths(0, 0.0003)), {
  minLength: OBSERVATIONS_MAX,
  maxLength: OBSERVATIONS_MAX,
})
const oneReturn = fc.oneof(billionths(-0.1, 0.1), fc.constantFrom(0, 0.01, -0.01, -0.5, 0.9))
const series = fc.record({
  returns: fc.array(oneReturn, { maxLength: 350, size: 'max' }),
  calendarDays: fc.integer({ min: 1, max: 900 }),
  benchmarkFrom: fc.integer({ min: 0, max: 50 }),
})

describe('measureSeries', () => {
  it('equals the straightforward functions to 1e-12', () => {
    fc.assert(
      fc.property(fc.array(series, { maxLength: 4 }), market, (drawn, days) => {
        const found = measured(batchOf(drawn, days))
        for (const [at, one] of drawn.entries()) {
          expect(differences(found[at] ?? [], straightforward(one, days), SCALES)).toEqual([])
        }
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['nothing', []],
    ['one observation', [0.01]],
    ['two observations', [0.01, -0.02]],
    ['equal returns', Array<number>(30).fill(0.1)],
    ['never a loss', [0.01, 0.02, 0.03]],
    ['never a gain', [-0.01, -0.02, -0.03]],
    ['a total loss', [0.01, -1, 0, 0]],
    ['one crash among equal returns', [...Array<number>(99).fill(0.001), -0.4]],
    ['rises and one fall a return wide', [0.1, 0.1, -0.1, 0.1, 0.1]],
  ])('agrees with them on %s', (_name, returns) => {
    const one = { returns, calendarDays: 400, benchmarkFrom: 2 }
    const days = Array.from({ length: OBSERVATIONS_MAX }, (_, at): [number, number] => [
      Math.sin(at) / 50,
      0.0001,
    ])
    const [found] = measured(batchOf([one], days))
    expect(differences(found ?? [], straightforward(one, days), SCALES)).toEqual([])
  })
})

describe('partitionAt', () => {
  it('puts a value where sorting would, and nothing greater before it', () => {
    const numbers = fc.array(fc.integer({ min: -20, max: 20 }), {
      minLength: 1,
      maxLength: 300,
      size: 'max',
    })
    fc.assert(
      fc.property(numbers, fc.nat(), (drawn, seed) => {
        const place = seed % drawn.length
        const array = Float64Array.from([...drawn, -99])
        partitionAt(array, place, drawn.length)
        const sorted = Float64Array.from(drawn).toSorted()
        expect(array[place]).toBe(sorted[place])
        expect(array.slice(0, place + 1).toSorted()).toEqual(sorted.slice(0, place + 1))
        expect(array.slice(0, drawn.length).toSorted()).toEqual(sorted)
      }),
    )
  })
})
