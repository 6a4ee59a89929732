/** A point in time as whole microseconds since the Unix epoch, UTC: exact in a double until the year 2255. */
export type Instant = number

export const MICROSECONDS_PER_SECOND = 1_000_000
export const MICROSECONDS_PER_DAY = 86_400 * MICROSECONDS_PER_SECOND

/** A trade may be dated at most this far ahead of the server: any time zone's "today" passes (decision 8). */
export const FUTURE_MAX_MICROSECONDS = 24 * 3_600 * MICROSECONDS_PER_SECOND

/**
 * Reads the specification's int64 `timestamp` by its magnitude (decision 13): below 1e11 seconds, below 1e14
 * milliseconds, below 1e17 microseconds, else nanoseconds. Undefined when it is negative.
 */
export function instantOfTimestamp(timestamp: bigint): Instant | undefined {
  if (timestamp < 0n) return undefined
  if (timestamp < 100_000_000_000n) return Number(timestamp) * MICROSECONDS_PER_SECOND
  if (timestamp < 100_000_000_000_000n) return Number(timestamp) * 1_000
  if (timestamp < 100_000_000_000_000_000n) return Number(timestamp)
  return Number(timestamp / 1_000n)
}

/** RFC 3339 in UTC with microseconds when there are any: "2023-11-14T22:13:20Z". */
export function rfc3339(instant: Instant): string {
  const seconds = Math.floor(instant / MICROSECONDS_PER_SECOND)
  const fraction = instant - seconds * MICROSECONDS_PER_SECOND
  const day = Math.floor(seconds / SECONDS_PER_DAY)
  if (day !== lastDay) {
    lastDayText = new Date(day * SECONDS_PER_DAY * 1_000).toISOString().slice(0, -MIDNIGHT.length)
    lastDay = day
  }
  const rest = seconds - day * SECONDS_PER_DAY
  const hour = Math.floor(rest / 3_600)
  const minute = Math.floor(rest / 60) - hour * 60
  const whole = `${lastDayText}T${twoDigits(hour)}:${twoDigits(minute)}:${twoDigits(rest % 60)}`
  return fraction === 0 ? `${whole}Z` : `${whole}.${String(fraction).padStart(6, '0')}Z`
}

const SECONDS_PER_DAY = 86_400
const MIDNIGHT = 'T00:00:00.000Z'
/** Nearly all texts of a process name one day: it is the costly part. */
let lastDay = Number.NaN
let lastDayText = ''

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}
