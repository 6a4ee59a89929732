import { type Figure, figure } from './figure.ts'
import { mean } from './moments.ts'

// All functions here take returns in ascending order: they are sorted once for all of them.

/** The tail that value at risk and expected shortfall at 95 % look at. */
export const TAIL_PROBABILITY = 0.05

/**
 * The quantile by linear interpolation between order statistics: x[h] at h = (n - 1) p (Hyndman and Fan 1996,
 * type 7; the default of R, NumPy and spreadsheets). NaN of nothing.
 */
export function quantile(ascending: Float64Array, probability: number): number {
  const at = (ascending.length - 1) * probability
  if (at < 0) return NaN
  const [low, high] = [ascending[Math.floor(at)] ?? NaN, ascending[Math.ceil(at)] ?? NaN]
  return low + (at - Math.floor(at)) * (high - low)
}

/** Historical value at risk at 95 % of one observation: the 5 % quantile of the returns; a loss is negative. */
export function valueAtRisk95(ascending: Float64Array): Figure {
  if (ascending.length < 2) return { status: 'TOO_SHORT' }
  return figure(quantile(ascending, TAIL_PROBABILITY), 'MISSING_VALUATION')
}

/**
 * Historical expected shortfall at 95 % of one observation: the mean of the floor((n - 1) p) + 1 worst returns,
 * which are those that value at risk's quantile does not exceed; a loss is negative.
 */
export function expectedShortfall95(ascending: Float64Array): Figure {
  if (ascending.length < 2) return { status: 'TOO_SHORT' }
  const worst = ascending.subarray(0, tailCount(ascending.length))
  return figure(mean(worst), 'MISSING_VALUATION')
}

/** How many returns are in the tail: floor((n - 1) p) + 1. */
export function tailCount(observations: number): number {
  return Math.floor((observations - 1) * TAIL_PROBABILITY) + 1
}

/** |95 % quantile / 5 % quantile|: how far the good days reach against the bad ones. */
export function tailRatio(ascending: Float64Array): Figure {
  if (ascending.length < 2) return { status: 'TOO_SHORT' }
  const ratio = quantile(ascending, 1 - TAIL_PROBABILITY) / quantile(ascending, TAIL_PROBABILITY)
  return figure(Math.abs(ratio), 'NO_DOWNSIDE')
}
