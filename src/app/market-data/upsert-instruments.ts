import {
  type InstrumentDraft,
  neededFor,
  planUpsert,
  type UpsertPlan,
} from '../../domain/market-data/upsert-instruments.ts'
import { dayOf } from '../../domain/portfolio/calendar-day.ts'
import type { Clock, InstrumentStore, InstrumentTable } from '../ports.ts'
import { refreshInstruments } from './refresh-instruments.ts'

export type UpsertResult = Pick<UpsertPlan, 'created' | 'updated'>

/**
 * Adds and replaces instruments, all or none. This replica knows them when it answers, the others when they look next.
 * @throws PortfolioError SYMBOL_TAKEN, INSTRUMENT_INVALID.
 */
export async function upsertInstruments(
  ports: {
    readonly clock: Clock
    readonly instrumentStore: InstrumentStore
    readonly instruments: InstrumentTable
    readonly announce: () => void
  },
  drafts: readonly InstrumentDraft[],
): Promise<UpsertResult> {
  const today = dayOf(ports.clock.now(), 'UTC')
  const plan = await ports.instrumentStore.change(neededFor(drafts), (known) =>
    planUpsert(drafts, known, today),
  )
  await refreshInstruments(ports)
  ports.announce()
  return plan
}
