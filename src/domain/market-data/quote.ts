import { type Decimal, divide, multiply, ONE } from '../decimal.ts'
import type { CorporateActions } from './corporate-actions.ts'
import type { InstrumentSource } from './instrument.ts'
import { MICROSECONDS_PER_DAY, type Instant } from '../time.ts'

export const QUOTE_KINDS = [
  'UNSPECIFIED',
  'REALTIME',
  'DELAYED',
  'CLOSE',
  'NAV',
  'MANUAL',
  'FX',
] as const
export type QuoteKind = (typeof QUOTE_KINDS)[number]

/** One price of one instrument at one moment, as it was received. */
export interface Quote {
  readonly instrumentId: string
  /** Per unit, in `currency`; for FX the units of the second currency for one of the first ("EUR/USD"). */
  readonly price: Decimal
  /** Empty = the base currency of whoever holds it, as for a trade's price (decision 27). */
  readonly currency: string
  readonly pricedAt: Instant
  readonly source: string
  readonly kind: QuoteKind
  readonly splitAdjusted: boolean
  /** Of one out of an adjusted history: the splits up to then are in it. Undefined = those up to `pricedAt`. */
  readonly recordedAt?: Instant
}

/** A quote and what its instrument makes of it; without these fields no reference data knows the instrument. */
export interface EffectiveQuote extends Quote {
  /** Money that one unit is worth at a price of one. */
  readonly priceFactor?: Decimal
  /** price x priceFactor: what one unit is worth, in `currency`. */
  readonly unitPrice?: Decimal
  readonly staleAfter?: Instant
  /** When its successor can exist; `now` = at any moment. */
  readonly nextPriceAt?: (now: Instant) => Instant
}

/** The newest usable quote of an instrument, or none. */
export interface QuoteSource {
  latest(instrumentId: string): EffectiveQuote | undefined
  /** Undefined where no reference data is kept. */
  readonly instruments?: InstrumentSource | undefined
  /** All corporate actions known now; undefined where none are kept. */
  readonly actions?: CorporateActions | undefined
  /** True where the price jumped as in a split that nobody recorded; undefined where nobody looks. */
  isSplitSuspected?(instrumentId: string): boolean
}

/** A price of an instrument without a class, and an exchange rate, is stale when it is older: a long weekend passes. */
export const PRICE_AGE_MAX_MICROSECONDS = 4 * MICROSECONDS_PER_DAY

/** Currencies that nearly every other one is quoted against. */
export const PIVOT_CURRENCIES = ['USD', 'EUR'] as const

export interface ExchangeRate {
  readonly rate: Decimal
  /** Of the oldest quote it is made of; undefined where there is nothing to convert. */
  readonly pricedAt: Instant | undefined
}

/** Units of `to` for one of `from`: quoted, inverted, or crossed through a pivot; undefined when no quote tells. */
export function exchangeRate(
  quotes: QuoteSource,
  from: string,
  to: string,
): ExchangeRate | undefined {
  if (from === to) return { rate: ONE, pricedAt: undefined }
  const quoted = quotedRate(quotes, from, to)
  if (quoted !== undefined) return quoted
  for (const pivot of PIVOT_CURRENCIES) {
    const first = quotedRate(quotes, from, pivot)
    const second = first && quotedRate(quotes, pivot, to)
    if (first === undefined || second === undefined) continue
    return {
      rate: multiply(first.rate, second.rate),
      pricedAt: Math.min(first.pricedAt, second.pricedAt),
    }
  }
  return undefined
}

function quotedRate(
  quotes: QuoteSource,
  from: string,
  to: string,
): { readonly rate: Decimal; readonly pricedAt: Instant } | undefined {
  const direct = quotes.latest(`${from}/${to}`)
  if (direct !== undefined) return { rate: direct.price, pricedAt: direct.pricedAt }
  const inverse = quotes.latest(`${to}/${from}`)
  return inverse && { rate: divide(ONE, inverse.price), pricedAt: inverse.pricedAt }
}

/** The pairs that {@link exchangeRate} may look at. */
export function pairsBetween(from: string, to: string): readonly string[] {
  if (from === to) return []
  const legs = [from, to].flatMap((currency) =>
    PIVOT_CURRENCIES.filter((pivot) => pivot !== currency).map((pivot) => [currency, pivot]),
  )
  return [[from, to], ...legs].flatMap(([one, other]) => [`${one}/${other}`, `${other}/${one}`])
}

/** "USD/EUR" of "EUR/USD"; undefined when it is no pair. */
export function inverseOf(pair: string): string | undefined {
  const [, first, second] = /^([A-Z]{3})\/([A-Z]{3})$/.exec(pair) ?? []
  return first === undefined ? undefined : `${second}/${first}`
}

export function convert(amount: Decimal, rate: Decimal): Decimal {
  return rate === ONE || rate.equals(ONE) ? amount : multiply(amount, rate)
}
