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

/** The text of {@link divide}, in a third of its time: most quotients are made to be shown, and no number is needed. */
export function quotientText(dividend: Decimal, divisor: Decimal): string {
  if (divisor.isZero()) throw new RangeError('division by zero')
  if (dividend.isZero()) return '0'
  const [above, below] = [wholeDigits(dividend), wholeDigits(divisor)]
  // One or two digits more than are kept.
  const shift = SIGNIFICANT_DIGITS + 1 - (above.count - below.count)
  if (shift < 0 || shift >= POWERS_OF_TEN.length) return decimalText(divide(dividend, divisor))
  const scaled = above.digits * powerOfTen(shift)
  const quotient = scaled / below.digits
  const spare = quotient < powerOfTen(SIGNIFICANT_DIGITS + 1) ? 1 : 2
  const unit = powerOfTen(spare)
  let kept = quotient / unit
  const twice = (quotient - kept * unit) * 2n
  const isTie = twice === unit && quotient * below.digits === scaled
  if (isTie ? kept % 2n === 1n : twice >= unit) kept += 1n
  const text = plainText(kept.toString(), above.exponent - below.exponent - shift + spare)
  return dividend.isNegative() === divisor.isNegative() ? text : `-${text}`
}

const POWERS_OF_TEN = Array.from({ length: 121 }, (_, exponent) => 10n ** BigInt(exponent))

function powerOfTen(exponent: number): bigint {
  return POWERS_OF_TEN[exponent] ?? 10n ** BigInt(exponent)
}

/** A number that is not zero, its sign apart, as `digits` x 10^`exponent`; the library keeps words of seven digits. */
function wholeDigits({ d: words, e }: Decimal): {
  digits: bigint
  exponent: number
  count: number
} {
  const [first = 0, second = 0] = words
  let digits = BigInt(words.length === 1 ? first : first * WORD + second)
  for (const word of words.slice(2)) digits = digits * BIG_WORD + BigInt(word)
  const exponent = (Math.floor(e / WORD_DIGITS) - (words.length - 1)) * WORD_DIGITS
  return { digits, exponent, count: e - exponent + 1 }
}

const WORD_DIGITS = 7
const WORD = 10 ** WORD_DIGITS
const BIG_WORD = BigInt(WORD)

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

const ZERO_CODE = '0'.charCodeAt(0)

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

/**
 * A running sum, exact. Everyday amounts are counted as whole units of one word's last place, which a double holds
 * exactly: no number is made for each step. What does not fit there is added by the library.
 */
export class Total {
  #units = 0
  #rest = ZERO

  add(amount: Decimal): void {
    const own = amount.s * wordUnits(amount)
    const units = this.#units + own
    if (Math.max(Math.abs(own), Math.abs(units)) <= Number.MAX_SAFE_INTEGER) this.#units = units
    else this.#rest = plus(this.#rest, amount)
  }

  get value(): Decimal {
    return this.#units === 0 ? this.#rest : plus(this.#rest, ofWordUnits(this.#units))
  }
}

/** |value| in units of 10^-7; more than any safe integer when it is no whole number of those, or too large. */
function wordUnits({ d: words, e }: Decimal): number {
  const first = words[0] ?? 0
  if (first === 0) return 0
  const places = words.length - 1 - Math.floor(e / WORD_DIGITS)
  if (places > 1) return Number.POSITIVE_INFINITY
  let units = first
  for (let index = 1; index < words.length; index += 1) units = units * WORD + (words[index] ?? 0)
  for (let place = places; place < 1; place += 1) units *= WORD
  return units
}

function ofWordUnits(units: number): Decimal {
  const size = Math.abs(units)
  const whole = Math.floor(size / WORD)
  const places = String(size - whole * WORD).padStart(WORD_DIGITS, '0')
  return new Decimal(`${units < 0 ? '-' : ''}${whole}.${places}`)
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

/** Exact as doubles; 10^23 is not. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The double nearest to the exact decimal: the specification's messages carry doubles. Where coefficient and power of
 * ten are exact as doubles, one division rounds as correctly as reading the text does, in a tenth of its time.
 */
export function nearestDouble(value: Decimal): number {
  if (value.isZero()) return 0
  let coefficient = 0
  for (const word of value.d) coefficient = coefficient * WORD + word
  const exponent = (Math.floor(value.e / WORD_DIGITS) - value.d.length + 1) * WORD_DIGITS
  const power = EXACT_POWERS[Math.abs(exponent)]
  if (power === undefined || coefficient > Number.MAX_SAFE_INTEGER) return value.toNumber()
  return value.s * (exponent < 0 ? coefficient / power : coefficient * power)
}
