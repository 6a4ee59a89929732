import { DAYS_PER_YEAR, returnFigure } from './annualize.ts'
import type { EpochDay } from './epoch-day.ts'
import type { ReturnFigure } from './figure.ts'
import { type DatedAmount, logRates } from './rate-of-return.ts'
import { dayCount, type PeriodValuations } from './valuation-series.ts'

/**
 * The money-weighted return (XIRR, actual/365): the one annual rate at which what was put in is worth what was
 * taken out and what is left. Each flow stands on its calendar day, the start value on the day before the period,
 * the end value on its last day. `cumulative` = (1 + annual rate)^(days / 365) - 1. All lost is -1; several rates
 * are MULTIPLE_SOLUTIONS with all of them, none is NO_SOLUTION, and all on one day is TOO_SHORT. Where money came out
 * before any was put in, the one rate is what that costs as a loan, high where much was lost: NO_CAPITAL.
 */
export function moneyWeightedReturn(period: PeriodValuations): ReturnFigure {
  const amounts = amountsOf(period)
  if (period.values.length === 0) return { status: 'TOO_SHORT' }
  if (amounts.some(({ amount }) => Number.isNaN(amount))) return { status: 'MISSING_VALUATION' }
  return solved(amounts, dayCount(period))
}

function amountsOf(period: PeriodValuations): DatedAmount[] {
  const amounts = [{ day: period.startDay - 1, amount: -period.startValue }]
  for (let row = 0; row < period.days.length; row += 1) {
    const amount = (period.outflows[row] ?? 0) - (period.inflows[row] ?? 0)
    if (amount !== 0) amounts.push({ day: period.days[row] ?? period.endDay, amount })
  }
  amounts.push({ day: period.endDay, amount: period.values.at(-1) ?? NaN })
  return amounts
}

function solved(amounts: readonly DatedAmount[], days: number): ReturnFigure {
  const moved = amounts.filter(({ amount }) => amount !== 0)
  const first = moved[0]
  if (first === undefined || moved.every(({ amount }) => amount > 0))
    return { status: 'NO_CAPITAL' }
  if (moved.every(({ amount }) => amount < 0)) return returnFigure(-1, days)
  if (moved.every(({ day }) => day === first.day)) return { status: 'TOO_SHORT' }
  const rates = logRates(amounts)
  const [rate] = rates
  if (rates.length > 1) return { status: 'MULTIPLE_SOLUTIONS', roots: rates.map(Math.expm1) }
  if (rate === undefined) return { status: 'NO_SOLUTION' }
  if (isLoan(moved)) return { status: 'NO_CAPITAL' }
  return returnFigure(Math.expm1((rate * days) / DAYS_PER_YEAR), days)
}

/** The first day on which something moved on balance took money out. */
function isLoan(moved: readonly DatedAmount[]): boolean {
  const byDay = new Map<EpochDay, number>()
  for (const { day, amount } of moved) byDay.set(day, (byDay.get(day) ?? 0) + amount)
  return ([...byDay.values()].find((amount) => amount !== 0) ?? 0) > 0
}
