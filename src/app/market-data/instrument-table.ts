import { type Instrument, symbolOn } from '../../domain/market-data/instrument.ts'
import type { InstrumentTable } from '../ports.ts'
import { SymbolIndex } from './symbol-index.ts'

/** An empty table. It knows what it was told last; older news are no news. */
export function createInstrumentTable(): InstrumentTable {
  const instruments = new Map<string, Instrument>()
  const index = new SymbolIndex()
  const followers = new Set<(changed: readonly Instrument[]) => void>()
  /** Those that had, have or will have more than one symbol. */
  const dated = new Set<string>()
  let newsEpoch = 0
  let beginnings = 0
  let today = ''

  function add(instrument: Instrument): void {
    const { instrumentId, symbols } = instrument
    instruments.set(instrumentId, instrument)
    if (symbols.length > 1) dated.add(instrumentId)
    index.add(instrument)
  }

  return {
    get epoch() {
      return newsEpoch + beginnings
    },
    get newsEpoch() {
      return newsEpoch
    },
    get: (instrumentId) => instruments.get(instrumentId),
    resolve(symbol, at) {
      // Most installations describe few instruments: nothing to do is done at once.
      if (instruments.size === 0) return undefined
      const instrumentId = index.find(symbol, at)
      return instrumentId === undefined ? undefined : instruments.get(instrumentId)
    },
    all: () =>
      [...instruments.values()].toSorted((left, right) =>
        left.instrumentId < right.instrumentId ? -1 : 1,
      ),
    publish(news) {
      if (news.epoch <= newsEpoch) return
      newsEpoch = news.epoch
      today = ''
      // All are forgotten first: a symbol may pass from one to another.
      for (const { instrumentId } of news.instruments) {
        const known = instruments.get(instrumentId)
        if (known !== undefined) index.forget(known)
      }
      for (const instrument of news.instruments) add(instrument)
      for (const tell of followers) tell(news.instruments)
    },
    begin(day) {
      if (day === today) return
      today = day
      const renamed: Instrument[] = []
      for (const instrumentId of dated) {
        const known = instruments.get(instrumentId)
        const symbol = known && symbolOn(known, day)
        if (known === undefined || symbol === undefined || symbol === known.symbol) continue
        renamed.push({ ...known, symbol })
      }
      if (renamed.length === 0) return
      beginnings += 1
      for (const instrument of renamed) instruments.set(instrument.instrumentId, instrument)
      for (const tell of followers) tell(renamed)
    },
    follow: (listener) => void followers.add(listener),
  }
}
