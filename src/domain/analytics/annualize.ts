import type { ReturnFigure } from './figure.ts'

export const DAYS_PER_YEAR = 365

/** Observations a year by which daily risk figures are annualised: the market days of a year. */
export const OBSERVATIONS_PER_YEAR = 252

/**
 * (1 + cumulative)^(365 / days) - 1, both ends of the period counted. Nothing under a year is annualised (GIPS
 * 2020, 2.A.12), nor what lost more than all.
 */
export function annualized(cumulative: number, days: number): number | undefined {
  if (days < DAYS_PER_YEAR || cumulative < -1) return undefined
  return (1 + cumulative) ** (DAYS_PER_YEAR / days) - 1
}

/** The return of a period with its annual rate, or NO_SOLUTION when it is no finite number. */
export function returnFigure(cumulative: number, days: number): ReturnFigure {
  if (!Number.isFinite(cumulative)) return { status: 'NO_SOLUTION' }
  return { status: 'OK', cumulative, annualized: annualized(cumulative, days) }
}

/** The rate of one observation that compounds to a yearly one over 252. */
export function perObservation(annualRate: number): number {
  return (1 + annualRate) ** (1 / OBSERVATIONS_PER_YEAR) - 1
}

/** The yearly rate of one that is earned on each of 252 observations; NaN of one that loses more than all. */
export function perYear(rate: number): number {
  return rate < -1 ? NaN : (1 + rate) ** OBSERVATIONS_PER_YEAR - 1
}
