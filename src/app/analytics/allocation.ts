import type { EndHoldings } from '../../domain/analytics/analyze-job.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import type { InstrumentSource } from '../../domain/market-data/instrument.ts'
import { CASH_GROUP, classOf } from './valued-ledger.ts'

export interface AllocationShare {
  readonly dimension: 'asset_class'
  readonly key: string
  readonly value: number
  /** Of the value of everything that has one. */
  readonly weight: number
}

/** What is held by asset class; what has no value is left out. */
export function allocationOf(
  end: EndHoldings,
  { instrumentIds }: PackedLedger,
  instruments: InstrumentSource,
): readonly AllocationShare[] {
  const classes = new Map<string, number>()
  for (const [part, instrumentId] of instrumentIds.entries()) {
    const value = end.values[part] ?? NaN
    add(classes, classOf(instruments, instrumentId), value)
  }
  add(classes, CASH_GROUP, end.cash)
  const total = [...classes.values()].reduce((sum, value) => sum + value, 0)
  return [...classes]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => ({
      dimension: 'asset_class',
      key,
      value,
      weight: total === 0 ? 0 : value / total,
    }))
}

function add(sums: Map<string, number>, key: string, value: number): void {
  if (value !== 0 && !Number.isNaN(value)) sums.set(key, (sums.get(key) ?? 0) + value)
}
