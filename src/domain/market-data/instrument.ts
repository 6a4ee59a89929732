import { type Decimal, divide, ONE } from '../decimal.ts'
import type { Instant } from '../time.ts'
import { type AssetClass, type AssetClassRule, assetClasses } from './asset-class.ts'
import { inMajorUnit } from './minor-unit.ts'

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

/** Instruments by id. */
export interface InstrumentSource {
  /** Grows with each change of reference data that is known. */
  readonly epoch: number
  get(instrumentId: string): Instrument | undefined
  /** What a canonical symbol, an ISIN or a FIGI meant at a moment; undefined when reference data does not say. */
  resolve(symbol: string, at: Instant): Instrument | undefined
}

/** What a symbol meant at a moment: an instrument that is known, else one that has the symbol for its id. */
export function instrumentIdOf(
  instruments: InstrumentSource | undefined,
  symbol: string,
  at: Instant,
): string {
  return instruments?.resolve(symbol, at)?.instrumentId ?? symbol
}

/** What an instrument is called now. */
export function symbolOf(instruments: InstrumentSource | undefined, instrumentId: string): string {
  return instruments?.get(instrumentId)?.symbol ?? instrumentId
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

/** True when the symbol meant the instrument on that day ("YYYY-MM-DD"). */
export function covers({ fromDay, toDay }: SymbolSpan, day: string): boolean {
  return fromDay <= day && (toDay === '' || day <= toDay)
}

/**
 * What an instrument is called on a day ("YYYY-MM-DD"): what it was called last while that symbol still means it, else
 * the symbol that began to mean it last.
 */
export function symbolOn({ symbol, symbols }: Instrument, day: string): string {
  const covering = symbols.filter((span) => covers(span, day))
  if (covering.length === 0 || covering.some((span) => span.symbol === symbol)) return symbol
  return covering.reduce((last, span) => (span.fromDay > last.fromDay ? span : last)).symbol
}

export function overlaps(left: SymbolSpan, right: SymbolSpan): boolean {
  const startsBefore = (span: SymbolSpan, other: SymbolSpan): boolean =>
    other.toDay === '' || span.fromDay <= other.toDay
  return left.symbol === right.symbol && startsBefore(left, right) && startsBefore(right, left)
}
