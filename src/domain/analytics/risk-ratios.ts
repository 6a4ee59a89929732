import { annualized, OBSERVATIONS_PER_YEAR } from './annualize.ts'
import { type Figure, figure } from './figure.ts'
import { mean, sampleDeviation } from './moments.ts'

const ROOT_OF_YEAR = Math.sqrt(OBSERVATIONS_PER_YEAR)

/** Volatility: standard deviation of the returns with n - 1, times the root of 252. */
export function volatility(returns: Float64Array): Figure {
  if (returns.length < 2) return { status: 'TOO_SHORT' }
  return figure(sampleDeviation(returns) * ROOT_OF_YEAR, 'MISSING_VALUATION')
}

/** The returns less the risk-free rate of each (`observationRates`), or one for all. */
export function excessReturns(returns: Float64Array, rate: number | Float64Array): Float64Array {
  const excess = new Float64Array(returns.length)
  for (let at = 0; at < returns.length; at += 1) {
    excess[at] = (returns[at] ?? NaN) - (typeof rate === 'number' ? rate : (rate[at] ?? NaN))
  }
  return excess
}

/** Root mean square of the shortfall below the minimum acceptable return, over all n, of one observation. */
function shortfall(returns: Float64Array, minimum: number): number {
  let squares = 0
  for (const value of returns) {
    const below = Math.min(value - minimum, 0)
    squares += below * below
  }
  return Math.sqrt(squares / returns.length)
}

/**
 * Downside deviation (Sortino and van der Meer 1991): root mean square of the shortfall over all n observations, not
 * only those below, times the root of 252. `minimum` is per observation.
 */
export function downsideDeviation(returns: Float64Array, minimum: number): Figure {
  if (returns.length < 2) return { status: 'TOO_SHORT' }
  return figure(shortfall(returns, minimum) * ROOT_OF_YEAR, 'MISSING_VALUATION')
}

/**
 * Sharpe ratio (Sharpe 1994): mean over standard deviation (n - 1) of the returns in excess of the risk-free rate of
 * their own days, times the root of 252.
 */
export function sharpeRatio(excess: Float64Array): Figure {
  if (excess.length < 2) return { status: 'TOO_SHORT' }
  return figure((mean(excess) / sampleDeviation(excess)) * ROOT_OF_YEAR, 'NO_VARIANCE')
}

/**
 * Sortino ratio (Sortino and van der Meer 1991): mean return above the minimum acceptable one, which takes the place of
 * the risk-free rate, over the shortfall below it, times the root of 252.
 */
export function sortinoRatio(returns: Float64Array, minimum: number): Figure {
  if (returns.length < 2) return { status: 'TOO_SHORT' }
  const ratio = (mean(returns) - minimum) / shortfall(returns, minimum)
  return figure(ratio * ROOT_OF_YEAR, 'NO_DOWNSIDE')
}

/** Calmar ratio (Young 1991): annualised time-weighted return over |maximum drawdown|; none under a year. */
export function calmarRatio(cumulative: number, days: number, maxDrawdown: number): Figure {
  const yearly = annualized(cumulative, days)
  if (yearly === undefined) return { status: 'TOO_SHORT' }
  return figure(yearly / Math.abs(maxDrawdown), 'NO_DRAWDOWN')
}

/** Omega (Keating and Shadwick 2002): gains above the minimum acceptable return over losses below it. */
export function omegaRatio(returns: Float64Array, minimum: number): Figure {
  if (returns.length < 2) return { status: 'TOO_SHORT' }
  let [gains, losses] = [0, 0]
  for (const value of returns) {
    gains += Math.max(value - minimum, 0)
    losses += Math.max(minimum - value, 0)
  }
  return figure(gains / losses, 'NO_DOWNSIDE')
}

/** Herfindahl-Hirschman index: sum of squared shares of the gross value, 1 / n to 1; a short position counts too. */
export function concentration(values: Float64Array): Figure {
  const gross = values.reduce((sum, value) => sum + Math.abs(value), 0)
  if (Number.isNaN(gross)) return { status: 'MISSING_VALUATION' }
  if (gross === 0) return { status: 'NO_CAPITAL' }
  return figure(
    values.reduce((sum, value) => sum + (value / gross) ** 2, 0),
    'NO_SOLUTION',
  )
}
