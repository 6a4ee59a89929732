import { ONE, ZERO } from '../../domain/decimal.ts'
import { invalidRequest, type Violation } from '../../domain/errors.ts'
import { exchangeRate, pairsBetween, type QuoteSource } from '../../domain/market-data/quote.ts'
import type { TransactionDraft } from '../../domain/portfolio/transaction.ts'
import { ratesAsOf } from '../market-data/past-quotes.ts'
import type { Clock, QuoteStore } from '../ports.ts'
import type { DescribedDrafts } from './described-drafts.ts'

/**
 * The drafts with the rate of their day from each one's currency to the base currency: the one that was sent, else
 * the newest quote of then (decision 27). The refusal is FX_RATE_REQUIRED, naming each transaction whose rate nobody
 * knows, or CURRENCY_INVALID, naming each that converts a currency into itself: it is for the decision to give, since a
 * replay answers before (semantics 2.4, Order of checks).
 */
export async function withExchangeRates(
  ports: { readonly clock: Clock; readonly quoteStore: QuoteStore },
  drafts: readonly TransactionDraft[],
  baseCurrency: string,
): Promise<DescribedDrafts> {
  const violations: Violation[] = []
  const rated: TransactionDraft[] = []
  for (const [index, draft] of drafts.entries()) {
    const { terms } = draft
    if (convertsIntoItself(draft, baseCurrency)) {
      const description = 'must not be the currency that is converted'
      const field = `transactions[${index}].counter_currency_code`
      violations.push({ field, reason: 'CURRENCY_INVALID', description })
    }
    if (terms === undefined || terms.currency === '' || terms.currency === baseCurrency) {
      rated.push(inBase(draft, baseCurrency))
      continue
    }
    const rate = terms.exchangeRate.isZero()
      ? await rateOfDay(ports, draft, baseCurrency)
      : terms.exchangeRate
    if (rate === undefined) {
      const description = `no rate from ${terms.currency} to ${baseCurrency} is known for that day`
      const field = `transactions[${index}].fx_rate`
      violations.push({ field, reason: 'FX_RATE_REQUIRED', description })
    }
    const counterCurrency = unlessBase(terms.counterCurrency, baseCurrency)
    rated.push({ ...draft, terms: { ...terms, counterCurrency, exchangeRate: rate ?? ZERO } })
  }
  return {
    drafts: rated,
    refusal: violations.length === 0 ? undefined : invalidRequest(violations),
  }
}

/** The pairs that could tell a rate which no quote tells now, for transactions that bring none. */
export function pairsNeeded(
  quotes: QuoteSource,
  drafts: readonly TransactionDraft[],
  baseCurrency: string,
): readonly string[] {
  const currencies = new Set(
    drafts.flatMap(({ terms }) => (terms?.exchangeRate.isZero() ? [terms.currency] : [])),
  )
  return [...currencies].flatMap((currency) =>
    currency === '' || exchangeRate(quotes, currency, baseCurrency) !== undefined
      ? []
      : pairsBetween(currency, baseCurrency),
  )
}

function convertsIntoItself({ type, terms }: TransactionDraft, baseCurrency: string): boolean {
  if (type !== 'FX_CONVERSION' || terms === undefined) return false
  return (
    unlessBase(terms.currency, baseCurrency) === unlessBase(terms.counterCurrency, baseCurrency)
  )
}

/**
 * The trades as they stand where none of them is in a foreign currency; undefined where one is. A trade that had no
 * terms of its own has none then either.
 */
export function withoutRates(
  sent: readonly TransactionDraft[],
  described: readonly TransactionDraft[],
  baseCurrency: string,
): readonly TransactionDraft[] | undefined {
  const drafts: TransactionDraft[] = []
  for (const [index, draft] of described.entries()) {
    const { terms, ...trade } = draft
    if (terms !== undefined && terms.currency !== '' && terms.currency !== baseCurrency) {
      return undefined
    }
    const isPlain = sent[index]?.terms === undefined && terms?.priceFactor.equals(ONE)
    drafts.push(isPlain ? trade : inBase(draft, baseCurrency))
  }
  return drafts
}

/** The base currency has no name in the ledger, and no rate. */
function inBase(draft: TransactionDraft, baseCurrency: string): TransactionDraft {
  if (draft.terms === undefined) return draft
  const counterCurrency = unlessBase(draft.terms.counterCurrency, baseCurrency)
  return { ...draft, terms: { ...draft.terms, currency: '', counterCurrency, exchangeRate: ONE } }
}

function unlessBase(currency: string, baseCurrency: string): string {
  return currency === baseCurrency ? '' : currency
}

async function rateOfDay(
  ports: { readonly clock: Clock; readonly quoteStore: QuoteStore },
  { terms, effectiveAt }: TransactionDraft,
  baseCurrency: string,
) {
  const currency = terms?.currency ?? ''
  const at = effectiveAt ?? ports.clock.now()
  const rates = await ratesAsOf(ports.quoteStore, [currency, baseCurrency], at)
  return exchangeRate(rates, currency, baseCurrency)?.rate
}
