import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { FUTURE_MAX_MICROSECONDS, type Instant, MICROSECONDS_PER_SECOND } from '../domain/time.ts'

/** 1700-01-01: before 1684 microseconds are no exact integers any more. */
const SECONDS_MIN = -8_520_336_000n
/** 9999-12-31, the latest. */
const SECONDS_MAX = 253_402_300_799n

/** The instant a message names, nanoseconds cut off; "out of range" is also more than 24 hours ahead of `now`. */
export function instantOf(timestamp: Timestamp, now: Instant): Instant | 'out of range' {
  const { seconds, nanos } = timestamp
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) return 'out of range'
  if (nanos < 0 || nanos > 999_999_999) return 'out of range'
  const instant = Number(seconds) * MICROSECONDS_PER_SECOND + Math.floor(nanos / 1_000)
  return instant <= now + FUTURE_MAX_MICROSECONDS ? instant : 'out of range'
}

export function timestampOf(instant: Instant): MessageInitShape<typeof TimestampSchema> {
  const seconds = Math.floor(instant / MICROSECONDS_PER_SECOND)
  const nanos = (instant - seconds * MICROSECONDS_PER_SECOND) * 1_000
  return { seconds: BigInt(seconds), nanos }
}
