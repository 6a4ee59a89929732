import type { Instant } from '../time.ts'

/** The calendar day ("YYYY-MM-DD") on which an instant falls in a time zone (IANA name). */
export function dayOf(instant: Instant, timeZone: string): string {
  return formatOf(timeZone).format(Math.floor(instant / 1_000))
}

/**
 * The first day on which a sale is long-term: more than one year, counted from the day after the acquisition. What
 * is acquired on 29 February counts from 1 March.
 */
export function longTermOn(acquiredDay: string): string {
  const counted = new Date(Date.parse(`${acquiredDay}T00:00:00Z`) + DAY_MS)
  counted.setUTCFullYear(counted.getUTCFullYear() + 1)
  return counted.toISOString().slice(0, 10)
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Making a format costs a thousand times its use; there are some 600 zones. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
    formats.set(timeZone, format)
  }
  return format
}

/** True for a name that the time zone database knows. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/

/** True for a day that the calendar has, written "YYYY-MM-DD". */
export function isDay(text: string): boolean {
  return DAY.test(text) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text)
}

/** True for a day from 1700 on: before 1684 microseconds are no exact integers any more. */
export function isExactDay(text: string): boolean {
  return isDay(text) && text >= '1700-01-01'
}

/** Noon UTC of a day: the same day in nearly every zone, for dates that came without a time. */
export function noonOf(day: string): Instant {
  return Date.parse(`${day}T12:00:00Z`) * 1_000
}

/** The first instant of a day in a time zone: midnight, or where the clock skips it what comes instead. */
export function startOfDay(day: string, timeZone: string): Instant {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  let before = midnight - DAY_MS
  let start = midnight + DAY_MS
  while (start - before > 1) {
    const middle = Math.floor((before + start) / 2)
    if (dayOf(middle * 1_000, timeZone) < day) before = middle
    else start = middle
  }
  return start * 1_000
}

const DAY_MS = 86_400_000
