import { decimal, Decimal, decimalText } from '../decimal.ts'
import type { ActionTerms } from './corporate-action.ts'

/** Every amount of the terms, whichever kind they are of; rates are all amounts. */
const AMOUNTS = new Set(['numerator', 'denominator', 'ratio', 'basisFraction', 'perUnit'])

/** Terms as JSON with decimals as texts. */
export function termsText(terms: ActionTerms): string {
  return JSON.stringify(textsOf(terms))
}

/** What {@link termsText} wrote. */
export function termsOfText(text: string): ActionTerms {
  return JSON.parse(text, (key, value: unknown) => {
    if (typeof value === 'string' && AMOUNTS.has(key)) return decimal(value)
    return key === 'rates' ? ratesOf(value as Record<string, string>) : value
  }) as ActionTerms
}

function textsOf(value: unknown): unknown {
  if (Decimal.isDecimal(value)) return decimalText(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, textsOf(part)]))
}

function ratesOf(rates: Readonly<Record<string, string>>): Readonly<Record<string, Decimal>> {
  return Object.fromEntries(Object.entries(rates).map(([pair, rate]) => [pair, decimal(rate)]))
}
