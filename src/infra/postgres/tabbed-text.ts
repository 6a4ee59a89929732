const [TAB, NEW_LINE, MINUS, POINT, ZERO] = [9, 10, 45, 46, 48]

/** A double holds every whole number of so many digits, and its quotient by such a power of ten is rounded once. */
const EXACT_DIGITS = 15
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => 10 ** power)

/**
 * Reads lines of fields between tabs from left to right, each field as what it is known to be. Cutting a text of many
 * numbers into pieces first costs several times as much.
 */
export class TabbedText {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** Whether the field that was read last was the last one of its line. */
  get isLineRead(): boolean {
    return this.isAtEnd || this.#text.charCodeAt(this.#at - 1) === NEW_LINE
  }

  /** A whole number, exact up to 2^53. */
  integer(): number {
    const start = this.#at
    let value = 0
    for (let code = this.#next(); !isEnd(code); code = this.#next()) {
      if (code !== MINUS) value = value * 10 + (code - ZERO)
    }
    return this.#signed(value, start)
  }

  /** The double next to a decimal without an exponent, as `Number` has it. */
  decimal(): number {
    const start = this.#at
    let [digits, value, pointAt] = [0, 0, -1]
    for (let code = this.#next(); !isEnd(code); code = this.#next()) {
      if (code === POINT) {
        pointAt = digits
      } else if (code !== MINUS) {
        value = value * 10 + (code - ZERO)
        digits += 1
      }
    }
    if (digits > EXACT_DIGITS) return Number(this.#text.slice(start, this.#at - 1))
    if (pointAt >= 0) value /= POWERS_OF_TEN[digits - pointAt] ?? NaN
    return this.#signed(value, start)
  }

  word(): string {
    const start = this.#at
    while (!isEnd(this.#next()));
    return this.#text.slice(start, this.#at - 1)
  }

  #signed(value: number, start: number): number {
    return this.#text.charCodeAt(start) === MINUS ? -value : value
  }

  /** NaN after the last. */
  #next(): number {
    this.#at += 1
    return this.#text.charCodeAt(this.#at - 1)
  }
}

function isEnd(code: number): boolean {
  return code === TAB || code === NEW_LINE || Number.isNaN(code)
}
