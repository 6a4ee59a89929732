import type { Quote, QuoteSource } from '../../domain/market-data/quote.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { Instant } from '../../domain/time.ts'
import type { QuoteStore } from '../ports.ts'

/** The quotes that value a portfolio as of a moment: its instruments', then the rates their currencies need. */
export async function quotesAsOf(
  store: QuoteStore,
  state: PortfolioState,
  when: {
    readonly at: Instant
    readonly recordedUntil: Instant | undefined
    readonly reportingCurrency: string | undefined
  },
): Promise<QuoteSource> {
  const prices = await store.readAsOf([...state.books.keys()], when.at, when.recordedUntil)
  const { baseCurrency } = state.settings
  const pairs = new Set<string>()
  const priced = prices.map((quote) => quote.currency)
  for (const currency of [...priced, ...state.cash.balances.keys(), when.reportingCurrency]) {
    if (currency === undefined || currency === '' || currency === baseCurrency) continue
    pairs.add(`${currency}/${baseCurrency}`).add(`${baseCurrency}/${currency}`)
  }
  const rates =
    pairs.size === 0 ? [] : await store.readAsOf([...pairs], when.at, when.recordedUntil)
  const quotes = new Map<string, Quote>()
  for (const quote of [...prices, ...rates]) quotes.set(quote.instrumentId, quote)
  return { latest: (instrumentId) => quotes.get(instrumentId) }
}
