import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import { majorCurrencyOf } from '../../domain/market-data/instrument.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import { type CurrencyEffects, currencyEffectsOf } from '../../domain/portfolio/currency-effect.ts'
import { linkedGroups } from '../../domain/portfolio/linked-fold.ts'
import { foldLocally, type LocalBook } from '../../domain/portfolio/local-fold.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import type { Valuation } from '../../domain/portfolio/valuation.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type { Clock, LedgerFilter, PortfolioStore } from '../ports.ts'

type LocalBooks = ReadonlyMap<string, LocalBook>

/** Of a state nothing changes: what was folded for it serves each valuation of it. */
const folded = new WeakMap<PortfolioState, Map<string, Promise<LocalBooks>>>()

/** Entries that a write looks through for it, under its lock, at most. */
const WRITE_ENTRIES_MAX = 1_000

/**
 * What exchange rates made of a portfolio's result. Costs a look at the ledgers of the instruments in foreign
 * currencies, and of those that their units came from or went to, once a state; nothing where there are none. `filter`
 * is what the state was folded from.
 */
export async function currencyEffects(
  ports: {
    readonly clock: Clock
    readonly portfolios: PortfolioStore
    readonly quotes: QuoteSource
  },
  { state, filter }: { state: PortfolioState; filter: LedgerFilter },
  valuation: Valuation,
): Promise<CurrencyEffects> {
  const foreign = foreignInstruments(state, ports.quotes, valuation.positions)
  if (foreign.size === 0) return currencyEffectsOf(state, valuation, new Map())
  const known = folded.get(state) ?? new Map<string, Promise<LocalBooks>>()
  folded.set(state, known)
  const { effectiveUntil = ports.clock.now(), recordedUntil } = filter
  const due = dueActions(ports.quotes, effectiveUntil, recordedUntil)
  const books: LocalBooks[] = []
  for (const group of linkedGroups(new Set(foreign.keys()), due)) {
    const name = [...group].map((id) => `${id} ${foreign.get(id) ?? ''}`).join(' ')
    const folding =
      known.get(name) ??
      readLedgers(ports, state, { group, filter }).then((history) =>
        foldGroup(history, { state, foreign, due }),
      )
    known.set(name, folding)
    folding.catch(() => known.delete(name))
    books.push(await folding)
  }
  return currencyEffectsOf(state, valuation, joined(books))
}

/** The instruments whose ledgers {@link writtenEffects} needs; none where they are too long for a write. */
export function ledgersForEffects(
  state: PortfolioState,
  quotes: QuoteSource,
  due: DueActions,
): readonly string[] {
  const foreign = foreignInstruments(state, quotes, [])
  if (foreign.size === 0) return []
  const groups = linkedGroups(new Set(foreign.keys()), due)
  const needed = groups.flatMap((group) => Array.from(group)).filter((id) => state.books.has(id))
  let count = 0
  for (const instrumentId of needed) {
    for (const holding of state.books.get(instrumentId)?.values() ?? []) {
      count += holding.transactionCount
    }
  }
  return count > WRITE_ENTRIES_MAX ? [] : needed
}

/** The same of a state that is about to be; undefined where a ledger is not there. */
export function writtenEffects(
  state: PortfolioState,
  valuation: Valuation,
  {
    quotes,
    due,
    ledgerOf,
  }: {
    readonly quotes: QuoteSource
    readonly due: DueActions
    readonly ledgerOf: (instrumentId: string) => readonly LedgerEntry[] | undefined
  },
): CurrencyEffects | undefined {
  const foreign = foreignInstruments(state, quotes, valuation.positions)
  const books: LocalBooks[] = []
  for (const group of linkedGroups(new Set(foreign.keys()), due)) {
    const ledgers = [...group].map(ledgerOf)
    if (ledgers.includes(undefined)) return undefined
    const history = ledgers.flatMap((ledger) => ledger ?? [])
    books.push(foldGroup(history, { state, foreign, due }))
  }
  return currencyEffectsOf(state, valuation, joined(books))
}

function joined(books: readonly LocalBooks[]): LocalBooks {
  return new Map(books.flatMap((book) => [...book]))
}

async function readLedgers(
  { portfolios }: { readonly portfolios: PortfolioStore },
  { userId }: PortfolioState,
  { group, filter }: { readonly group: ReadonlySet<string>; readonly filter: LedgerFilter },
): Promise<readonly LedgerEntry[]> {
  const ledgers = await Promise.all(
    [...group].map((instrumentId) => portfolios.ledger(userId, { ...filter, instrumentId })),
  )
  return ledgers.flat()
}

/** The foreign ones; of the others those of which nothing can be told, since their units came from one. */
function foldGroup(
  history: readonly LedgerEntry[],
  {
    state: { settings },
    foreign,
    due,
  }: {
    readonly state: PortfolioState
    readonly foreign: ReadonlyMap<string, string>
    readonly due: DueActions
  },
): LocalBooks {
  const currencyOf = (instrumentId: string): string => foreign.get(instrumentId) ?? ''
  const books = foldLocally(history, { settings, currencyOf, due })
  return new Map([...books].filter(([id, book]) => foreign.has(id) || book === undefined))
}

/** Instruments that are, or were, traded in another currency than the base, by id. */
function foreignInstruments(
  { books, settings: { baseCurrency } }: PortfolioState,
  quotes: QuoteSource,
  positions: Valuation['positions'],
): ReadonlyMap<string, string> {
  const foreign = new Map<string, string>()
  for (const instrumentId of books.keys()) {
    const instrument = quotes.instruments?.get(instrumentId)
    const currency = instrument && majorCurrencyOf(instrument)
    const quoted = currency || (quotes.latest(instrumentId)?.currency ?? '')
    if (quoted !== '' && quoted !== baseCurrency) foreign.set(instrumentId, quoted)
  }
  // What an open position is valued in counts, wherever that is known from.
  for (const { holding, currency } of positions) {
    if (currency !== baseCurrency) foreign.set(holding.instrumentId, currency)
  }
  return foreign
}
