import { type Figure, figure } from './figure.ts'

/** A deviation below this part of the mean is rounding: equal numbers whose mean is no double. */
const VARIATION_MIN = 1e-12

export function mean(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

/** Mean of (value - mean)^power: a population moment, divided by n. */
export function centralMoment(values: Float64Array, power: 2 | 3 | 4): number {
  const centre = mean(values)
  let sum = 0
  for (const value of values) {
    const deviation = value - centre
    const square = deviation * deviation
    // A power costs ten times as much.
    sum += power === 2 ? square : power === 3 ? square * deviation : square * square
  }
  return sum / values.length
}

/** Standard deviation with n - 1; 0 where the values differ by no more than rounding. NaN for one value. */
export function sampleDeviation(values: Float64Array): number {
  const { length } = values
  const deviation = Math.sqrt((centralMoment(values, 2) * length) / (length - 1))
  return varies(deviation, mean(values)) ? deviation : 0
}

/** Whether a deviation is more than the rounding of its mean. */
export function varies(deviation: number, centre: number): boolean {
  return deviation > VARIATION_MIN * Math.abs(centre)
}

/** Population skewness m3 / m2^1.5 (Joanes and Gill 1998, g1). */
export function skewness(values: Float64Array): Figure {
  return standardized(values, (m2) => centralMoment(values, 3) / m2 ** 1.5)
}

/** Population kurtosis in excess of the normal distribution's: m4 / m2^2 - 3 (Joanes and Gill 1998, g2). */
export function excessKurtosis(values: Float64Array): Figure {
  return standardized(values, (m2) => centralMoment(values, 4) / m2 ** 2 - 3)
}

function standardized(values: Float64Array, ratio: (secondMoment: number) => number): Figure {
  if (values.length < 2) return { status: 'TOO_SHORT' }
  if (sampleDeviation(values) === 0) return { status: 'NO_VARIANCE' }
  return figure(ratio(centralMoment(values, 2)), 'NO_VARIANCE')
}
