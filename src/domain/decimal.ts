import {
  Decimal,
  ofDigits,
  ofParts,
  placesPart,
  wholeDigits,
  WHOLE_MAX,
  wholeDouble,
  wholePart,
  wordProduct,
  wordsOfText,
  wordSum,
  wordText,
  writeWords,
  ZERO,
} from './decimal-words.ts'

export { Decimal, wordBytesMax as decimalBytesMax, ZERO } from './decimal-words.ts'

/*
 * Exact decimal numbers (semantics decision 33). Sums and differences are exact. Products and quotients are rounded
 * once, to 34 significant digits, half to even, by `multiply`, `divide` and `share`; whoever splits an amount gives the
 * last part the remainder.
 */

const SIGNIFICANT_DIGITS = 34
const Quotient = Decimal.clone({ precision: SIGNIFICANT_DIGITS })

export const ONE = new Decimal(1)

const DECIMAL_TEXT = /^-?\d{1,40}(\.\d{1,40})?$/

/** The decimal a trusted text or double stands for; a double is read by its shortest text, so 0.1 is 0.1. */
export function decimal(value: string | number): Decimal {
  // Most amounts of most rows are zero: no new number for them.
  if (value === '0') return ZERO
  return wordsOfText(String(value)) ?? new Decimal(value)
}

/** The decimal of a client's plain text ("-12.34"), or undefined when it is none. No exponents. */
export function parseDecimal(text: string): Decimal | undefined {
  return DECIMAL_TEXT.test(text) ? decimal(text) : undefined
}

export function multiply(left: Decimal, right: Decimal): Decimal {
  const short = wordProduct(left, right)
  if (short !== undefined) return short
  const product = left.times(right)
  return product.precision() <= SIGNIFICANT_DIGITS
    ? product
    : product.toSignificantDigits(SIGNIFICANT_DIGITS)
}

/** @throws when `divisor` is zero: callers decide what a missing denominator means. */
export function divide(dividend: Decimal, divisor: Decimal): Decimal {
  if (divisor.isZero()) throw new RangeError('division by zero')
  if (dividend.isZero()) return ZERO
  const quotient = shortQuotient(dividend, divisor)
  if (quotient === undefined) return new Decimal(Quotient.div(dividend, divisor))
  const { digits, exponent } = quotient
  return ofDigits(dividend.s * divisor.s, digits.toString(), exponent)
}

/** The text of {@link divide}: most quotients are made to be shown, and no number is needed. */
export function quotientText(dividend: Decimal, divisor: Decimal): string {
  if (divisor.isZero()) throw new RangeError('division by zero')
  if (dividend.isZero()) return '0'
  const quotient = shortQuotient(dividend, divisor)
  if (quotient === undefined) return decimalText(divide(dividend, divisor))
  const text = plainText(quotient.digits.toString(), quotient.exponent)
  return dividend.s === divisor.s ? text : `-${text}`
}

/** |dividend| / |divisor|, neither of them zero, rounded to so many digits as count; the library takes three times as long. */
function shortQuotient(
  dividend: Decimal,
  divisor: Decimal,
): { readonly digits: bigint; readonly exponent: number } | undefined {
  if (!dividend.isFinite() || !divisor.isFinite()) return undefined
  const [above, below] = [wholeDigits(dividend), wholeDigits(divisor)]
  // With so many zeros behind it the quotient has as many digits as are kept, or one more.
  let shift = SIGNIFICANT_DIGITS - (above.count - below.count)
  const [power, less] = [POWERS_OF_TEN[shift], POWERS_OF_TEN[shift - 1]]
  if (power === undefined || less === undefined) return undefined
  let scaled = above.digits * power
  let kept = scaled / below.digits
  if (kept >= KEPT_END) {
    shift -= 1
    scaled = above.digits * less
    kept = scaled / below.digits
  }
  const twice = (scaled - kept * below.digits) * 2n
  if (twice > below.digits || (twice === below.digits && kept % 2n === 1n)) kept += 1n
  return { digits: kept, exponent: above.exponent - below.exponent - shift }
}

const POWERS_OF_TEN = Array.from({ length: 121 }, (_, exponent) => 10n ** BigInt(exponent))

/** The first number with a digit too many. */
const KEPT_END = 10n ** BigInt(SIGNIFICANT_DIGITS)

/** `digits` x 10^`exponent` without an exponent and without zeros at the end of its decimals. */
function plainText(digits: string, exponent: number): string {
  if (exponent >= 0) return digits + '0'.repeat(exponent)
  const places = -exponent
  const point = digits.length - places
  let end = digits.length
  while (end > point && end > 0 && digits.charCodeAt(end - 1) === ZERO_CODE) end -= 1
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits.slice(0, end)}`
  return end === point
    ? digits.slice(0, point)
    : `${digits.slice(0, point)}.${digits.slice(point, end)}`
}

const ZERO_CODE = 48

/** `amount` x `part` / `whole`, rounded once: the share that `part` of `whole` has in an amount. */
export function share(amount: Decimal, part: Decimal, whole: Decimal): Decimal {
  if (whole.isZero()) throw new RangeError('a share of nothing')
  return divide(wordProduct(amount, part) ?? amount.times(part), whole)
}

export function sum(values: Iterable<Decimal>): Decimal {
  let total = ZERO
  for (const value of values) total = plus(total, value)
  return total
}

/**
 * A running sum, exact. What is before the point of everyday amounts, and the seven places behind it, are summed as
 * doubles that hold them exactly: no number is made for each step. What does not fit there is added by the library.
 */
export class Total {
  #whole = 0
  #places = 0
  #rest = ZERO

  add(amount: Decimal): void {
    const own = wholePart(amount)
    const whole = this.#whole + amount.s * own
    if (own <= WHOLE_MAX && Math.abs(whole) <= TOTAL_MAX) {
      this.#whole = whole
      this.#places += amount.s * placesPart(amount)
    } else {
      this.#rest = plus(this.#rest, amount)
    }
  }

  get value(): Decimal {
    return plus(this.#rest, ofParts(this.#whole, this.#places))
  }
}

/** Of whole parts; whoever adds a hundred million amounts without one has places that still fit. */
const TOTAL_MAX = 1e15

/** The sum of amounts of which most are zero: no new number for those. */
export function plus(left: Decimal, right: Decimal): Decimal {
  if (right.isZero()) return left
  return left.isZero() ? right : (wordSum(left, 1, right) ?? left.plus(right))
}

export function minus(left: Decimal, right: Decimal): Decimal {
  if (right.isZero()) return left
  return wordSum(left, -1, right) ?? left.minus(right)
}

/** Plain decimal text, never an exponent: what PostgreSQL's NUMERIC and the contract's strings hold. */
export function decimalText(value: Decimal): string {
  return value.isZero() ? '0' : wordText(value)
}

/** Writes the characters of {@link decimalText}, of a finite number, at a place of `bytes`. @returns the place behind them. */
export function writeDecimal(value: Decimal, bytes: Uint8Array, start: number): number {
  if (!value.isZero()) return writeWords(value, bytes, start)
  bytes[start] = ZERO_CODE
  return start + 1
}

/** Exact as doubles; 10^23 is not. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The double nearest to the exact decimal: the specification's messages carry doubles. Where coefficient and power of
 * ten are exact as doubles, one division rounds as correctly as reading the text does, in a tenth of its time.
 */
export function nearestDouble(value: Decimal): number {
  if (value.isZero()) return 0
  const { digits, exponent } = wholeDouble(value)
  const power = EXACT_POWERS[Math.abs(exponent)]
  if (power === undefined || digits > Number.MAX_SAFE_INTEGER) return Number(wordText(value))
  return value.s * (exponent < 0 ? digits / power : digits * power)
}

/** Whether a value is above one that is not negative. */
export function isAbove(value: Decimal, bound: Decimal): boolean {
  if (bound.isZero()) return value.s > 0 && !value.isZero()
  // The library makes a number of its own of what it compares with: most are not nearly as large.
  return !(value.e < bound.e) && value.greaterThan(bound)
}
