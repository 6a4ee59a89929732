import { Decimal, decimalText } from '../../../../src/domain/decimal.ts'
import type { Holding, Lot, LotMatch } from '../../../../src/domain/portfolio/holding.ts'
import type { PortfolioChange } from '../../../../src/domain/portfolio/portfolio-change.ts'
import type { PortfolioState } from '../../../../src/domain/portfolio/state.ts'

/** The same value with every decimal as its text and every map as its sorted entries. */
export function plain(value: unknown): unknown {
  if (Decimal.isDecimal(value)) return decimalText(value)
  if (value instanceof Map) {
    return [...(value as Map<string, unknown>)]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, plain(item)])
  }
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

type StoredMatch = PortfolioChange['matches'][number]

/** The tables a store keeps, changed by nothing but what each {@link PortfolioChange} names. */
export class StoredRows {
  readonly #holdings = new Map<string, Holding>()
  readonly #lots = new Map<string, Lot>()
  #matches: StoredMatch[] = []

  apply(change: PortfolioChange): void {
    for (const holding of change.holdings) {
      this.#holdings.set(`${holding.instrumentId} ${holding.accountId}`, holding)
    }
    for (const { instrumentId, lot } of change.closedLots) {
      if (!this.#lots.delete(lotKey(instrumentId, lot))) {
        throw new Error('a lot was closed that is not stored')
      }
    }
    for (const { instrumentId, lot } of change.lots) {
      this.#lots.set(lotKey(instrumentId, lot), lot)
    }
    for (const { instrumentId, from } of change.superseded) {
      this.#matches = this.#matches.filter(
        (row) => row.instrumentId !== instrumentId || row.match.disposedAt < from,
      )
    }
    this.#matches.push(...change.matches)
    const keys = this.#matches.map(({ match }) => `${match.disposalSequence} ${match.part}`)
    if (new Set(keys).size !== keys.length) throw new Error('two matches share one key')
  }

  matches(): readonly LotMatch[] {
    return this.#matches.map(({ match }) => match)
  }

  content(): unknown {
    return rowsOf(this.#holdings, this.#lots, this.matches())
  }
}

/** What the tables should hold for a state whose disposals made these matches. */
export function rowsOfState(state: PortfolioState, matches: readonly LotMatch[]): unknown {
  const holdings = new Map<string, Holding>()
  const lots = new Map<string, Lot>()
  for (const book of state.books.values()) {
    for (const holding of book.values()) {
      holdings.set(`${holding.instrumentId} ${holding.accountId}`, holding)
      for (const lot of holding.lots ?? []) lots.set(lotKey(holding.instrumentId, lot), lot)
    }
  }
  return rowsOf(holdings, lots, matches)
}

function rowsOf(
  holdings: ReadonlyMap<string, Holding>,
  lots: ReadonlyMap<string, Lot>,
  matches: readonly LotMatch[],
): unknown {
  const inOrder = matches.toSorted(
    (left, right) => left.disposalSequence - right.disposalSequence || left.part - right.part,
  )
  return plain({ holdings: withoutLots(holdings), lots, matches: inOrder })
}

function withoutLots(holdings: ReadonlyMap<string, Holding>): ReadonlyMap<string, Holding> {
  return new Map([...holdings].map(([key, holding]) => [key, { ...holding, lots: undefined }]))
}

function lotKey(
  instrumentId: string,
  { accountId, openedSequence, part }: Pick<Lot, 'accountId' | 'openedSequence' | 'part'>,
): string {
  return `${instrumentId} ${accountId} ${openedSequence} ${part}`
}
