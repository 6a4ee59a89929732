import { DayWalk } from './day-walk.ts'
import type { EpochDay } from './epoch-day.ts'
import type { CountedCharges, HeldAtEnd, ValuedDays, ValuedLedger } from './valued-ledger.ts'

/** Valued without asking whether to stop: some milliseconds for hundreds of holdings in foreign currencies. */
const STRETCH_DAYS_MAX = 366

/**
 * Values a portfolio at the close of each day on which something held has a quote or is converted at another rate, or
 * on which something happened, from the evening before `fromDay` to `toDay`. A holding without a quote so far is worth
 * its last trade's price (decision 36). `shouldStop` is asked on each day of entries and once a year between them;
 * undefined when it said so.
 */
export function valueDays(
  ledger: ValuedLedger,
  period: {
    readonly fromDay: EpochDay
    readonly toDay: EpochDay
    readonly counted: CountedCharges
    /** Days at whose end it is to be told what was held; the last is told in any case. */
    readonly heldOn?: ReadonlySet<EpochDay>
  },
  shouldStop: () => boolean,
): ValuedDays | undefined {
  const first = ledger.numbers.days[0] ?? period.toDay
  const start = Math.min(Math.max(first, period.fromDay - 1), period.toDay)
  const walk = new DayWalk(ledger, period.counted, { first: start, last: period.toDay })
  walk.skipToFirst()
  const asked = [...(period.heldOn ?? [])].toSorted((left, right) => left - right)
  const heldOn = new Map<EpochDay, HeldAtEnd>()
  for (let day = start; day <= period.toDay;) {
    if (shouldStop()) return undefined
    const limit = asked.find((each) => each >= day) ?? period.toDay
    const closed = walk.close(day, Math.min(limit, period.toDay, day + STRETCH_DAYS_MAX))
    if (closed === limit) heldOn.set(closed, walk.held())
    day = closed + 1
  }
  return { ...walk.series(), ...walk.held(), heldOn }
}
