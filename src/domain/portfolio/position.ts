import { type Decimal, minus, multiply, share, ZERO } from '../decimal.ts'
import type { Instrument } from '../market-data/instrument.ts'
import { convert, exchangeRate, type QuoteSource } from '../market-data/quote.ts'
import type { Instant } from '../time.ts'
import type { Holding } from './holding.ts'
import { type Price, staleAfterOf } from './price.ts'

/** What a holding is worth and what it brought; amounts in the reporting currency unless said otherwise. */
export interface Position {
  readonly holding: Holding
  /** What reference data knows of it; undefined = nothing. */
  readonly instrument: Instrument | undefined
  /** As quoted, in `currency`; undefined when there is neither a quote nor a trade. */
  readonly price: Decimal | undefined
  /** What one unit is worth at that price, in `currency`. */
  readonly unitPrice: Decimal | undefined
  readonly currency: string
  readonly pricedAt: Instant | undefined
  /** Where the price is from: "TRADE" = the last trade, since there is no quote. */
  readonly source: string
  readonly exchangeRate: Decimal | undefined
  /** Time of the older of price and exchange rate: how far the value can be trusted. */
  readonly valuedAt: Instant | undefined
  /** From when on the price or the exchange rate is too old. */
  readonly staleAfter: Instant
  /** quantity x unitPrice in `currency`; undefined when it cannot be priced. */
  readonly marketValue: Decimal | undefined
  /** Zero when it cannot be priced: then it is left out of all totals, and `Quality` says so. */
  readonly value: Decimal
  readonly costBasis: Decimal
  /** Of the units whose cost is known; zero when it cannot be priced. */
  readonly unrealized: Decimal
}

/** What amounts are converted with. */
export interface Currencies {
  readonly quotes: QuoteSource
  readonly baseCurrency: string
  readonly toReporting: ReturnType<typeof exchangeRate>
}

/** Values units at a price; what is missing is left undefined or zero, never guessed. */
export function valueHolding(holding: Holding, price: Price, currencies: Currencies): Position {
  const { quotes, toReporting } = currencies
  const shownRate = toReporting?.rate
  const { unitPrice } = price
  const conversion = unitPrice && conversionOf(price, currencies)
  const rate = conversion?.rate
  const marketValue = unitPrice && multiply(holding.quantity, unitPrice)
  const value = marketValue && rate ? convert(marketValue, rate) : undefined
  const costBasis = shownRate === undefined ? ZERO : convert(holding.basis, shownRate)
  return {
    holding,
    instrument: quotes.instruments?.get(holding.instrumentId),
    price: price.price,
    unitPrice,
    currency: price.currency,
    pricedAt: price.pricedAt,
    source: price.source,
    exchangeRate: rate,
    valuedAt: oldest(price.pricedAt, conversion?.pricedAt),
    staleAfter: Math.min(price.staleAfter, staleAfterOf(conversion?.pricedAt)),
    marketValue,
    value: value ?? ZERO,
    costBasis,
    unrealized: unrealizedOf(value, holding, costBasis),
  }
}

/** Units of unknown cost count in the value, not in the result. */
function unrealizedOf(
  value: Decimal | undefined,
  { quantity, unknownQuantity }: Holding,
  costBasis: Decimal,
): Decimal {
  if (value === undefined) return ZERO
  if (unknownQuantity.isZero()) return minus(value, costBasis)
  return minus(share(value, minus(quantity, unknownQuantity), quantity), costBasis)
}

/** From a price's currency to the reporting currency, by way of the base currency. */
export function conversionOf(
  { currency }: Pick<Price, 'currency'>,
  { quotes, baseCurrency, toReporting }: Currencies,
): ReturnType<typeof exchangeRate> {
  if (currency === baseCurrency) return toReporting
  const toBase = exchangeRate(quotes, currency, baseCurrency)
  if (toBase === undefined || toReporting === undefined) return undefined
  return {
    rate: multiply(toBase.rate, toReporting.rate),
    pricedAt: oldest(toBase.pricedAt, toReporting.pricedAt),
  }
}

/** The older of two moments, of which either may not be known. */
export function oldest(left: Instant | undefined, right: Instant | undefined): Instant | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return Math.min(left, right)
}

/** Without reference data an instrument is called by its id. */
export function positionSymbol({
  holding,
  instrument,
}: Pick<Position, 'holding' | 'instrument'>): string {
  return instrument?.symbol ?? holding.instrumentId
}

/** False: it is left out of all totals. */
export function isPriced(position: Position): boolean {
  return position.marketValue !== undefined && position.exchangeRate !== undefined
}
