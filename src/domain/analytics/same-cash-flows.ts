import type { Figure, ReturnFigure } from './figure.ts'
import { figure } from './figure.ts'
import { moneyWeightedReturn } from './money-weighted.ts'
import type { PeriodValuations } from './valuation-series.ts'

/** The level of a benchmark at the period's start value and at each of its rows. */
export interface BenchmarkLevels {
  readonly start: number
  readonly rows: Float64Array
}

export interface SameCashFlows {
  /** SHORT_BENCHMARK when more was taken out than the benchmark would ever have held. */
  readonly endValue: Figure
  /** What the portfolio has more. */
  readonly difference: Figure
  readonly moneyWeighted: ReturnFigure
  /** Above 1: the portfolio did better. Known also where `endValue` is not. */
  readonly publicMarketEquivalent: Figure
}

/**
 * What the same money, moved on the same days, would be worth in a benchmark (Long and Nickels 1996, worked case
 * V7): the start value and each inflow buy it, each outflow sells it. A row's inflow, which counts from the row's
 * start, is priced like its outflow at the row's level: the close of its day, or the moment of an exact split.
 * Beside it the equivalent of Kaplan and Schoar 2005: outflows and end value over start value and inflows, all
 * grown by the benchmark to the end.
 */
export function sameCashFlows(period: PeriodValuations, levels: BenchmarkLevels): SameCashFlows {
  const start = period.startValue === 0 ? 0 : period.startValue / levels.start
  const bought = { units: start, paid: start, received: 0 }
  let short = bought.units < 0
  for (let row = 0; row < period.days.length; row += 1) {
    const inflow = flowUnits(period.inflows, levels, row)
    const outflow = flowUnits(period.outflows, levels, row)
    bought.paid += inflow
    bought.received += outflow
    bought.units += inflow - outflow
    short ||= bought.units < -UNITS_ROUNDING * bought.paid
  }
  return outcome(period, levels.rows.at(-1) ?? levels.start, { ...bought, short })
}

/** Selling all of what was bought in parts leaves this much of it by rounding. */
const UNITS_ROUNDING = 1e-12

function flowUnits(flows: Float64Array, levels: BenchmarkLevels, row: number): number {
  const flow = flows[row] ?? 0
  return flow === 0 ? 0 : flow / (levels.rows[row] ?? NaN)
}

function outcome(
  period: PeriodValuations,
  level: number,
  held: { units: number; paid: number; received: number; short: boolean },
): SameCashFlows {
  const end = period.values.at(-1) ?? period.startValue
  const publicMarketEquivalent = figure(
    (held.received * level + end) / (held.paid * level),
    'NO_CAPITAL',
  )
  if (held.short) {
    const refused = { status: 'SHORT_BENCHMARK' } as const
    const [endValue, difference, moneyWeighted] = [refused, refused, refused]
    return { endValue, difference, moneyWeighted, publicMarketEquivalent }
  }
  const worth = Math.max(held.units, 0) * level
  const values = period.values.slice()
  if (values.length > 0) values[values.length - 1] = worth
  return {
    endValue: figure(worth, 'MISSING_VALUATION'),
    difference: figure(end - worth, 'MISSING_VALUATION'),
    moneyWeighted: moneyWeightedReturn({ ...period, values }),
    publicMarketEquivalent,
  }
}
