import { type Decimal, parseDecimal } from '../decimal.ts'
import { isPlainText } from '../text.ts'
import { FUTURE_MAX_MICROSECONDS, type Instant } from '../time.ts'
import { type Instrument, type InstrumentSource, majorCurrencyOf } from './instrument.ts'
import { inMajorUnit, isMinorUnit } from './minor-unit.ts'
import { type Quote, QUOTE_KINDS, type QuoteKind } from './quote.ts'
import { canonicalSymbol, isCurrencyCode } from './symbol.ts'

/** A quote as a client sent it, nothing checked. */
export interface SentQuote {
  readonly symbol: string
  readonly price: string
  readonly currencyCode: string
  /** Undefined = the instant of receipt. */
  readonly pricedAt: Instant | undefined
  readonly source: string
  /** Number of the contract's enum. */
  readonly kind: number
  readonly splitAdjusted: boolean
}

/** Why a quote values nobody. */
export type QuarantineReason =
  | 'SYMBOL_INVALID'
  | 'PRICE_INVALID'
  | 'CURRENCY_INVALID'
  | 'TIMESTAMP_OUT_OF_RANGE'
  | 'SOURCE_INVALID'
  | 'KIND_UNKNOWN'
  | 'CURRENCY_MISMATCH'
  | 'OUTLIER'

const PRICE_MAX = 1e15
const SOURCE_LENGTH_MAX = 64
const CURRENCY_PAIR = /^([A-Z]{3})\/([A-Z]{3})$/

/** What the quote's symbol means; `undefined` when it is no symbol, and when no reference data knows it. */
export interface QuotedInstrument {
  readonly instrumentId: string | undefined
  readonly instrument: Instrument | undefined
}

export function quotedInstrument(
  { symbol, pricedAt }: SentQuote,
  instruments: InstrumentSource,
  now: Instant,
): QuotedInstrument {
  const canonical = canonicalSymbol(symbol)
  if (canonical === undefined) return { instrumentId: undefined, instrument: undefined }
  // What is dated beyond the calendar is refused for it later.
  const instrument = instruments.resolve(canonical, Math.min(pricedAt ?? now, now))
  return { instrumentId: instrument?.instrumentId ?? canonical, instrument }
}

/**
 * The quote a client's message stands for, in major units, or why it is set aside. One that names no currency is in
 * its instrument's. `now` is the receipt's time.
 */
export function acceptQuote(
  sent: SentQuote,
  { instrumentId, instrument }: QuotedInstrument,
  now: Instant,
): Quote | QuarantineReason {
  if (instrumentId === undefined) return 'SYMBOL_INVALID'
  const price = parseDecimal(sent.price)
  if (price === undefined || !price.greaterThan(0) || price.greaterThan(PRICE_MAX)) {
    return 'PRICE_INVALID'
  }
  const kind = QUOTE_KINDS[sent.kind]
  if (kind === undefined) return 'KIND_UNKNOWN'
  const currency = isRate(kind, { instrumentId, instrument })
    ? pairCurrency(instrumentId, sent)
    : ownCurrency(sent, instrument)
  const major =
    currency === undefined ? 'CURRENCY_INVALID' : inOwnCurrency(price, currency, instrument)
  if (typeof major === 'string') return major
  const pricedAt = sent.pricedAt ?? now
  if (pricedAt > now + FUTURE_MAX_MICROSECONDS) return 'TIMESTAMP_OUT_OF_RANGE'
  if (!isPlainText(sent.source, SOURCE_LENGTH_MAX)) return 'SOURCE_INVALID'
  return {
    instrumentId,
    ...major,
    pricedAt,
    source: sent.source,
    kind,
    splitAdjusted: sent.splitAdjusted,
  }
}

function ownCurrency(sent: SentQuote, instrument: Instrument | undefined): string {
  return sent.currencyCode === '' ? (instrument?.currency ?? '') : sent.currencyCode
}

/** A price in another currency than the instrument's is of another listing, or a mistake. */
function inOwnCurrency(
  price: Decimal,
  currency: string,
  instrument: Instrument | undefined,
): ReturnType<typeof inMajorUnit> | QuarantineReason {
  if (!isQuoteCurrency(currency)) return 'CURRENCY_INVALID'
  const major = inMajorUnit(price, currency)
  const own = instrument === undefined ? '' : majorCurrencyOf(instrument)
  return own === '' || own === major.currency ? major : 'CURRENCY_MISMATCH'
}

function isQuoteCurrency(currency: string): boolean {
  return currency === '' || isCurrencyCode(currency) || isMinorUnit(currency)
}

/** A pair is, of whatever kind it is said to be: it is looked up as one. */
function isRate(kind: QuoteKind, { instrumentId = '', instrument }: QuotedInstrument): boolean {
  return kind === 'FX' || (instrument === undefined && CURRENCY_PAIR.test(instrumentId))
}

/**
 * "EUR/USD" is units of USD for one EUR (semantics 2.4, FX); a currency given beside it has to agree. Nobody converts a
 * currency into itself, nor hundredths of one: a rate of those would never be looked at.
 */
function pairCurrency(symbol: string, { currencyCode }: SentQuote): string | undefined {
  const [, first = '', second = ''] = CURRENCY_PAIR.exec(symbol) ?? []
  if (first === second || isMinorUnit(first) || isMinorUnit(second)) return undefined
  return currencyCode === '' || currencyCode === second ? second : undefined
}
