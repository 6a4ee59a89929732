import type { InstrumentStore, InstrumentTable } from '../ports.ts'

/** Brings what any replica changed in reference data to this one's table. */
export async function refreshInstruments(ports: {
  readonly instrumentStore: InstrumentStore
  readonly instruments: InstrumentTable
}): Promise<void> {
  ports.instruments.publish(await ports.instrumentStore.readSince(ports.instruments.epoch))
}
