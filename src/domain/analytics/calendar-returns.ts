import { intervalNumber } from './epoch-day.ts'
import type { SeriesPoint } from './resample.ts'

/** The time-weighted return of one calendar month or year, cut by the period at its ends. */
export interface CalendarReturn {
  /** Absent when it cannot be known. */
  readonly value: number | undefined
}

export interface CalendarYear {
  readonly year: number
  /** January first; absent = the period has no day of it. */
  readonly months: readonly (CalendarReturn | undefined)[]
  readonly whole: CalendarReturn
}

const MONTHS_PER_YEAR = 12

/** The returns of calendar months and years, compounded from points that are in order of day; years ascending. */
export function calendarReturns(points: readonly SeriesPoint[]): CalendarYear[] {
  const months = new Map<number, number>()
  const years = new Map<number, number>()
  for (const { day, periodReturn = NaN } of points) {
    const month = intervalNumber(day, 'MONTH')
    compound(months, month, periodReturn)
    compound(years, Math.floor(month / MONTHS_PER_YEAR), periodReturn)
  }
  return [...years].map(([year, growth]) => ({
    year,
    whole: returnOf(growth),
    months: Array.from({ length: MONTHS_PER_YEAR }, (_, month) => {
      const grown = months.get(year * MONTHS_PER_YEAR + month)
      return grown === undefined ? undefined : returnOf(grown)
    }),
  }))
}

function compound(growths: Map<number, number>, key: number, periodReturn: number): void {
  growths.set(key, (growths.get(key) ?? 1) * (1 + periodReturn))
}

function returnOf(growth: number): CalendarReturn {
  return { value: Number.isNaN(growth) ? undefined : growth - 1 }
}
