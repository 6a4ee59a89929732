import { DayWalk } from './day-walk.ts'
import type { EpochDay } from './epoch-day.ts'
import { NO_MOMENTS } from './flow-moments.ts'
import type { CountedCharges, HeldAtEnd, ValuedDays, ValuedLedger } from './valued-ledger.ts'

/**
 * Values a portfolio at the close of each day on which something held has a quote or is converted at another rate, or
 * on which something happened, from the evening before `fromDay` to `toDay`. A holding without a quote so far is worth
 * its last trade's price (decision 36). `shouldStop` is asked once a day; undefined when it said so.
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
  const { instants } = ledger.moments ?? NO_MOMENTS
  const size = Math.max(period.toDay - start + 1, 1) + instants.length
  const walk = new DayWalk(ledger, period.counted, size)
  walk.skipUntil(start)
  const heldOn = new Map<EpochDay, HeldAtEnd>()
  for (let day = start; day <= period.toDay; day += 1) {
    if (shouldStop()) return undefined
    walk.close(day, day === start || day === period.toDay)
    if (period.heldOn?.has(day) === true) heldOn.set(day, walk.held())
  }
  return { ...walk.series(), ...walk.held(), heldOn }
}
