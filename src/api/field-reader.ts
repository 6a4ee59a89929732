import { type Decimal, parseDecimal, ZERO } from '../domain/decimal.ts'
import type { Reason, Violation } from '../domain/errors.ts'
import { isCurrencyCode } from '../domain/market-data/symbol.ts'
import { isPlainText } from '../domain/text.ts'
import { CURRENCY_PROBLEM, type Problem } from './violations.ts'

const AMOUNT_MAX = 1e15
const DECIMAL_PLACES_MAX = 18

/** Reads one message's fields; what is wrong is added to the violations under the message's path. */
export class FieldReader {
  readonly #path: string
  readonly #violations: Violation[]

  constructor(path: string, violations: Violation[]) {
    this.#path = path
    this.#violations = violations
  }

  refuse(field: string, problem: Problem): void {
    this.#violations.push({ field: `${this.#path}.${field}`, ...problem })
  }

  /** A decimal from `min` on; undefined when the text is empty. */
  amount(field: string, text: string, reason: Reason): Decimal | undefined {
    if (text === '') return undefined
    const value = parseDecimal(text)
    if (value === undefined || value.isNegative() || value.greaterThan(AMOUNT_MAX)) {
      this.refuse(field, {
        reason,
        description: 'must be a decimal from 0 to 1e15, such as "12.34"',
      })
      return undefined
    }
    if (value.decimalPlaces() > DECIMAL_PLACES_MAX) {
      const description = `must have at most ${DECIMAL_PLACES_MAX} decimals`
      this.refuse(field, { reason: 'PRECISION_EXCEEDED', description })
      return undefined
    }
    return value
  }

  /** An amount above zero that has to be there. */
  positive(field: string, text: string, reason: Reason): Decimal {
    const value = this.amount(field, text, reason)
    if (value === undefined ? text !== '' : value.greaterThan(0)) return value ?? ZERO
    this.refuse(field, { reason, description: 'must be greater than 0' })
    return ZERO
  }

  text(
    field: string,
    text: string,
    { lengthMax, reason }: { lengthMax: number; reason: Reason },
  ): string {
    if (isPlainText(text, lengthMax)) return text
    const description = `must be at most ${lengthMax} characters without control characters`
    this.refuse(field, { reason, description })
    return ''
  }

  currency(field: string, text: string): string {
    if (text === '' || isCurrencyCode(text)) return text
    this.refuse(field, CURRENCY_PROBLEM)
    return ''
  }

  /** A field that the type has no use for: taken in silence it would be lost in silence. */
  unused(field: string, text: string): void {
    if (text === '') return
    this.refuse(field, { reason: 'FIELD_NOT_ALLOWED', description: 'has no meaning for this type' })
  }
}
