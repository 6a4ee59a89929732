import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import { majorCurrencyOf } from '../../domain/market-data/instrument.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import {
  type CurrencyEffects,
  currencyEffectsOf,
  foldLocally,
  type LocalBook,
} from '../../domain/portfolio/currency-effect.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { Valuation } from '../../domain/portfolio/valuation.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type { Clock, LedgerFilter, PortfolioStore } from '../ports.ts'

/** Of a state nothing changes: what was folded for it serves each valuation of it. */
const folded = new WeakMap<PortfolioState, Map<string, Promise<LocalBook>>>()

/**
 * What exchange rates made of a portfolio's result. Costs a look at the ledgers of the instruments in foreign
 * currencies, once a state; nothing where there are none. `filter` is what the state was folded from.
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
  const books = new Map<string, LocalBook>()
  const known = folded.get(state) ?? new Map<string, Promise<LocalBook>>()
  folded.set(state, known)
  const { effectiveUntil = ports.clock.now(), recordedUntil } = filter
  const due = dueActions(ports.quotes, effectiveUntil, recordedUntil)
  for (const [instrumentId, currency] of foreignInstruments(state, ports.quotes, valuation)) {
    if (movesBasis(due, instrumentId)) {
      books.set(instrumentId, undefined)
      continue
    }
    const name = `${instrumentId} ${currency}`
    const folding =
      known.get(name) ??
      ports.portfolios
        .ledger(state.userId, { ...filter, instrumentId })
        .then((history) => foldLocally(history, currency, state.settings, due))
    known.set(name, folding)
    folding.catch(() => known.delete(name))
    books.set(instrumentId, await folding)
  }
  return currencyEffectsOf(state, valuation, books)
}

/** Where an action moved or paid back a part of the cost, no one knows what that was in another currency. */
function movesBasis(due: DueActions, instrumentId: string): boolean {
  return due
    .ever(instrumentId)
    .some(({ terms }) =>
      terms.kind === 'CASH_DIVIDEND'
        ? terms.returnOfCapital
        : terms.kind === 'SPIN_OFF' || terms.kind === 'MERGER',
    )
}

/** Instruments that are, or were, traded in another currency than the base, by id. */
function foreignInstruments(
  { books, settings: { baseCurrency } }: PortfolioState,
  quotes: QuoteSource,
  { positions }: Valuation,
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
