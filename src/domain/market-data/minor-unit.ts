import { type Decimal, decimal, divide } from '../decimal.ts'

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
