import { constantQuote, effectiveQuote } from '../../domain/market-data/effective-quote.ts'
import { pairedQuote } from '../../domain/market-data/paired-quote.ts'
import {
  type EffectiveQuote,
  pairsBetween,
  type Quote,
  type QuoteSource,
} from '../../domain/market-data/quote.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { Instant } from '../../domain/time.ts'
import type { QuoteStore } from '../ports.ts'
import { knownActions } from './due-actions.ts'
import { splitSuspects, SUSPICION_LIFE_MICROSECONDS } from './split-suspects.ts'

interface PastQuotePorts {
  readonly quoteStore: QuoteStore
  readonly quotes: Pick<QuoteSource, 'instruments' | 'actions'>
}

interface Moment {
  readonly at: Instant
  /** Undefined = whenever. */
  readonly recordedUntil: Instant | undefined
}

/** The quotes that value a portfolio as of a moment: its instruments', then the rates their currencies need. */
export async function quotesAsOf(
  { quoteStore, quotes: known }: PastQuotePorts,
  state: PortfolioState,
  when: Moment & { readonly reportingCurrency: string | undefined },
): Promise<QuoteSource> {
  const quotes = new Map<string, EffectiveQuote>()
  const { instruments } = known
  const actions = knownActions(known, when.recordedUntil)
  const add = (quote: Quote): void => {
    const instrument = instruments?.get(quote.instrumentId)
    const effective = instrument === undefined ? quote : effectiveQuote(quote, instrument)
    quotes.set(quote.instrumentId, pairedQuote(effective, actions, when.at))
  }
  const held = [...state.books.keys()]
  const jumped = { from: when.at - SUSPICION_LIFE_MICROSECONDS, until: when.at }
  const [prices, outliers] = await Promise.all([
    quoteStore.readAsOf(held, when.at, when.recordedUntil),
    quoteStore.readOutliersAsOf(held, jumped, when.recordedUntil),
  ])
  for (const quote of prices) add(quote)
  for (const instrumentId of held) {
    const instrument = instruments?.get(instrumentId)
    const constant = instrument && constantQuote(instrument)
    if (constant !== undefined) add(constant)
  }
  const currencies = [...quotes.values()].map(({ currency }) => currency)
  const pairs = pairsOf(state, [...currencies, when.reportingCurrency])
  for (const rate of await readPairs(quoteStore, pairs, when)) quotes.set(rate.instrumentId, rate)
  const latest = (instrumentId: string) => quotes.get(instrumentId)
  const { recordedUntil } = when
  const suspects = await splitSuspects(quoteStore, outliers, { latest, actions, recordedUntil })
  return {
    latest,
    actions,
    isSplitSuspected: (instrumentId) => suspects.has(instrumentId),
    ...(instruments && { instruments }),
  }
}

function pairsOf(
  { settings, cash }: PortfolioState,
  currencies: readonly (string | undefined)[],
): ReadonlySet<string> {
  const pairs = new Set<string>()
  for (const currency of [...currencies, ...cash.balances.keys()]) {
    if (currency === undefined || currency === '') continue
    for (const pair of pairsBetween(currency, settings.baseCurrency)) pairs.add(pair)
  }
  return pairs
}

/** The rates of a moment between two currencies. */
export async function ratesAsOf(
  quoteStore: QuoteStore,
  [from, to]: readonly [string, string],
  at: Instant,
): Promise<QuoteSource> {
  const rates = await readPairs(quoteStore, new Set(pairsBetween(from, to)), {
    at,
    recordedUntil: undefined,
  })
  return { latest: (pair) => rates.find((rate) => rate.instrumentId === pair) }
}

async function readPairs(
  quoteStore: QuoteStore,
  pairs: ReadonlySet<string>,
  { at, recordedUntil }: Moment,
): Promise<readonly Quote[]> {
  return pairs.size === 0 ? [] : quoteStore.readAsOf([...pairs], at, recordedUntil)
}
