import type { ValuedLedger } from '../../domain/analytics/valued-ledger.ts'
import type { JobPeriod } from '../../domain/analytics/analyze-job.ts'

/** A thread is free for others again after so long (architecture). */
const CHUNK_MS_MAX = 25
/** Entries that one statement reads: small portfolios do not wait for large ones. */
const ENTRIES_PER_READ = 2_000

/** Milliseconds on one thread, as measured, of an entry, of a holding's day and of a day. */
const ENTRY_MS = 0.000_2
const HOLDING_DAY_MS = 0.000_02
const DAY_MS = 0.000_3
const JOB_MS = 0.05

export interface Priced<Work> {
  readonly work: Work
  readonly costMs: number
}

/** About how long a job takes. */
export function costMs(job: { readonly ledger: ValuedLedger; readonly period: JobPeriod }): number {
  const { numbers, priceRows } = job.ledger
  const first = numbers.days[0] ?? job.period.toDay
  const dayCount = Math.max(job.period.toDay - Math.max(job.period.fromDay ?? first, first) + 1, 0)
  return (
    JOB_MS +
    numbers.days.length * ENTRY_MS +
    dayCount * (DAY_MS + priceRows.length * HOLDING_DAY_MS)
  )
}

/** Work in chunks that a thread does in one go; what is larger than a chunk is apart. */
export function inChunks<Work>(priced: readonly Priced<Work>[]): {
  readonly chunks: readonly (readonly Work[])[]
  readonly large: readonly Priced<Work>[]
} {
  const chunks: Work[][] = []
  const large: Priced<Work>[] = []
  let room = 0
  for (const each of priced.toSorted((left, right) => left.costMs - right.costMs)) {
    if (each.costMs > CHUNK_MS_MAX) {
      large.push(each)
      continue
    }
    if (each.costMs > room) {
      chunks.push([])
      room = CHUNK_MS_MAX
    }
    chunks.at(-1)?.push(each.work)
    room -= each.costMs
  }
  return { chunks, large }
}

/** Users in groups that one statement each reads, those with the shortest ledgers first. */
export function readingOrder(
  users: readonly { readonly userId: string; readonly entryCount: number }[],
): readonly (readonly string[])[] {
  const groups: string[][] = []
  let room = 0
  for (const { userId, entryCount } of users.toSorted((a, b) => a.entryCount - b.entryCount)) {
    if (entryCount > room) {
      groups.push([])
      room = ENTRIES_PER_READ
    }
    groups.at(-1)?.push(userId)
    room -= entryCount
  }
  return groups
}
