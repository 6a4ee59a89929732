import { type Decimal, decimal, multiply, ONE, ZERO } from '../../domain/decimal.ts'
import { invalidRequest, type PortfolioError, type Violation } from '../../domain/errors.ts'
import { type Instrument, priceFactorOf } from '../../domain/market-data/instrument.ts'
import { inMajorUnit, isMinorUnit } from '../../domain/market-data/minor-unit.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import type { Warning } from '../../domain/portfolio/portfolio-change.ts'
import {
  NO_TERMS,
  type TransactionDraft,
  type TransactionTerms,
} from '../../domain/portfolio/transaction.ts'
import type { Instant } from '../../domain/time.ts'

const HUNDRED = decimal(100)

/** Transactions with what reference data says of their instruments. */
export interface DescribedDrafts {
  /** Each of the instrument its symbol meant then, in major units of its currency; rates are still to be found. */
  readonly drafts: readonly TransactionDraft[]
  /** A quantity is finer than its instrument allows; undefined = none is. */
  readonly refusal: PortfolioError | undefined
}

/** Applied to a request's transactions, whose instrument ids are the symbols as they were sent. */
export function describeDrafts(
  { instruments }: Pick<QuoteSource, 'instruments'>,
  sent: readonly TransactionDraft[],
  now: Instant,
): DescribedDrafts {
  const violations: Violation[] = []
  let drafts: TransactionDraft[] | undefined
  for (const [index, draft] of sent.entries()) {
    const instrument = instruments?.resolve(draft.instrumentId, draft.effectiveAt ?? now)
    const described = describe(draft, instrument)
    // Nearly all requests are plain trades in the base currency: those stay what they are.
    if (described !== draft) (drafts ??= [...sent])[index] = described
    if (instrument === undefined || isReversal(draft)) continue
    const { symbol, quantityScale } = instrument
    if (draft.quantity.decimalPlaces() <= quantityScale) continue
    const field = `transactions[${index}].quantity`
    const description = `${symbol} takes at most ${quantityScale} decimals`
    violations.push({ field, reason: 'PRECISION_EXCEEDED', description })
  }
  return {
    drafts: drafts ?? sent,
    refusal: violations.length === 0 ? undefined : invalidRequest(violations),
  }
}

/** A reversal repeats what is recorded, the instrument's id included. */
function isReversal({ terms }: TransactionDraft): boolean {
  return terms?.reverses !== undefined
}

function describe(draft: TransactionDraft, instrument: Instrument | undefined): TransactionDraft {
  if (isReversal(draft) || (instrument === undefined && draft.terms === undefined)) return draft
  const terms = draft.terms ?? NO_TERMS
  const { instrumentId, priceFactor, ownCurrency } = factsOf(draft, instrument)
  const currency = terms.currency || ownCurrency
  if (draft.terms === undefined && currency === '' && priceFactor.equals(ONE)) {
    return { ...draft, instrumentId }
  }
  const toMajor = (amount: Decimal): Decimal => inMajorUnit(amount, currency).price
  return {
    ...draft,
    instrumentId,
    price: toMajor(draft.price),
    terms: {
      ...terms,
      ...inMajorTerms(terms, currency, toMajor),
      priceFactor,
    },
  }
}

function factsOf({ instrumentId }: TransactionDraft, instrument: Instrument | undefined) {
  if (instrument === undefined) return { instrumentId, priceFactor: ONE, ownCurrency: '' }
  return {
    instrumentId: instrument.instrumentId,
    priceFactor: priceFactorOf(instrument),
    ownCurrency: instrument.currency,
  }
}

function inMajorTerms(
  terms: TransactionTerms,
  currency: string,
  toMajor: (amount: Decimal) => Decimal,
): Partial<TransactionTerms> {
  const counter = inMajorUnit(terms.counterAmount, terms.counterCurrency)
  const rate = currency === terms.currency ? terms.exchangeRate : ZERO
  return {
    currency: inMajorUnit(ONE, currency).currency,
    // A rate for one hundredth is a hundredth of the rate.
    exchangeRate: isMinorUnit(currency) ? multiply(rate, HUNDRED) : rate,
    amount: toMajor(terms.amount),
    fee: toMajor(terms.fee),
    tax: toMajor(terms.tax),
    counterCurrency: counter.currency,
    counterAmount: counter.price,
    carriedLots: terms.carriedLots.map((lot) => ({ ...lot, basis: toMajor(lot.basis) })),
  }
}

/** Nothing is known of their instruments: neither reference data nor a price (decision 35). */
export function unknownInstruments(
  quotes: QuoteSource,
  drafts: readonly TransactionDraft[],
): readonly Warning[] {
  return drafts.flatMap(({ instrumentId, terms }, index): Warning[] =>
    instrumentId === '' ||
    terms?.reverses !== undefined ||
    quotes.latest(instrumentId) !== undefined ||
    quotes.instruments?.get(instrumentId) !== undefined
      ? []
      : [{ index, reason: 'UNKNOWN_INSTRUMENT' }],
  )
}
