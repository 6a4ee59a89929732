import type { Instrument } from '../../domain/market-data/instrument.ts'
import type { Clock, InstrumentTable } from '../ports.ts'

export interface ListInstrumentsQuery {
  /** As of today; empty = all. */
  readonly symbols: readonly string[]
  readonly size: number
  /** The id after which the page begins; empty = the first page. */
  readonly after: string
}

export interface InstrumentPage {
  readonly instruments: readonly Instrument[]
  /** Of the last one shown, when there are more. */
  readonly next: string | undefined
}

/** A page in order of instrument id: no instrument ever leaves, so no page shifts. */
export function listInstruments(
  ports: { readonly clock: Clock; readonly instruments: InstrumentTable },
  { symbols, size, after }: ListInstrumentsQuery,
): InstrumentPage {
  const { instruments, clock } = ports
  const asked = new Set(symbols.map((symbol) => instruments.resolve(symbol, clock.now())))
  const wanted = instruments
    .all()
    .filter((instrument) => symbols.length === 0 || asked.has(instrument))
    .filter(({ instrumentId }) => instrumentId > after)
  const shown = wanted.slice(0, size)
  return {
    instruments: shown,
    next: wanted.length > size ? shown.at(-1)?.instrumentId : undefined,
  }
}
