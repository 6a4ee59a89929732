import { covers, type Instrument, type SymbolSpan } from '../../domain/market-data/instrument.ts'
import { dayOf } from '../../domain/portfolio/calendar-day.ts'
import type { Instant } from '../../domain/time.ts'

type Meaning = SymbolSpan & { readonly instrumentId: string }

/** What symbols mean by day, and which instruments an ISIN or a FIGI names. */
export class SymbolIndex {
  readonly #meanings = new Map<string, readonly Meaning[]>()
  readonly #identifiers = new Map<string, Set<string>>()

  add({ instrumentId, symbols, isin, figi }: Instrument): void {
    for (const span of symbols) {
      const others = this.#meanings.get(span.symbol) ?? []
      this.#meanings.set(span.symbol, [...others, { ...span, instrumentId }])
    }
    for (const identifier of [isin, figi]) {
      if (identifier === '') continue
      const owners = this.#identifiers.get(identifier) ?? new Set()
      this.#identifiers.set(identifier, owners.add(instrumentId))
    }
  }

  forget({ instrumentId, symbols, isin, figi }: Instrument): void {
    for (const { symbol } of symbols) {
      const known = this.#meanings.get(symbol) ?? []
      const others = known.filter((one) => one.instrumentId !== instrumentId)
      this.#meanings.set(symbol, others)
    }
    for (const identifier of [isin, figi]) this.#identifiers.get(identifier)?.delete(instrumentId)
  }

  /** The id of the instrument that was meant at a moment. */
  find(symbol: string, at: Instant): string | undefined {
    const found = this.#meanings.get(symbol)
    return found === undefined ? this.#byIdentifier(symbol) : meaningAt(found, at)?.instrumentId
  }

  /** Of several listings of one security nobody guesses which is meant. */
  #byIdentifier(symbol: string): string | undefined {
    const owners = this.#identifiers.get(symbol)
    return owners?.size === 1 ? [...owners][0] : undefined
  }
}

function meaningAt(meanings: readonly Meaning[], at: Instant): Meaning | undefined {
  const [only] = meanings
  if (only === undefined) return undefined
  if (meanings.length === 1 && only.fromDay === '' && only.toDay === '') return only
  const day = dayOf(at, 'UTC')
  return meanings.find((meaning) => covers(meaning, day))
}
