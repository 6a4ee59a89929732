import { Decimal as DecimalLibrary } from 'decimal.js'

/** 120 digits hold any sum of amounts this service accepts. */
export const Decimal = DecimalLibrary.clone({
  precision: 120,
  rounding: DecimalLibrary.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
})
export type Decimal = DecimalLibrary

/*
 * The arithmetic of everyday numbers, a word or two long, on the words themselves: the library's own is made for any
 * length, and takes several times as long. What does not fit is undefined here and left to it; tests hold the two
 * against each other. A number is its sign `s`, its words `d` from the highest, without zeros at either end, and the
 * decimal exponent `e` of its first digit, as the library documents them.
 */

const WORD_DIGITS = 7
const WORD = 10 ** WORD_DIGITS
const [ZERO_CODE, NINE_CODE, POINT, MINUS] = [48, 57, 46, 45]

export const ZERO = new Decimal(0)

/** left x right, exactly. */
export function wordProduct(left: Decimal, right: Decimal): Decimal | undefined {
  if (!isShort(left) || !isShort(right)) return undefined
  const [a0 = 0, a1 = 0] = left.d
  const [b0 = 0, b1 = 0] = right.d
  if (a0 === 0 || b0 === 0) return ZERO
  // Two words times two are four, the lowest last; each product of words is below 10^14, and a sum of two exact.
  const low = a1 * b1
  const w3 = low % WORD
  const middle = a0 * b1 + a1 * b0 + (low - w3) / WORD
  const w2 = middle % WORD
  const high = a0 * b0 + (middle - w2) / WORD
  const w1 = high % WORD
  const w0 = (high - w1) / WORD
  const [sign, top] = [left.s * right.s, topOf(left) + topOf(right)]
  return w0 === 0
    ? ofWords(sign, top, lastNotZero(w1, w2, w3))
    : ofWords(sign, top + 1, w3 === 0 ? lastNotZero(w0, w1, w2) : [w0, w1, w2, w3])
}

function isShort(value: Decimal): boolean {
  return value.isFinite() && value.d.length <= 2
}

/** left + `sign` x right, exactly. */
export function wordSum(left: Decimal, sign: 1 | -1, right: Decimal): Decimal | undefined {
  const [own, other] = [left.s * wholePart(left), sign * right.s * wholePart(right)]
  if (!(Math.abs(own) <= WHOLE_MAX && Math.abs(other) <= WHOLE_MAX)) return undefined
  return ofParts(own + other, left.s * placesPart(left) + sign * right.s * placesPart(right))
}

/** The number that a plain decimal text stands for; undefined also where it is none. */
export function wordsOfText(text: string): Decimal | undefined {
  const isNegative = text.charCodeAt(0) === MINUS
  let [units, at] = [0, isNegative ? 1 : 0]
  const start = at
  for (; isDigit(text.charCodeAt(at)); at += 1) units = units * 10 + digitAt(text, at)
  if (at === start || at - start > WORD_DIGITS + 1) return undefined
  let places = 0
  if (text.charCodeAt(at) === POINT) {
    for (at += 1; isDigit(text.charCodeAt(at)); at += 1) {
      units = units * 10 + digitAt(text, at)
      places += 1
    }
    if (places === 0 || places > WORD_DIGITS) return undefined
  }
  if (at !== text.length) return undefined
  for (; places < WORD_DIGITS; places += 1) units *= 10
  const behind = units % WORD
  return ofUnsigned(isNegative ? -1 : 1, (units - behind) / WORD, behind)
}

/** A sum of many of those, and of their {@link placesPart}s, is exact as a double. */
export const WHOLE_MAX = 1e12

/** What is before the point, of |value|; infinite when there is more behind it than {@link placesPart} is. */
export function wholePart(value: Decimal): number {
  if (!value.isFinite()) return Number.POSITIVE_INFINITY
  const { d: words } = value
  const top = topOf(value)
  if (words.length > top + 2 || top > 1) return Number.POSITIVE_INFINITY
  const first = words[0] ?? 0
  if (top < 1) return top < 0 ? 0 : first
  return first * WORD + (words[1] ?? 0)
}

/** What is behind it, in units of 10^-7. */
export function placesPart(value: Decimal): number {
  return value.d[topOf(value) + 1] ?? 0
}

/** The sum of a whole number and so many 10^-7, of which either may be negative. */
export function ofParts(whole: number, places: number): Decimal {
  const carried = Math.floor(places / WORD)
  let [above, below] = [whole + carried, places - carried * WORD]
  const sign = above < 0 ? -1 : 1
  // Both of one sign: 3 - 0.5 is 2 and 0.5, and -3 + 0.5 is -2 and -0.5.
  if (sign < 0 && below !== 0) [above, below] = [above + 1, WORD - below]
  return ofUnsigned(sign, Math.abs(above), below)
}

function ofUnsigned(sign: number, whole: number, places: number): Decimal {
  if (whole === 0) return places === 0 ? ZERO : ofWords(sign, -1, [places])
  if (whole < WORD) return ofWords(sign, 0, places === 0 ? [whole] : [whole, places])
  const low = whole % WORD
  const rest = (whole - low) / WORD
  if (rest < WORD) return ofWords(sign, 1, lastNotZero(rest, low, places))
  const middle = rest % WORD
  const high = (rest - middle) / WORD
  return places === 0
    ? ofWords(sign, 2, lastNotZero(high, middle, low))
    : ofWords(sign, 2, [high, middle, low, places])
}

/** `digits` x 10^`exponent`; of a text of digits that does not begin with a zero. */
export function ofDigits(sign: number, digits: string, exponent: number): Decimal {
  let end = digits.length
  while (digits.charCodeAt(end - 1) === ZERO_CODE) end -= 1
  const places = exponent + digits.length - end
  // Words begin where the power of ten is a multiple of theirs.
  const lowest = Math.floor(places / WORD_DIGITS)
  const padded = digits.slice(0, end) + '0'.repeat(places - lowest * WORD_DIGITS)
  const words: number[] = []
  const firstEnd = padded.length % WORD_DIGITS || WORD_DIGITS
  for (let from = 0, to = firstEnd; from < padded.length; from = to, to += WORD_DIGITS) {
    words.push(Number(padded.slice(from, to)))
  }
  return ofWords(sign, lowest + words.length - 1, words)
}

/** Plain text, never an exponent, of a number that is not zero. */
export function wordText(value: Decimal): string {
  if (!value.isFinite()) return value.toFixed()
  const { d: words } = value
  const top = topOf(value)
  let text = value.s < 0 ? '-' : ''
  text += top < 0 ? '0' : String(words[0] ?? 0)
  for (let index = 1; index <= top; index += 1) text += paddedWord(words[index] ?? 0)
  const last = words.length - 1
  if (last <= top) return text
  text += '.'
  for (let place = -1; place > top; place -= 1) text += paddedWord(0)
  for (let index = Math.max(top + 1, 0); index < last; index += 1) {
    text += paddedWord(words[index] ?? 0)
  }
  return text + placesOfWord(words[last] ?? 0)
}

/** Room for what {@link writeWords} writes of a number. */
export function wordBytesMax(value: Decimal): number {
  return WORD_DIGITS * (value.d.length + Math.abs(topOf(value)) + 1)
}

/** Writes the characters of {@link wordText}, of a finite number, at a place of `bytes`. @returns the place behind them. */
export function writeWords(value: Decimal, bytes: Uint8Array, start: number): number {
  const { d: words } = value
  const top = topOf(value)
  let at = start
  if (value.s < 0) bytes[at++] = MINUS
  const [first = 0] = words
  if (top < 0) bytes[at++] = ZERO_CODE
  else at = writeDigits(first, digitCount(first), bytes, at)
  for (let index = 1; index <= top; index += 1) {
    at = writeDigits(words[index] ?? 0, WORD_DIGITS, bytes, at)
  }
  if (words.length <= top + 1) return at
  bytes[at++] = POINT
  for (let place = -1; place > top; place -= 1) at = writeDigits(0, WORD_DIGITS, bytes, at)
  for (let index = Math.max(top + 1, 0); index < words.length; index += 1) {
    at = writeDigits(words[index] ?? 0, WORD_DIGITS, bytes, at)
  }
  while (bytes[at - 1] === ZERO_CODE) at -= 1
  return at
}

function writeDigits(word: number, count: number, bytes: Uint8Array, start: number): number {
  let rest = word
  for (let at = start + count - 1; at >= start; at -= 1) {
    const above = (rest / 10) | 0
    bytes[at] = ZERO_CODE + rest - above * 10
    rest = above
  }
  return start + count
}

/** A number that is not zero, its sign apart, as `digits` x 10^`exponent`; the library keeps words of seven digits. */
export function wholeDigits(value: Decimal): { digits: bigint; exponent: number; count: number } {
  const { d: words, e } = value
  let index = 0
  let exact = 0
  for (; index < words.length && exact < EXACT_BEFORE_WORD; index += 1) {
    exact = exact * WORD + (words[index] ?? 0)
  }
  let digits = BigInt(exact)
  for (; index < words.length; index += 1) digits = digits * BIG_WORD + BigInt(words[index] ?? 0)
  const exponent = (topOf(value) - (words.length - 1)) * WORD_DIGITS
  return { digits, exponent, count: e - exponent + 1 }
}

const BIG_WORD = BigInt(WORD)
/** With a word behind it a number below this is still exact as a double. */
const EXACT_BEFORE_WORD = Math.floor(Number.MAX_SAFE_INTEGER / WORD)

/** The same as a double, which does not hold more digits than it does exactly. */
export function wholeDouble(value: Decimal): { digits: number; exponent: number } {
  let digits = 0
  for (const word of value.d) digits = digits * WORD + word
  return { digits, exponent: (topOf(value) - value.d.length + 1) * WORD_DIGITS }
}

/** The first word counts 10^7 to this power. */
function topOf({ e }: Decimal): number {
  return Math.floor(e / WORD_DIGITS)
}

/** A number of words without zeros at either end, of which the first counts 10^7 to the power of `top`. */
function ofWords(sign: number, top: number, words: number[]): Decimal {
  // As the library's own constructor has it, which takes four times as long to read a number that it then is not.
  const value = Object.create(Decimal.prototype) as Written
  value.constructor = Decimal
  value.s = sign
  value.e = top * WORD_DIGITS + digitCount(words[0] ?? 0) - 1
  value.d = words
  return value
}

type Written = { -readonly [Part in keyof Decimal]: Decimal[Part] }

/** Words, of which the first is not zero, without zeros at their end. */
function lastNotZero(first: number, second: number, third: number): number[] {
  if (third !== 0) return [first, second, third]
  return second === 0 ? [first] : [first, second]
}

function digitCount(word: number): number {
  if (word < 1_000) return word < 10 ? 1 : word < 100 ? 2 : 3
  if (word < 100_000) return word < 10_000 ? 4 : 5
  return word < 1_000_000 ? 6 : 7
}

function paddedWord(word: number): string {
  return String(WORD + word).slice(1)
}

/** The digits of a last word, not zero, behind the point. */
function placesOfWord(word: number): string {
  let [rest, above] = [word, WORD]
  while (rest % 10 === 0) {
    rest /= 10
    above /= 10
  }
  return String(above + rest).slice(1)
}

function isDigit(code: number): boolean {
  return code >= ZERO_CODE && code <= NINE_CODE
}

function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) - ZERO_CODE
}
