import { invalidRequest, type Violation } from '../errors.ts'
import { covers, type Instrument, overlaps } from './instrument.ts'

/** An instrument as it was sent; an empty id is to be found. */
export type InstrumentDraft = Instrument

export interface UpsertPlan {
  readonly instruments: readonly Instrument[]
  readonly created: number
  readonly updated: number
}

/** What {@link planUpsert} has to know: instruments with these ids, or with these symbols on any day. */
export function neededFor(drafts: readonly InstrumentDraft[]): {
  readonly instrumentIds: readonly string[]
  readonly symbols: readonly string[]
} {
  const symbols = new Set(drafts.flatMap((draft) => draft.symbols.map(({ symbol }) => symbol)))
  const ids = new Set(drafts.map((draft) => draft.instrumentId || draft.symbol))
  return { instrumentIds: [...ids], symbols: [...symbols] }
}

/**
 * Gives each draft its id: its own, else that of the instrument its symbol means on `today` ("YYYY-MM-DD"), else a
 * new one named after the symbol.
 * @throws PortfolioError SYMBOL_TAKEN where a symbol would mean two instruments on one day, INSTRUMENT_INVALID.
 */
export function planUpsert(
  drafts: readonly InstrumentDraft[],
  known: readonly Instrument[],
  today: string,
): UpsertPlan {
  const present = new Map(known.map((instrument) => [instrument.instrumentId, instrument]))
  const planned = new Map<string, Instrument>()
  const places = new Map<string, number>()
  const violations: Violation[] = []
  for (const [index, draft] of drafts.entries()) {
    const instrumentId = draft.instrumentId || ownerOf(draft.symbol, today, known) || draft.symbol
    const isRenamed =
      draft.instrumentId === '' && isAnother(present.get(instrumentId), draft.symbol, today)
    if (planned.has(instrumentId) || isRenamed) {
      const description = isRenamed
        ? `${instrumentId} is the id of another instrument: give this one an id of its own`
        : `${instrumentId} stands twice in the request`
      const field = `instruments[${index}].instrument_id`
      violations.push({ field, reason: 'INSTRUMENT_INVALID', description })
      continue
    }
    planned.set(instrumentId, { ...draft, instrumentId })
    places.set(instrumentId, index)
  }
  const all = [...new Map([...present, ...planned]).values()]
  for (const [instrumentId, instrument] of planned) {
    violations.push(...takenSymbols(instrument, all, places.get(instrumentId) ?? 0))
  }
  if (violations.length > 0) throw invalidRequest(violations)
  const instruments = [...planned.values()]
  const updated = instruments.filter(({ instrumentId }) => present.has(instrumentId)).length
  return { instruments, created: instruments.length - updated, updated }
}

function ownerOf(symbol: string, day: string, known: readonly Instrument[]): string | undefined {
  return known.find(({ symbols }) => symbols.some((span) => means(span, symbol, day)))?.instrumentId
}

function means(span: Instrument['symbols'][number], symbol: string, day: string): boolean {
  return span.symbol === symbol && covers(span, day)
}

/** True for an instrument that was named after the symbol once and has another one today. */
function isAnother(instrument: Instrument | undefined, symbol: string, day: string): boolean {
  return instrument !== undefined && !instrument.symbols.some((span) => means(span, symbol, day))
}

function takenSymbols(
  instrument: Instrument,
  all: readonly Instrument[],
  index: number,
): readonly Violation[] {
  const others = all.filter(({ instrumentId }) => instrumentId !== instrument.instrumentId)
  return instrument.symbols.flatMap((span): Violation[] => {
    const owner = others.find(({ symbols }) => symbols.some((other) => overlaps(span, other)))
    if (owner === undefined) return []
    const description = `${span.symbol} means ${owner.instrumentId} on some of these days`
    return [{ field: `instruments[${index}].symbol_history`, reason: 'SYMBOL_TAKEN', description }]
  })
}
