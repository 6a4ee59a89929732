import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  downCapture,
  informationRatio,
  type PairedReturns,
  pairReturns,
  regression,
  trackingError,
  upCapture,
} from '../../../../src/domain/analytics/benchmark.ts'
import { blendLevels } from '../../../../src/domain/analytics/blend.ts'
import { dayText, epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import { excessReturns } from '../../../../src/domain/analytics/risk-ratios.ts'
import { sameCashFlows } from '../../../../src/domain/analytics/same-cash-flows.ts'
import type { DailyReturns } from '../../../../src/domain/analytics/time-weighted.ts'
import { dayAfter, period, v6Period } from './periods.ts'

/** Numbers parted by blanks. */
const numbers = (text: string): Float64Array => Float64Array.from(text.split(' '), Number)

/** Expected figures: NumPy and scipy.stats.linregress on these returns less 0.0001. */
const PAIRS: PairedReturns = {
  portfolio: numbers(
    '0.012 -0.008 0.004 -0.021 0.017 0.003 -0.011 0.006 0 -0.002 0.009 -0.015 0.022 -0.004 0.001 0.007 -0.009 0.013 -0.003 0.005 -0.018 0.01',
  ),
  benchmark: numbers(
    '0.01 -0.006 0.003 -0.015 0.012 0.001 -0.013 0.008 0.002 -0.001 0.006 -0.012 0.015 -0.002 0.003 0.004 -0.007 0.009 0 0.002 -0.014 0.008',
  ),
}

const pairs = (portfolio: number[], benchmark: number[]): PairedReturns => ({
  portfolio: Float64Array.from(portfolio),
  benchmark: Float64Array.from(benchmark),
})

describe('figures against a benchmark', () => {
  const { alpha, beta, correlation, rSquared } = regression({
    portfolio: excessReturns(PAIRS.portfolio, 0.0001),
    benchmark: excessReturns(PAIRS.benchmark, 0.0001),
  })

  it.each([
    ['alpha', alpha, 0.02325188565843539],
    ['beta', beta, 1.2771502036806979],
    ['correlation', correlation, 0.9797801214085577],
    ['R squared', rSquared, 0.9797801214085577 ** 2],
    ['tracking error', trackingError(PAIRS), 0.052291143001120526],
    ['information ratio', informationRatio(PAIRS), 1.0952663106159302],
    ['up capture', upCapture(PAIRS), 1.3280349753075245],
    ['down capture', downCapture(PAIRS), 1.2476137174894455],
  ])('%s', (_name, measured, expected) => {
    expect(measured).toEqual({ status: 'OK', value: expect.closeTo(expected, 12) })
  })

  it('has a status where it cannot know', () => {
    const single = pairs([0.01], [0.01])
    expect(regression(single).beta.status).toBe('TOO_SHORT')
    expect(trackingError(single).status).toBe('TOO_SHORT')
    expect(informationRatio(single).status).toBe('TOO_SHORT')
    expect(upCapture(pairs([0.1], [-0.1])).status).toBe('TOO_SHORT')
    expect(downCapture(pairs([0.1], [0.1])).status).toBe('TOO_SHORT')
    const flat = pairs([0.1, 0.1, 0.1], [0.1, 0.1, 0.1])
    expect(regression(flat).alpha.status).toBe('NO_VARIANCE')
    expect(informationRatio(flat).status).toBe('NO_VARIANCE')
    const rounded = pairs([0.1, 30 / 26 - 1, 0.2], [0.1 + 2e-16, 30 / 26 - 1 - 3e-16, 0.2])
    expect(informationRatio(rounded).status).toBe('NO_VARIANCE')
    expect(trackingError(rounded)).toEqual({ status: 'OK', value: 0 })
    const lost = regression(pairs([-1.5, -2, -1], [0.1, -0.2, 0.1]))
    expect(lost).toMatchObject({ alpha: { status: 'NO_SOLUTION' }, beta: { status: 'OK' } })
    const still = regression(pairs([0.1, 0.1, 0.1], [0.1, 0.2, 0.3]))
    expect(still.beta).toEqual({ status: 'OK', value: expect.closeTo(0, 14) })
    expect(still.correlation.status).toBe('NO_VARIANCE')
  })
})

const daily = (returns: [string, number][]): DailyReturns => ({
  startDay: epochDay('2024-01-01'),
  days: Int32Array.from(returns, ([day]) => epochDay(day)),
  returns: Float64Array.from(returns, ([, value]) => value),
})

describe('pairReturns', () => {
  it('compounds what either did on its own days into the next common one', () => {
    const portfolio = daily([
      ['2024-01-05', 0.1],
      ['2024-01-06', 0.1],
      ['2024-01-08', 0.1],
      ['2024-01-09', 0.5],
    ])
    const benchmark = daily([
      ['2024-01-05', 0.02],
      ['2024-01-08', 0.03],
    ])
    const paired = pairReturns(portfolio, benchmark)
    expect([...paired.portfolio].map((value) => value.toFixed(9))).toEqual(
      [0.1, 0.21].map((value) => value.toFixed(9)),
    )
    expect([...paired.benchmark].map((value) => value.toFixed(9))).toEqual(
      [0.02, 0.03].map((value) => value.toFixed(9)),
    )
    expect(pairReturns(benchmark, portfolio).portfolio).toEqual(paired.benchmark)
  })
})

describe('sameCashFlows', () => {
  it('is worked case V7', () => {
    const levels = { start: 100, rows: Float64Array.of(101, 101, 102) }
    const same = sameCashFlows(v6Period(), levels)
    const units = 1_000 / 100 + 1_100 / 101
    expect(units).toBeCloseTo(20.8910891089, 9)
    expect(same.endValue.value).toBeCloseTo(2_130.8910891089, 9)
    expect(same.difference.value).toBeCloseTo(-40.8910891089, 9)
    expect(same.publicMarketEquivalent.value).toBeCloseTo(2_090 / 2_130.8910891089, 12)
    expect(same.moneyWeighted).toMatchObject({ status: 'OK' })
  })

  it('earns the return of the benchmark', () => {
    const levels = { start: 100, rows: Float64Array.of(110, 110, 121) }
    expect(sameCashFlows(v6Period(), levels).moneyWeighted).toMatchObject({
      cumulative: expect.closeTo(0.21, 12),
    })
  })

  it('says so when the benchmark would have run out', () => {
    const rows = [
      { day: '2024-01-01', value: 100 },
      { day: '2024-01-02', value: 100, outflow: 900 },
    ]
    const asked = period(rows, '2024-01-02', '2024-01-02')
    const same = sameCashFlows(asked, { start: 100, rows: Float64Array.of(200) })
    expect(same).toMatchObject({
      endValue: { status: 'SHORT_BENCHMARK' },
      difference: { status: 'SHORT_BENCHMARK' },
      moneyWeighted: { status: 'SHORT_BENCHMARK' },
      publicMarketEquivalent: { status: 'OK', value: 5 },
    })
  })

  it('may sell all', () => {
    const rows = [
      { day: '2024-01-01', value: 0.3 },
      { day: '2024-01-02', value: 0.2, outflow: 0.1 },
      { day: '2024-01-03', value: 0, outflow: 0.2 },
    ]
    const asked = period(rows, '2024-01-02', '2024-01-03')
    const same = sameCashFlows(asked, { start: 1, rows: Float64Array.of(1, 1) })
    expect(same.endValue).toEqual({ status: 'OK', value: expect.closeTo(0, 15) })
  })

  it('needs no level before the first flow', () => {
    const rows = [{ day: '2024-01-02', value: 100, inflow: 100 }]
    const asked = period(rows, '2024-01-01', '2024-01-02')
    const same = sameCashFlows(asked, { start: NaN, rows: Float64Array.of(50) })
    expect(same.endValue).toEqual({ status: 'OK', value: 100 })
  })

  it('needs a level where money moves', () => {
    const levels = { start: 100, rows: Float64Array.of(101, NaN, 102) }
    expect(sameCashFlows(v6Period(), levels).endValue.status).toBe('MISSING_VALUATION')
  })
})

describe('blendLevels', () => {
  const days = Int32Array.from(['2024-01-30', '2024-01-31', '2024-02-01', '2024-02-02'], epochDay)
  const components = [
    { weight: 0.6, levels: Float64Array.of(100, 200, 400, 400) },
    { weight: 0.4, levels: Float64Array.of(10, 10, 10, 20) },
  ]

  it('drifts when it is never rebalanced', () => {
    const { levels, weights } = blendLevels(days, components, 'NEVER')
    expect([...levels]).toEqual([1, 1.6, 2.8, 3.2].map((level) => expect.closeTo(level, 12)))
    expect(weights[0]?.[2]).toBeCloseTo(0.75, 12)
  })

  it('goes back to its weights at the close of the month', () => {
    const { levels, weights } = blendLevels(days, components, 'MONTH')
    expect([...levels]).toEqual(
      [1, 1.6, 2.56, 2.56 + 0.64].map((level) => expect.closeTo(level, 12)),
    )
    expect(weights.map((own) => own[2])).toEqual([expect.closeTo(0.6, 12), expect.closeTo(0.4, 12)])
    expect([...blendLevels(days, components, 'QUARTER').levels]).toEqual([
      ...blendLevels(days, components, 'NEVER').levels,
    ])
  })

  it('is its only component', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 80, size: 'max' }),
        (own) => {
          const index = [{ weight: 1, levels: Float64Array.from(own) }]
          const dates = Int32Array.from(own, (_, at) => epochDay(dayAfter(at * 20)))
          const { levels } = blendLevels(dates, index, 'MONTH')
          for (const [at, level] of levels.entries()) {
            expect(level).toBeCloseTo((own[at] ?? NaN) / (own[0] ?? NaN), 9)
          }
        },
      ),
    )
    expect(dayText(epochDay('2024-02-29'))).toBe('2024-02-29')
  })
})
