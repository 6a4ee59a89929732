const ITERATIONS_MAX = 200

/**
 * The root of a continuous function between two arguments at which it has different signs: Brent's method (Brent,
 * Algorithms for Minimization without Derivatives, 1973, zero), to the last bits of a double.
 */
export function brentRoot(value: (at: number) => number, from: number, to: number): number {
  let [a, b] = [from, to]
  let [atA, atB] = [value(a), value(b)]
  let [c, atC] = [a, atA]
  let step = b - a
  let stepBefore = step
  for (let iteration = 0; iteration < ITERATIONS_MAX && atB !== 0; iteration += 1) {
    if (atB > 0 === atC > 0) {
      ;[c, atC] = [a, atA]
      step = b - a
      stepBefore = step
    }
    if (Math.abs(atC) < Math.abs(atB)) {
      ;[a, b, c] = [b, c, b]
      ;[atA, atB, atC] = [atB, atC, atB]
    }
    const tolerance = 2 * Number.EPSILON * Math.abs(b) + Number.MIN_VALUE
    const half = (c - b) / 2
    if (Math.abs(half) <= tolerance) break
    const guess = interpolated([a, b, c], [atA, atB, atC])
    const usable =
      Math.abs(stepBefore) >= tolerance &&
      Math.abs(atA) > Math.abs(atB) &&
      Math.abs(guess) < Math.min(1.5 * Math.abs(half), Math.abs(stepBefore) / 2) &&
      guess > 0 === half > 0
    stepBefore = usable ? step : half
    step = usable ? guess : half
    ;[a, atA] = [b, atB]
    b += Math.abs(step) > tolerance ? step : Math.sign(half) * tolerance
    atB = value(b)
  }
  return b
}

type Triple = readonly [number, number, number]

/** The step from b by inverse quadratic interpolation, or by the secant where two of the points are one. */
function interpolated([a, b, c]: Triple, [atA, atB, atC]: Triple): number {
  const ratio = atB / atA
  if (a === c) return ((c - b) * ratio) / (ratio - 1)
  const [q, r] = [atA / atC, atB / atC]
  const numerator = ratio * ((c - b) * q * (q - r) - (b - a) * (r - 1))
  return numerator / -((q - 1) * (r - 1) * (ratio - 1))
}
