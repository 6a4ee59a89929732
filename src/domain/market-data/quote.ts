import { divide, multiply, ONE, type Decimal, decimal } from '../decimal.ts'
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
}

/** The newest usable quote of an instrument, or none. */
export interface QuoteSource {
  latest(instrumentId: string): Quote | undefined
}

/** A price older than this is marked stale: a long weekend passes. */
export const PRICE_AGE_MAX_MICROSECONDS = 4 * MICROSECONDS_PER_DAY

/** Exchanges quote some shares in hundredths of a currency; amounts are kept in the currency itself (decision 27). */
const MINOR_UNITS: ReadonlyMap<string, string> = new Map([
  ['GBX', 'GBP'],
  ['GBp', 'GBP'],
  ['ZAc', 'ZAR'],
  ['ZAC', 'ZAR'],
  ['ILA', 'ILS'],
])
const HUNDRED = decimal(100)

export function inMajorUnit(
  price: Decimal,
  currency: string,
): { price: Decimal; currency: string } {
  const major = MINOR_UNITS.get(currency)
  return major === undefined
    ? { price, currency }
    : { price: divide(price, HUNDRED), currency: major }
}

export function isMinorUnit(currency: string): boolean {
  return MINOR_UNITS.has(currency)
}

/** Units of `to` for one of `from`, with the moment of the rate; undefined when no quote tells. */
export function exchangeRate(
  quotes: QuoteSource,
  from: string,
  to: string,
): { rate: Decimal; pricedAt: Instant | undefined } | undefined {
  if (from === to) return { rate: ONE, pricedAt: undefined }
  const direct = quotes.latest(`${from}/${to}`)
  if (direct !== undefined) return { rate: direct.price, pricedAt: direct.pricedAt }
  const inverse = quotes.latest(`${to}/${from}`)
  if (inverse !== undefined) return { rate: divide(ONE, inverse.price), pricedAt: inverse.pricedAt }
  return undefined
}

export function convert(amount: Decimal, rate: Decimal): Decimal {
  return rate === ONE || rate.equals(ONE) ? amount : multiply(amount, rate)
}
