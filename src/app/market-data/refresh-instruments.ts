import { dayOf } from '../../domain/portfolio/calendar-day.ts'
import type { Clock, InstrumentStore, InstrumentTable } from '../ports.ts'

/** Brings what any replica changed in reference data to this one's table, and the symbols that begin today. */
export async function refreshInstruments(ports: {
  readonly clock: Pick<Clock, 'now'>
  readonly instrumentStore: InstrumentStore
  readonly instruments: InstrumentTable
}): Promise<void> {
  const { instruments } = ports
  instruments.publish(await ports.instrumentStore.readSince(instruments.newsEpoch))
  instruments.begin(dayOf(ports.clock.now(), 'UTC'))
}
