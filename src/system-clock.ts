import type { Clock } from './app/ports.ts'

/**
 * The system's time in microseconds, of which no two calls are told the same and none an earlier one: two corrections
 * of one quote within a millisecond are two rows, and what was computed is never known as of the moment after.
 */
export function systemClock(): Clock {
  let last = 0
  return {
    now() {
      last = Math.max(Date.now() * 1_000, last + 1)
      return last
    },
    monotonicMs: () => performance.now(),
  }
}
