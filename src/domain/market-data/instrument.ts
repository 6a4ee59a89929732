import { type Decimal, divide, multiply, ONE } from '../decimal.ts'
import type { Instant } from '../time.ts'
import { type AssetClass, type AssetClassRule, assetClasses } from './asset-class.ts'
import { type EffectiveQuote, inMajorUnit, isMinorUnit, type Quote } from './quote.ts'
import { tradingCalendar } from './trading-calendar.ts'

/** Days ("YYYY-MM-DD", UTC) on which a symbol means an instrument, both included; empty = without bound. */
export interface SymbolSpan {
  readonly symbol: string
  readonly fromDay: string
  readonly toDay: string
}

/** Of options and futures. */
export interface Derivative {
  readonly underlyingSymbol: string
  readonly expiryDay: string
  /** Undefined for futures. */
  readonly strike: Decimal | undefined
  readonly right: 'CALL' | 'PUT' | undefined
}

/** What reference data knows of an instrument. */
export interface Instrument {
  /** What ledgers keep: it never changes, whatever the symbol becomes. */
  readonly instrumentId: string
  /** The present one, which answers show. */
  readonly symbol: string
  /** ISO 10383; empty = none, or unknown. */
  readonly mic: string
  readonly isin: string
  readonly figi: string
  /** Prices are in it; a minor unit such as GBX is allowed. Empty = whatever each quote and trade says. */
  readonly currency: string
  readonly assetClass: AssetClass
  /** Units of the underlying, or of money for a price of one, that a contract stands for. */
  readonly multiplier: Decimal
  readonly quantityScale: number
  /** Every symbol it has or had; the present one is among them. */
  readonly symbols: readonly SymbolSpan[]
  readonly classifications: Readonly<Record<string, string>>
  readonly derivative: Derivative | undefined
}

export function ruleOf({ assetClass }: Instrument): AssetClassRule {
  return assetClasses[assetClass]
}

/** Money that one unit is worth at a price of one: a contract's multiplier, 0.01 for a price per 100 nominal. */
export function priceFactorOf(instrument: Instrument): Decimal {
  const { priceDivisor } = ruleOf(instrument)
  return priceDivisor.equals(ONE)
    ? instrument.multiplier
    : divide(instrument.multiplier, priceDivisor)
}

/** The instrument's currency in major units; empty when it is not known. */
export function majorCurrencyOf({ currency }: Instrument): string {
  return inMajorUnit(ONE, currency).currency
}

/** A price in the instrument's own unit, in major units of its currency. */
export function majorPrice(price: Decimal, { currency }: Instrument): Decimal {
  return isMinorUnit(currency) ? inMajorUnit(price, currency).price : price
}

/** What a quote means for its instrument: what costs time is done once for each tick, not for each valuation. */
export function effectiveQuote(quote: Quote, instrument: Instrument): EffectiveQuote {
  const { pricing } = ruleOf(instrument)
  const calendar = tradingCalendar(instrument.mic)
  const own = quote.currency === '' ? inMajorUnit(quote.price, instrument.currency) : quote
  const factor = priceFactorOf(instrument)
  return {
    ...quote,
    price: own.price,
    currency: own.currency,
    priceFactor: factor,
    unitPrice: factor.equals(ONE) ? own.price : multiply(own.price, factor),
    staleAfter: pricing.staleAfter(quote.pricedAt, calendar),
    nextPriceAt: (now) => pricing.nextPriceAt(quote.pricedAt, now, calendar),
  }
}

/** Money is worth itself: a quote that nobody has to send. Undefined for anything else. */
export function constantQuote(instrument: Instrument, now: Instant): EffectiveQuote | undefined {
  if (!ruleOf(instrument).isMoney) return undefined
  const quote: Quote = {
    instrumentId: instrument.instrumentId,
    price: ONE,
    currency: majorCurrencyOf(instrument),
    pricedAt: now,
    source: 'CASH',
    kind: 'UNSPECIFIED',
    splitAdjusted: false,
  }
  return effectiveQuote(quote, instrument)
}

/** True when the symbol meant the instrument on that day ("YYYY-MM-DD"). */
export function covers({ fromDay, toDay }: SymbolSpan, day: string): boolean {
  return fromDay <= day && (toDay === '' || day <= toDay)
}

export function overlaps(left: SymbolSpan, right: SymbolSpan): boolean {
  const startsBefore = (span: SymbolSpan, other: SymbolSpan): boolean =>
    other.toDay === '' || span.fromDay <= other.toDay
  return left.symbol === right.symbol && startsBefore(left, right) && startsBefore(right, left)
}
