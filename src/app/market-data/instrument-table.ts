import { dayOf } from '../../domain/portfolio/calendar-day.ts'
import { covers, type Instrument, type SymbolSpan } from '../../domain/market-data/instrument.ts'
import type { Instant } from '../../domain/time.ts'
import type { InstrumentTable } from '../ports.ts'

type Meaning = SymbolSpan & { readonly instrumentId: string }

/** An empty table. It knows what it was told last; older news are no news. */
export function createInstrumentTable(): InstrumentTable {
  const instruments = new Map<string, Instrument>()
  const meanings = new Map<string, readonly Meaning[]>()
  const identifiers = new Map<string, Set<string>>()
  const followers = new Set<(changed: readonly Instrument[]) => void>()
  let epoch = 0

  function forget({ instrumentId, symbols, isin, figi }: Instrument): void {
    for (const { symbol } of symbols) {
      const others = (meanings.get(symbol) ?? []).filter((one) => one.instrumentId !== instrumentId)
      meanings.set(symbol, others)
    }
    for (const identifier of [isin, figi]) identifiers.get(identifier)?.delete(instrumentId)
  }

  function add(instrument: Instrument): void {
    const { instrumentId } = instrument
    instruments.set(instrumentId, instrument)
    for (const span of instrument.symbols) {
      const others = meanings.get(span.symbol) ?? []
      meanings.set(span.symbol, [...others, { ...span, instrumentId }])
    }
    for (const identifier of [instrument.isin, instrument.figi]) {
      if (identifier === '') continue
      const owners = identifiers.get(identifier) ?? new Set()
      identifiers.set(identifier, owners.add(instrumentId))
    }
  }

  /** Of several listings of one security nobody guesses which is meant. */
  function byIdentifier(symbol: string): string | undefined {
    const owners = identifiers.get(symbol)
    return owners?.size === 1 ? [...owners][0] : undefined
  }

  return {
    get epoch() {
      return epoch
    },
    get: (instrumentId) => instruments.get(instrumentId),
    resolve(symbol, at) {
      // Most installations describe few instruments: nothing to do is done at once.
      if (instruments.size === 0) return undefined
      const found = meanings.get(symbol)
      const instrumentId =
        found === undefined ? byIdentifier(symbol) : meaningAt(found, at)?.instrumentId
      return instrumentId === undefined ? undefined : instruments.get(instrumentId)
    },
    all: () =>
      [...instruments.values()].toSorted((left, right) =>
        left.instrumentId < right.instrumentId ? -1 : 1,
      ),
    publish(news) {
      if (news.epoch <= epoch) return
      epoch = news.epoch
      // All are forgotten first: a symbol may pass from one to another.
      for (const { instrumentId } of news.instruments) {
        const known = instruments.get(instrumentId)
        if (known !== undefined) forget(known)
      }
      for (const instrument of news.instruments) add(instrument)
      for (const tell of followers) tell(news.instruments)
    },
    follow: (listener) => void followers.add(listener),
  }
}

function meaningAt(meanings: readonly Meaning[], at: Instant): Meaning | undefined {
  const [only] = meanings
  if (only === undefined) return undefined
  if (meanings.length === 1 && only.fromDay === '' && only.toDay === '') return only
  const day = dayOf(at, 'UTC')
  return meanings.find((meaning) => covers(meaning, day))
}
