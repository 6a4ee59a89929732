import { dayOf } from '../portfolio/calendar-day.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../time.ts'

/** A calendar day as whole days since 1970-01-01: differences are days, and a typed array holds many of them. */
export type EpochDay = number

const MILLISECONDS_PER_DAY = 86_400_000

/** The number of a day written "YYYY-MM-DD". */
export function epochDay(day: string): EpochDay {
  return Date.parse(`${day}T00:00:00Z`) / MILLISECONDS_PER_DAY
}

/** The day on which an instant falls in a time zone (IANA name). */
export function dayNumberOf(instant: Instant, timeZone: string): EpochDay {
  return timeZone === 'UTC'
    ? Math.floor(instant / MICROSECONDS_PER_DAY)
    : epochDay(dayOf(instant, timeZone))
}

/** "YYYY-MM-DD" of a numbered day. */
export function dayText(day: EpochDay): string {
  return new Date(day * MILLISECONDS_PER_DAY).toISOString().slice(0, 10)
}

export type Interval = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR'

/** 1970-01-01 was a Thursday, ISO 8601 weeks start on Monday. */
const THURSDAY_FROM_MONDAY = 3

/** Numbers the ISO week, calendar month, quarter or year that a day is in: equal within one, growing from one to the next. */
export function intervalNumber(day: EpochDay, interval: Interval): number {
  if (interval === 'DAY') return day
  if (interval === 'WEEK') return Math.floor((day + THURSDAY_FROM_MONDAY) / 7)
  const date = new Date(day * MILLISECONDS_PER_DAY)
  if (interval === 'YEAR') return date.getUTCFullYear()
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth()
  return interval === 'MONTH' ? month : Math.floor(month / 3)
}
