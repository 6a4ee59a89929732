import { NET_OF_FEES } from './analyze-job.ts'
import { valueDays } from './daily-values.ts'
import type { EpochDay } from './epoch-day.ts'
import { isUntold, rowStatus } from './time-weighted.ts'
import type { ValuedLedger } from './valued-ledger.ts'

/** Values the days of a portfolio that are to be kept. */
export interface HistoryJob {
  readonly kind: 'history'
  readonly ledger: ValuedLedger
  /** Both included; undefined = since inception. */
  readonly fromDay: EpochDay | undefined
  readonly toDay: EpochDay
  /** What the first row grows from; NaN = it is unknown. */
  readonly valueBefore: number
}

/** Arrays of one length, a row for each valued day; NaN = it cannot be known. */
export interface HistoryRows {
  readonly days: Int32Array
  readonly values: Float64Array
  /** From outside on that day, and to outside, both >= 0. */
  readonly inflows: Float64Array
  readonly outflows: Float64Array
  /** What one unit of money became since the row before: 1 plus the time-weighted return, net of fees. */
  readonly growths: Float64Array
  /** 1 where something held has a quote of that day. */
  readonly observed: Uint8Array
}

/**
 * The rows that a series since inception has on these days, however much of it is made at once: a row depends on the
 * days before by `valueBefore` alone. Linking `growths` gives that series' returns. Undefined when `shouldStop` said so.
 */
export function keepDays(job: HistoryJob, shouldStop: () => boolean): HistoryRows | undefined {
  const { ledger, toDay } = job
  const fromDay = job.fromDay ?? ledger.numbers.days[0] ?? toDay
  // The first and the last row are there in any case: they are the days before and after.
  const period = { fromDay, toDay: toDay + 1, counted: NET_OF_FEES }
  const valued = valueDays(ledger, period, shouldStop)
  if (valued === undefined) return undefined
  const { whole } = valued
  const isWithin = (day: EpochDay): boolean => day >= fromDay && day <= toDay
  const from = Math.max(whole.days.findIndex(isWithin), 0)
  const to = from + whole.days.subarray(from).filter(isWithin).length
  const rows = {
    days: whole.days.slice(from, to),
    values: whole.values.slice(from, to),
    inflows: whole.inflows.slice(from, to),
    outflows: whole.outflows.slice(from, to),
    observed: whole.observed.slice(from, to),
  }
  return { ...rows, growths: growthsOf(rows, job.valueBefore) }
}

function growthsOf(rows: Omit<HistoryRows, 'growths'>, valueBefore: number): Float64Array {
  let before = valueBefore
  return rows.values.map((value, row) => {
    if (isUntold(rows, row)) return NaN
    const base = before + (rows.inflows[row] ?? 0)
    const end = value + (rows.outflows[row] ?? 0)
    before = value
    if (rowStatus(base, end) !== 'OK') return NaN
    return base === 0 ? 1 : end / base
  })
}
