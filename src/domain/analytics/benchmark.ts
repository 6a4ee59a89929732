import { OBSERVATIONS_PER_YEAR, perYear } from './annualize.ts'
import type { EpochDay } from './epoch-day.ts'
import { type Figure, figure } from './figure.ts'
import { centralMoment, mean, sampleDeviation } from './moments.ts'
import type { DailyReturns } from './time-weighted.ts'

const ROOT_OF_YEAR = Math.sqrt(OBSERVATIONS_PER_YEAR)

/** Returns of a portfolio and of a benchmark over the same stretches of time. */
export interface PairedReturns {
  readonly portfolio: Float64Array
  readonly benchmark: Float64Array
}

/** With the day on which each stretch ends. */
export interface DatedPairs extends PairedReturns {
  readonly days: Int32Array
}

/**
 * Two series on the days that both have: what either returned on a day of its own is compounded into the next
 * common one. Both start at the same valuation.
 */
export function pairReturns(portfolio: DailyReturns, benchmark: DailyReturns): DatedPairs {
  const pairs: [number, number, EpochDay][] = []
  let [left, right, growth, benchmarkGrowth] = [0, 0, 1, 1]
  while (left < portfolio.days.length && right < benchmark.days.length) {
    const [day, benchmarkDay] = [portfolio.days[left] ?? 0, benchmark.days[right] ?? 0]
    if (day <= benchmarkDay) {
      growth *= 1 + (portfolio.returns[left] ?? NaN)
      left += 1
    }
    if (benchmarkDay <= day) {
      benchmarkGrowth *= 1 + (benchmark.returns[right] ?? NaN)
      right += 1
    }
    if (day === benchmarkDay) {
      pairs.push([growth - 1, benchmarkGrowth - 1, day])
      ;[growth, benchmarkGrowth] = [1, 1]
    }
  }
  return {
    portfolio: Float64Array.from(pairs, ([value]) => value),
    benchmark: Float64Array.from(pairs, ([, value]) => value),
    days: Int32Array.from(pairs, ([, , day]) => day),
  }
}

export interface Regression {
  /** (1 + intercept)^252 - 1. */
  readonly alpha: Figure
  readonly beta: Figure
  readonly correlation: Figure
  readonly rSquared: Figure
}

/**
 * Least squares of a portfolio's returns on its benchmark's, both less the risk-free rate of their days (Jensen 1968): beta is the
 * slope, alpha the intercept compounded over 252 observations. The correlation needs both to vary.
 */
export function regression({ portfolio, benchmark }: PairedReturns): Regression {
  const [variance, benchmarkVariance] = [variationOf(portfolio), variationOf(benchmark)]
  const beta = covariance(portfolio, benchmark) / benchmarkVariance
  const intercept = mean(portfolio) - beta * mean(benchmark)
  const correlation = (beta * Math.sqrt(benchmarkVariance)) / Math.sqrt(variance)
  const otherwise = portfolio.length < 2 ? 'TOO_SHORT' : 'NO_VARIANCE'
  return {
    alpha: figure(perYear(intercept), Number.isNaN(beta) ? otherwise : 'NO_SOLUTION'),
    beta: figure(beta, otherwise),
    correlation: figure(Math.max(-1, Math.min(1, correlation)), otherwise),
    rSquared: figure(Math.min(1, correlation ** 2), otherwise),
  }
}

/** Population variance; NaN where there is none, so that nothing is divided by rounding. */
function variationOf(values: Float64Array): number {
  return sampleDeviation(values) > 0 ? centralMoment(values, 2) : NaN
}

function covariance(left: Float64Array, right: Float64Array): number {
  const [leftMean, rightMean] = [mean(left), mean(right)]
  return mean(left.map((value, at) => (value - leftMean) * ((right[at] ?? NaN) - rightMean)))
}

/** Each return is a quotient of values less one: the same ones differ by a few units of its last place. */
const ROUNDING = 1e-14

/** Standard deviation (n - 1) of active returns, 0 where they are rounding. */
function activeDeviation(active: Float64Array): number {
  const deviation = sampleDeviation(active)
  return deviation > ROUNDING ? deviation : 0
}

function activeReturns({ portfolio, benchmark }: PairedReturns): Float64Array {
  return portfolio.map((value, at) => value - (benchmark[at] ?? NaN))
}

/** Tracking error: standard deviation (n - 1) of portfolio less benchmark returns, times the root of 252. */
export function trackingError(pairs: PairedReturns): Figure {
  if (pairs.portfolio.length < 2) return { status: 'TOO_SHORT' }
  return figure(activeDeviation(activeReturns(pairs)) * ROOT_OF_YEAR, 'MISSING_VALUATION')
}

/** Information ratio (Goodwin 1998): mean over standard deviation (n - 1) of active returns, times the root of 252. */
export function informationRatio(pairs: PairedReturns): Figure {
  if (pairs.portfolio.length < 2) return { status: 'TOO_SHORT' }
  const active = activeReturns(pairs)
  return figure((mean(active) / activeDeviation(active)) * ROOT_OF_YEAR, 'NO_VARIANCE')
}

/** Portfolio over benchmark return, each compounded over the days on which the benchmark rose; not annualised. */
export function upCapture(pairs: PairedReturns): Figure {
  return capture(pairs, 1)
}

/** Portfolio over benchmark return, each compounded over the days on which the benchmark fell; not annualised. */
export function downCapture(pairs: PairedReturns): Figure {
  return capture(pairs, -1)
}

function capture({ portfolio, benchmark }: PairedReturns, direction: 1 | -1): Figure {
  let [growth, benchmarkGrowth] = [1, 1]
  for (let at = 0; at < portfolio.length; at += 1) {
    const benchmarkReturn = benchmark[at] ?? NaN
    if (Math.sign(benchmarkReturn) !== direction) continue
    growth *= 1 + (portfolio[at] ?? NaN)
    benchmarkGrowth *= 1 + benchmarkReturn
  }
  return figure((growth - 1) / (benchmarkGrowth - 1), 'TOO_SHORT')
}
