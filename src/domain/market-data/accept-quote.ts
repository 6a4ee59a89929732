import { parseDecimal } from '../decimal.ts'
import { isPlainText } from '../text.ts'
import { FUTURE_MAX_MICROSECONDS, type Instant } from '../time.ts'
import { inMajorUnit, isMinorUnit } from './minor-unit.ts'
import { type Quote, QUOTE_KINDS } from './quote.ts'
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

const PRICE_MAX = 1e15
const SOURCE_LENGTH_MAX = 64
const CURRENCY_PAIR = /^[A-Z]{3}\/([A-Z]{3})$/

/** The quote a client's message stands for, in major units, or why it is set aside. `now` is the receipt's time. */
export function acceptQuote(sent: SentQuote, now: Instant): Quote | QuarantineReason {
  const instrumentId = canonicalSymbol(sent.symbol)
  if (instrumentId === undefined) return 'SYMBOL_INVALID'
  const price = parseDecimal(sent.price)
  if (price === undefined || !price.greaterThan(0) || price.greaterThan(PRICE_MAX)) {
    return 'PRICE_INVALID'
  }
  const kind = QUOTE_KINDS[sent.kind]
  if (kind === undefined) return 'KIND_UNKNOWN'
  const currency = kind === 'FX' ? pairCurrency(instrumentId, sent) : sent.currencyCode
  if (currency === undefined || !isQuoteCurrency(currency)) return 'CURRENCY_INVALID'
  const pricedAt = sent.pricedAt ?? now
  if (pricedAt > now + FUTURE_MAX_MICROSECONDS) return 'TIMESTAMP_OUT_OF_RANGE'
  if (!isPlainText(sent.source, SOURCE_LENGTH_MAX)) return 'SOURCE_INVALID'
  return {
    instrumentId,
    ...inMajorUnit(price, currency),
    pricedAt,
    source: sent.source,
    kind,
    splitAdjusted: sent.splitAdjusted,
  }
}

function isQuoteCurrency(currency: string): boolean {
  return currency === '' || isCurrencyCode(currency) || isMinorUnit(currency)
}

/** "EUR/USD" is units of USD for one EUR (semantics 2.4, FX); a currency given beside it has to agree. */
function pairCurrency(symbol: string, { currencyCode }: SentQuote): string | undefined {
  const second = CURRENCY_PAIR.exec(symbol)?.[1]
  return currencyCode === '' || currencyCode === second ? second : undefined
}
