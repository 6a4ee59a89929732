import { multiply, ONE } from '../decimal.ts'
import { type Instrument, majorCurrencyOf, priceFactorOf, ruleOf } from './instrument.ts'
import { inMajorUnit } from './minor-unit.ts'
import { type EffectiveQuote, PRICE_AGE_MAX_MICROSECONDS, type Quote } from './quote.ts'
import type { Instant } from '../time.ts'
import { tradingCalendar } from './trading-calendar.ts'

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

/** From when on it is too old: by its instrument's class, else by the age that any price may have. */
export function effectiveStaleAfter({ staleAfter, pricedAt }: EffectiveQuote): Instant {
  return staleAfter ?? pricedAt + PRICE_AGE_MAX_MICROSECONDS
}

/** Money is worth itself at any time: a quote that nobody has to send. Undefined for anything else. */
export function constantQuote(instrument: Instrument): Quote | undefined {
  if (!ruleOf(instrument).isMoney) return undefined
  return {
    instrumentId: instrument.instrumentId,
    price: ONE,
    currency: majorCurrencyOf(instrument),
    pricedAt: 0,
    source: 'CASH',
    kind: 'UNSPECIFIED',
    splitAdjusted: false,
  }
}
