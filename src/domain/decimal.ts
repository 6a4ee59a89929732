import { Decimal as DecimalLibrary } from 'decimal.js'

/**
 * Exact decimal numbers (semantics decision 33). Sums and differences are exact: 120 digits hold any sum of
 * amounts this service accepts. Products and quotients are rounded once, to 34 significant digits, half to even,
 * by {@link multiply}, {@link divide} and {@link share}; whoever splits an amount gives the last part the remainder.
 */
export const Decimal = DecimalLibrary.clone({
  precision: 120,
  rounding: DecimalLibrary.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
})
export type Decimal = DecimalLibrary

const SIGNIFICANT_DIGITS = 34
const Quotient = DecimalLibrary.clone({
  precision: SIGNIFICANT_DIGITS,
  rounding: DecimalLibrary.ROUND_HALF_EVEN,
})

export const ZERO = new Decimal(0)
export const ONE = new Decimal(1)

const DECIMAL_TEXT = /^-?\d{1,40}(\.\d{1,40})?$/

/** The decimal a trusted text or double stands for; a double is read by its shortest text, so 0.1 is 0.1. */
export function decimal(value: string | number): Decimal {
  // Most amounts of most rows are zero: no new number for them.
  return value === '0' ? ZERO : new Decimal(value)
}

/** The decimal of a client's plain text ("-12.34"), or undefined when it is none. No exponents. */
export function parseDecimal(text: string): Decimal | undefined {
  return DECIMAL_TEXT.test(text) ? new Decimal(text) : undefined
}

export function multiply(left: Decimal, right: Decimal): Decimal {
  const product = left.times(right)
  return product.precision() <= SIGNIFICANT_DIGITS
    ? product
    : product.toSignificantDigits(SIGNIFICANT_DIGITS)
}

/** @throws when `divisor` is zero: callers decide what a missing denominator means. */
export function divide(dividend: Decimal, divisor: Decimal): Decimal {
  if (divisor.isZero()) throw new RangeError('division by zero')
  return new Decimal(Quotient.div(dividend, divisor))
}

/** `amount` x `part` / `whole`, rounded once: the share that `part` of `whole` has in an amount. */
export function share(amount: Decimal, part: Decimal, whole: Decimal): Decimal {
  if (whole.isZero()) throw new RangeError('a share of nothing')
  return new Decimal(Quotient.div(amount.times(part), whole))
}

export function sum(values: Iterable<Decimal>): Decimal {
  let total = ZERO
  for (const value of values) total = plus(total, value)
  return total
}

/** The sum of amounts of which most are zero: no new number for those. */
export function plus(left: Decimal, right: Decimal): Decimal {
  if (right.isZero()) return left
  return left.isZero() ? right : left.plus(right)
}

/** Plain decimal text, never an exponent: what PostgreSQL's NUMERIC and the contract's strings hold. */
export function decimalText(value: Decimal): string {
  return value.isZero() ? '0' : value.toFixed()
}

/** The library's coefficient is in words of seven digits. */
const WORD_DIGITS = 7
const WORD = 10 ** WORD_DIGITS
/** Exact as doubles; 10^23 is not. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The double nearest to the exact decimal: the specification's messages carry doubles. Where coefficient and power of
 * ten are exact as doubles, one division rounds as correctly as reading the text does, in a tenth of its time.
 */
export function nearestDouble(value: Decimal): number {
  if (value.isZero()) return 0
  let coefficient = 0
  for (const word of value.d) coefficient = coefficient * WORD + word
  const exponent = (Math.floor(value.e / WORD_DIGITS) - value.d.length + 1) * WORD_DIGITS
  const power = POWERS_OF_TEN[Math.abs(exponent)]
  if (power === undefined || coefficient > Number.MAX_SAFE_INTEGER) return value.toNumber()
  return value.s * (exponent < 0 ? coefficient / power : coefficient * power)
}
