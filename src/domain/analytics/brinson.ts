import { rowGain } from './contribution.ts'
import type { NoFigure } from './figure.ts'
import { linkReturns } from './time-weighted.ts'
import type { PeriodValuations } from './valuation-series.ts'

/** An asset class on both sides; the arrays of the benchmark have one number for each row of the period. */
export interface ClassOfBoth {
  readonly portfolio: PeriodValuations
  /** Weight at the start of the row; 0 throughout where the benchmark does not have the class. */
  readonly benchmarkWeights: Float64Array
  /** Return of the row. */
  readonly benchmarkReturns: Float64Array
}

export interface ClassEffects {
  /** Of holding more or less of the class than the benchmark: (w - W) (b - B). */
  readonly allocation: number
  /** Of what was held inside the class: W (r - b). */
  readonly selection: number
  /** Of both together: (w - W) (r - b). */
  readonly interaction: number
}

export interface BrinsonAttribution {
  readonly status: 'OK' | NoFigure
  /** One for each class, in their order; all effects add up to the excess over the benchmark. */
  readonly classes: readonly ClassEffects[]
  /** Time-weighted return of the portfolio less the benchmark's. */
  readonly excessReturn: number
}

/**
 * Brinson attribution by asset class (Brinson, Hood and Beebower 1986, with the allocation effect of Brinson and
 * Fachler 1985), row by row. Rows are linked by GRAP (1997; Bacon, chapter 8): a row's effects grow with the
 * portfolio before it and with the benchmark after it, so that they add up to the excess without a remainder. A
 * class that only one side has earned that side's return; one without capital has no selection effect. NO_CAPITAL
 * when nothing was at work in some row: no class can explain what the benchmark earned meanwhile.
 */
export function brinsonAttribution(
  whole: PeriodValuations,
  classes: readonly ClassOfBoth[],
): BrinsonAttribution {
  const { growth, capital, status } = linkReturns(whole)
  const rows = benchmarkRows(classes, capital.length)
  const excessReturn = (growth.at(-1) ?? NaN) - rows.growthFrom(0)
  if (status !== 'OK') return { status, classes: [], excessReturn: NaN }
  if (capital.includes(0)) return { status: 'NO_CAPITAL', classes: [], excessReturn: NaN }
  const effects = classes.map((both) => {
    const total = { allocation: 0, selection: 0, interaction: 0 }
    let before = both.portfolio.startValue
    for (let row = 0; row < capital.length; row += 1) {
      const factor = (growth[row - 1] ?? 1) * rows.growthFrom(row + 1)
      const base = capital[row] ?? NaN
      const effect = rowEffects(both, { row, before, capital: base, benchmark: rows.returnOf(row) })
      total.allocation += effect.allocation * factor
      total.selection += effect.selection * factor
      total.interaction += effect.interaction * factor
      before = both.portfolio.values[row] ?? NaN
    }
    return total
  })
  const known = Number.isFinite(excessReturn) && effects.every(isKnown)
  return { status: known ? status : 'MISSING_VALUATION', classes: effects, excessReturn }
}

interface RowState {
  readonly row: number
  /** Value of the class before the row. */
  readonly before: number
  /** Capital of the whole portfolio in the row. */
  readonly capital: number
  /** Return of the whole benchmark in the row. */
  readonly benchmark: number
}

function rowEffects(
  both: ClassOfBoth,
  { row, before, capital, benchmark }: RowState,
): ClassEffects {
  const benchmarkWeight = both.benchmarkWeights[row] ?? NaN
  const own = before + (both.portfolio.inflows[row] ?? 0)
  const weight = own / capital
  const contribution = rowGain(both.portfolio, row, before) / capital
  const benchmarkReturn = benchmarkWeight === 0 ? benchmark : (both.benchmarkReturns[row] ?? NaN)
  const better = contribution - weight * benchmarkReturn
  const selection = weight === 0 ? 0 : (benchmarkWeight * better) / weight
  return {
    allocation: (weight - benchmarkWeight) * (benchmarkReturn - benchmark),
    selection,
    interaction: better - selection,
  }
}

function benchmarkRows(
  classes: readonly ClassOfBoth[],
  count: number,
): { returnOf: (row: number) => number; growthFrom: (row: number) => number } {
  const returns = new Float64Array(count)
  for (const { benchmarkWeights, benchmarkReturns } of classes) {
    for (let row = 0; row < count; row += 1) {
      const weight = benchmarkWeights[row] ?? NaN
      if (weight !== 0) returns[row] = (returns[row] ?? 0) + weight * (benchmarkReturns[row] ?? NaN)
    }
  }
  const growth = new Float64Array(count + 1).fill(1)
  for (let row = count - 1; row >= 0; row -= 1) {
    growth[row] = (growth[row + 1] ?? NaN) * (1 + (returns[row] ?? NaN))
  }
  return { returnOf: (row) => returns[row] ?? NaN, growthFrom: (row) => growth[row] ?? NaN }
}

function isKnown({ allocation, selection, interaction }: ClassEffects): boolean {
  return Number.isFinite(allocation + selection + interaction)
}
