import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { drawdowns, maxDrawdown } from '../../../../src/domain/analytics/drawdown.ts'
import { dayText, epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import type { Figure } from '../../../../src/domain/analytics/figure.ts'
import { excessKurtosis, skewness } from '../../../../src/domain/analytics/moments.ts'
import {
  expectedShortfall95,
  quantile,
  tailCount,
  tailRatio,
  valueAtRisk95,
} from '../../../../src/domain/analytics/quantile.ts'
import {
  calmarRatio,
  concentration,
  downsideDeviation,
  excessReturns,
  omegaRatio,
  sharpeRatio,
  sortinoRatio,
  volatility,
} from '../../../../src/domain/analytics/risk-ratios.ts'
import type { DailyReturns } from '../../../../src/domain/analytics/time-weighted.ts'

/** Numbers parted by blanks. */
const numbers = (text: string): Float64Array => Float64Array.from(text.split(' '), Number)

/** Expected figures: NumPy and SciPy on these returns, a risk-free rate of 0.0001 and a minimum of 0.0002. */
const RETURNS = numbers(
  '0.012 -0.008 0.004 -0.021 0.017 0.003 -0.011 0.006 0 -0.002 0.009 -0.015 0.022 -0.004 0.001 0.007 -0.009 0.013 -0.003 0.005 -0.018 0.01',
)
const MINIMUM = 0.0002

const values = (...list: number[]): Float64Array => Float64Array.from(list)

describe('figures of one series', () => {
  it.each<[string, Figure, number]>([
    ['volatility', volatility(RETURNS), 0.17910687515355944],
    ['downside deviation', downsideDeviation(RETURNS, MINIMUM), 0.12304721931770007],
    ['Sharpe', sharpeRatio(excessReturns(RETURNS, 0.0001)), 1.010468291776356],
    ['Sortino', sortinoRatio(RETURNS, MINIMUM), 1.2660328209416867],
    ['omega', omegaRatio(RETURNS, MINIMUM), 1.1462365591397852],
    ['value at risk', valueAtRisk95(RETURNS.toSorted()), -0.01785],
    ['expected shortfall', expectedShortfall95(RETURNS.toSorted()), -0.0195],
    ['tail ratio', tailRatio(RETURNS.toSorted()), 0.0168 / 0.01785],
    ['skewness', skewness(RETURNS), -0.19416590204489428],
    ['excess kurtosis', excessKurtosis(RETURNS), -0.623394506890377],
    ['Calmar', calmarRatio(0.21, 730, -0.05), 2],
    ['concentration', concentration(values(60, -20, 20)), 0.44],
  ])('%s', (_name, measured, expected) => {
    expect(measured).toEqual({ status: 'OK', value: expect.closeTo(expected, 12) })
  })

  it('takes the risk-free rate of each day', () => {
    const rates = RETURNS.map((_, at) => at / 1_000)
    expect([...excessReturns(RETURNS, rates)].slice(0, 2)).toEqual([0.012, -0.008 - 0.001])
  })

  it('counts all observations in the downside, not only the bad ones', () => {
    const measured = downsideDeviation(values(-0.02, 0.01, 0.01, 0.01), 0)
    expect(measured.value).toBeCloseTo(0.01 * Math.sqrt(252), 14)
  })

  it.each<[string, (returns: Float64Array) => Figure]>([
    ['volatility', volatility],
    ['downside deviation', (returns) => downsideDeviation(returns, 0)],
    ['Sharpe', sharpeRatio],
    ['Sortino', (returns) => sortinoRatio(returns, 0)],
    ['omega', (returns) => omegaRatio(returns, 0)],
    ['value at risk', valueAtRisk95],
    ['expected shortfall', expectedShortfall95],
    ['tail ratio', tailRatio],
    ['skewness', skewness],
    ['excess kurtosis', excessKurtosis],
  ])('%s of one observation is too short', (_name, measure) => {
    expect(measure(values(0.01))).toEqual({ status: 'TOO_SHORT' })
    expect(measure(values())).toEqual({ status: 'TOO_SHORT' })
  })

  it.each<[string, Figure, string]>([
    ['Sharpe of equal returns', sharpeRatio(values(0.01, 0.01, 0.01)), 'NO_VARIANCE'],
    ['skewness of equal returns', skewness(values(0.1, 0.1, 0.1)), 'NO_VARIANCE'],
    ['kurtosis of equal returns', excessKurtosis(values(0.1, 0.1, 0.1)), 'NO_VARIANCE'],
    ['Sortino without a loss', sortinoRatio(values(0.01, 0.02), 0), 'NO_DOWNSIDE'],
    ['omega without a loss', omegaRatio(values(0.01, 0.02), 0), 'NO_DOWNSIDE'],
    ['tail ratio over nothing', tailRatio(values(0, 0, 0)), 'NO_DOWNSIDE'],
    ['Calmar under a year', calmarRatio(0.1, 364, -0.1), 'TOO_SHORT'],
    ['Calmar without a fall', calmarRatio(0.1, 365, 0), 'NO_DRAWDOWN'],
    ['concentration of nothing', concentration(values(0, 0)), 'NO_CAPITAL'],
    ['concentration of cash alone', concentration(values()), 'NO_CAPITAL'],
    ['concentration without a price', concentration(values(1, NaN)), 'MISSING_VALUATION'],
  ])('%s has a status', (_name, measured, status) => {
    expect(measured).toEqual({ status })
  })

  it('has no volatility where returns are equal but for rounding', () => {
    expect(volatility(values(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)).value).toBe(0)
  })
})

describe('quantile', () => {
  it.each([
    [0, 15],
    [0.05, 16],
    [0.3, 23],
    [0.4, 29],
    [0.5, 35],
    [0.95, 48],
    [1, 50],
  ])('is that of numpy.quantile at %d', (probability, expected) => {
    expect(quantile(values(15, 20, 35, 40, 50), probability)).toBeCloseTo(expected, 12)
  })

  it('has a tail of floor((n - 1) p) + 1', () => {
    expect([2, 20, 21, 252, 1_260].map(tailCount)).toEqual([1, 1, 2, 13, 63])
  })
})

const series = (...levels: number[]): DailyReturns => ({
  startDay: epochDay('2024-01-01'),
  days: Int32Array.from(levels.slice(1), (_, at) => epochDay('2024-01-02') + at),
  returns: Float64Array.from(levels.slice(1), (level, at) => level / (levels[at] ?? NaN) - 1),
})

const texts = (asked: DailyReturns, countMax = 5): string[] =>
  drawdowns(asked, countMax).map(({ depth, peakDay, troughDay, recoveryDay }) => {
    const recovery = recoveryDay === undefined ? 'under water' : dayText(recoveryDay)
    return [depth.toFixed(3), dayText(peakDay), dayText(troughDay), recovery].join(' ')
  })

describe('drawdowns', () => {
  it('names peak, trough and recovery, deepest first', () => {
    expect(texts(series(64, 128, 96, 112, 128, 64, 80, 256, 128))).toEqual([
      '-0.500 2024-01-05 2024-01-06 2024-01-08',
      '-0.500 2024-01-08 2024-01-09 under water',
      '-0.250 2024-01-02 2024-01-03 2024-01-05',
    ])
  })

  it('counts the starting value as a peak', () => {
    expect(texts(series(100, 75, 50, 80))).toEqual(['-0.500 2024-01-01 2024-01-03 under water'])
  })

  it('lists no more than asked', () => {
    expect(texts(series(64, 128, 96, 128, 64, 128), 1)).toHaveLength(1)
    expect(maxDrawdown(series(64, 128, 96, 128, 64, 128))).toBe(-0.5)
  })

  it('is 0 for a series that never fell', () => {
    expect(maxDrawdown(series(1, 1, 2))).toBe(0)
    expect(maxDrawdown(series(1))).toBe(0)
  })

  it('is the worst of all pairs of days', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 80, size: 'max' }),
        (levels) => {
          const falls = levels.flatMap((peak, at) => levels.slice(at).map((low) => low / peak - 1))
          expect(maxDrawdown(series(...levels))).toBeCloseTo(Math.min(...falls), 12)
        },
      ),
    )
  })
})
