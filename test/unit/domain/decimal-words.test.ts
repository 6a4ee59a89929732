import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  Decimal,
  decimal,
  decimalBytesMax,
  decimalText,
  divide,
  isAbove,
  minus,
  multiply,
  plus,
  quotientText,
  share,
  writeDecimal,
  ZERO,
} from '../../../src/domain/decimal.ts'

/** Everyday amounts, and those that are just too long for them, of either sign. */
const anyAmount = fc
  .oneof(
    fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: -4, max: 0 })),
    fc.tuple(fc.integer(), fc.integer({ min: -9, max: 9 })),
    fc.tuple(fc.maxSafeInteger(), fc.integer({ min: -30, max: 12 })),
    fc.tuple(
      fc.constantFrom(0, 1, 9_999_999, 10_000_000, 99_999_999_999_999, -90_071_992_547_409),
      fc.integer({ min: -21, max: 14 }),
    ),
  )
  .map(([digits, exponent]) => new Decimal(`${digits}e${exponent}`))

const parts = ({ s, e, d }: Decimal) => (d[0] === 0 ? 'zero' : { s, e, d })

function read(of: () => Decimal): string {
  try {
    return decimalText(of())
  } catch (error) {
    return String(error)
  }
}

/** The library's own division, rounded as decision 33 says. */
const Quotient = Decimal.clone({ precision: 34 })

describe('everyday arithmetic', () => {
  it('comes to what the library says, in the numbers that it would make', () => {
    fc.assert(
      fc.property(anyAmount, anyAmount, (left, right) => {
        expect(parts(plus(left, right))).toEqual(parts(left.plus(right)))
        expect(parts(minus(left, right))).toEqual(parts(left.minus(right)))
        const product = left.times(right).toSignificantDigits(34)
        expect(parts(multiply(left, right))).toEqual(parts(product))
      }),
      { numRuns: 5_000 },
    )
  })

  it('writes the characters of its text, wherever they go, within the room it asks for', () => {
    fc.assert(
      fc.property(anyAmount, fc.nat(3), (value, start) => {
        const room = decimalBytesMax(value)
        const bytes = new Uint8Array(start + room + 1).fill(0xff)
        const end = writeDecimal(value, bytes, start)
        expect(Buffer.from(bytes.subarray(start, end)).toString()).toBe(decimalText(value))
        expect(bytes[start + room]).toBe(0xff)
      }),
      { numRuns: 5_000 },
    )
  })

  it('knows what is no number, and what is beyond all', () => {
    const odd = [NaN, Infinity, -Infinity].map((value) => decimal(value))
    for (const left of odd) {
      for (const right of [...odd, decimal('1.5')]) {
        expect(decimalText(plus(left, right))).toBe(left.plus(right).toFixed())
        expect(decimalText(minus(right, left))).toBe(right.minus(left).toFixed())
        expect(decimalText(multiply(left, right))).toBe(left.times(right).toFixed())
      }
      expect(decimalText(multiply(ZERO, left))).toBe('NaN')
    }
  })

  it('has no negative zero', () => {
    expect(decimalText(multiply(decimal(-5), ZERO))).toBe('0')
    expect(multiply(decimal(-5), ZERO).isNegative()).toBe(false)
    expect(minus(decimal('1.5'), decimal('1.5')).isNegative()).toBe(false)
    expect(decimal('-0').isNegative()).toBe(false)
    expect(decimal('-0.00').isNegative()).toBe(false)
  })

  it('divides as the library does, ties included', () => {
    const [odd, power] = [fc.integer({ min: 7e14, max: 4.5e15 }), fc.integer({ min: 25, max: 42 })]
    const tie = fc.tuple(
      odd.map((half) => decimal(2 * half + 1)),
      power.map((two) => decimal(2 ** two)),
    )
    fc.assert(
      fc.property(fc.oneof(tie, fc.tuple(anyAmount, anyAmount)), ([dividend, divisor]) => {
        if (divisor.isZero()) return
        const expected = Quotient.div(dividend, divisor)
        expect(quotientText(dividend, divisor)).toBe(decimalText(expected))
        expect(parts(divide(dividend, divisor))).toEqual(parts(expected))
        const product = dividend.times(divisor)
        expect(parts(share(dividend, divisor, decimal(7)))).toEqual(parts(Quotient.div(product, 7)))
      }),
      { numRuns: 5_000 },
    )
  })

  it('reads and writes texts as the library does', () => {
    fc.assert(
      fc.property(anyAmount, (amount) => {
        const text = amount.toFixed()
        expect(decimalText(amount)).toBe(text === '-0' ? '0' : text)
        expect(parts(decimal(text))).toEqual(parts(amount))
        expect(parts(decimal(`${text}${text.includes('.') ? '' : '.'}000`))).toEqual(parts(amount))
      }),
      { numRuns: 5_000 },
    )
  })

  it.each(['', '-', '.', '5.', '-.5', '1.2.3', '1 ', 'x'])(
    'reads %j as the library does',
    (text) => {
      expect(read(() => decimal(text))).toBe(read(() => new Decimal(text)))
    },
  )
})

describe('isAbove', () => {
  it('compares as the library does', () => {
    fc.assert(
      fc.property(anyAmount, anyAmount, (value, other) => {
        const bound = other.abs()
        expect(isAbove(value, bound)).toBe(value.greaterThan(bound))
        expect(isAbove(value, ZERO)).toBe(value.greaterThan(0))
        expect(isAbove(bound, bound)).toBe(false)
      }),
      { numRuns: 2_000 },
    )
    expect(isAbove(decimal(Infinity), decimal(1))).toBe(true)
    expect(isAbove(decimal(NaN), decimal(1))).toBe(false)
  })
})
