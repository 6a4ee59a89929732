import { type Figure, figure } from './figure.ts'

/** The tail that value at risk and expected shortfall at 95 % look at. */
export const TAIL_PROBABILITY = 0.05

/**
 * The quantile by linear interpolation between order statistics: x[h] at h = (n - 1) p (Hyndman and Fan 1996,
 * type 7; the default of R, NumPy and spreadsheets). NaN of nothing.
 */
export function quantile(values: Float64Array, probability: number): number {
  const sorted = values.toSorted()
  const at = (sorted.length - 1) * probability
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN]
  return low + (at - Math.floor(at)) * (high - low)
}

/** Historical value at risk at 95 % of one observation: the 5 % quantile of the returns; a loss is negative. */
export function valueAtRisk95(returns: Float64Array): Figure {
  if (returns.length < 2) return { status: 'TOO_SHORT' }
  return figure(quantile(returns, TAIL_PROBABILITY), 'MISSING_VALUATION')
}

/**
 * Historical expected shortfall at 95 % of one observation: the mean of the floor((n - 1) p) + 1 worst returns,
 * which are those that value at risk's quantile does not exceed; a loss is negative.
 */
export function expectedShortfall95(returns: Float64Array): Figure {
  if (returns.length < 2) return { status: 'TOO_SHORT' }
  const worst = returns.toSorted().subarray(0, tailCount(returns.length))
  return figure(worst.reduce((sum, value) => sum + value, 0) / worst.length, 'MISSING_VALUATION')
}

/** How many returns are in the tail: floor((n - 1) p) + 1. */
export function tailCount(observations: number): number {
  return Math.floor((observations - 1) * TAIL_PROBABILITY) + 1
}

/** |95 % quantile / 5 % quantile|: how far the good days reach against the bad ones. */
export function tailRatio(returns: Float64Array): Figure {
  if (returns.length < 2) return { status: 'TOO_SHORT' }
  const ratio = quantile(returns, 1 - TAIL_PROBABILITY) / quantile(returns, TAIL_PROBABILITY)
  return figure(Math.abs(ratio), 'NO_DOWNSIDE')
}
