import { type Figure, figure } from './figure.ts'

/** A deviation below this part of the mean is rounding: equal numbers whose mean is no double. */
const VARIATION_MIN = 1e-12

export function mean(values: Float64Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at += 1) sum += values[at] ?? NaN
  return sum / values.length
}

/** Mean of (value - mean)^power: a population moment, divided by n. */
export function centralMoment(
  values: Float64Array,
  power: 2 | 3 | 4,
  centre = mean(values),
): number {
  let sum = 0
  for (let at = 0; at < values.length; at += 1) {
    const deviation = (values[at] ?? NaN) - centre
    const square = deviation * deviation
    // A power costs ten times as much.
    sum += power === 2 ? square : power === 3 ? square * deviation : square * square
  }
  return sum / values.length
}

/** Standard deviation with n - 1; 0 where the values differ by no more than rounding. NaN for one value. */
export function sampleDeviation(values: Float64Array): number {
  const centre = mean(values)
  return deviationOf(values, { centre, secondMoment: centralMoment(values, 2, centre) })
}

/** Whether a deviation is more than the rounding of its mean. */
export function varies(deviation: number, centre: number): boolean {
  return deviation > VARIATION_MIN * Math.abs(centre)
}

/** Population skewness m3 / m2^1.5 (Joanes and Gill 1998, g1). */
export function skewness(values: Float64Array): Figure {
  return standardized(values, 3, (m3, m2) => m3 / (m2 * Math.sqrt(m2)))
}

/** Population kurtosis in excess of the normal distribution's: m4 / m2^2 - 3 (Joanes and Gill 1998, g2). */
export function excessKurtosis(values: Float64Array): Figure {
  return standardized(values, 4, (m4, m2) => m4 / (m2 * m2) - 3)
}

function standardized(
  values: Float64Array,
  power: 3 | 4,
  ratio: (moment: number, secondMoment: number) => number,
): Figure {
  if (values.length < 2) return { status: 'TOO_SHORT' }
  const centre = mean(values)
  const secondMoment = centralMoment(values, 2, centre)
  if (deviationOf(values, { centre, secondMoment }) === 0) return { status: 'NO_VARIANCE' }
  return figure(ratio(centralMoment(values, power, centre), secondMoment), 'NO_VARIANCE')
}

function deviationOf(
  { length }: Float64Array,
  { centre, secondMoment }: { readonly centre: number; readonly secondMoment: number },
): number {
  const deviation = Math.sqrt((secondMoment * length) / (length - 1))
  return varies(deviation, centre) ? deviation : 0
}
