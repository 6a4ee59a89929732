import { isDay } from '../portfolio/calendar-day.ts'
import { perObservation } from './annualize.ts'
import { type EpochDay, epochDay } from './epoch-day.ts'
import { mean } from './moments.ts'

/**
 * Rates per year, as fractions, each in force from its day until the next one's, the first also before it. At least
 * one; days ascend.
 */
export interface RiskFreeRates {
  readonly days: Int32Array
  readonly rates: Float64Array
}

export function constantRate(rate: number): RiskFreeRates {
  return { days: Int32Array.of(0), rates: Float64Array.of(rate) }
}

/** "0.035", and above -1 and below 10; undefined when it is none. */
export function rateOfText(text: string): number | undefined {
  if (!/^-?\d{1,2}(\.\d{1,18})?$/.test(text)) return undefined
  const rate = Number(text)
  return rate > -1 && rate < 10 ? rate : undefined
}

/** Reads lines of "date,rate" ("2024-01-31,0.0525"), under just that header, by date; undefined when they are none. */
export function datedRates(text: string): RiskFreeRates | undefined {
  const [header, ...lines] = text.trim().split(/\r?\n/)
  if (header?.trim().toLowerCase() !== 'date,rate' || lines.length === 0) return undefined
  const days: EpochDay[] = []
  const rates: number[] = []
  for (const line of lines) {
    const [date = '', written = '', ...more] = line.split(',').map((cell) => cell.trim())
    const rate = rateOfText(written)
    if (!isDay(date) || rate === undefined || more.length > 0) return undefined
    const day = epochDay(date)
    if (day <= (days.at(-1) ?? Number.NEGATIVE_INFINITY)) return undefined
    days.push(day)
    rates.push(rate)
  }
  return { days: Int32Array.from(days), rates: Float64Array.from(rates) }
}

/** The yearly rate in force on each of some ascending days. */
function yearlyRates({ days, rates }: RiskFreeRates, on: Int32Array): Float64Array {
  const yearly = new Float64Array(on.length)
  let at = 0
  for (let row = 0; row < on.length; row += 1) {
    const day = on[row] ?? 0
    while (at + 1 < days.length && (days[at + 1] ?? day) <= day) at += 1
    yearly[row] = rates[at] ?? NaN
  }
  return yearly
}

/**
 * What each observation is held against: the rate in force on its own day, as one that compounds to it over 252
 * observations, whatever number of days the observation covers.
 */
export function observationRates(riskFree: RiskFreeRates, on: Int32Array): Float64Array {
  const observed = yearlyRates(riskFree, on)
  // A root takes longer than all else there is to an observation, and rates stay for weeks.
  let [last, converted] = [NaN, NaN]
  for (let row = 0; row < observed.length; row += 1) {
    const rate = observed[row] ?? NaN
    if (rate !== last) [last, converted] = [rate, perObservation(rate)]
    observed[row] = converted
  }
  return observed
}

/** The mean of the yearly rates that observations are held against; without any the one in force on `otherwise`. */
export function meanRate(riskFree: RiskFreeRates, on: Int32Array, otherwise: EpochDay): number {
  if (riskFree.rates.length === 1) return riskFree.rates[0] ?? NaN
  return mean(yearlyRates(riskFree, on.length === 0 ? Int32Array.of(otherwise) : on))
}
