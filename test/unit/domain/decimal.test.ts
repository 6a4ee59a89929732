import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  Decimal,
  decimal,
  decimalText,
  divide,
  multiply,
  nearestDouble,
  parseDecimal,
  quotientText,
  share,
  sum,
  Total,
} from '../../../src/domain/decimal.ts'

const Exact = Decimal.clone({ precision: 1_200 })
const Quotient = Decimal.clone({ precision: 34 })

/** The rational numerator / denominator, both > 0, to 34 significant digits, half to even: by long division. */
function roundedQuotient(numerator: bigint, denominator: bigint): string {
  let exponent = 0
  let [above, below] = [numerator, denominator]
  while (above / below >= 10n ** 34n) {
    below *= 10n
    exponent += 1
  }
  while (above / below < 10n ** 33n) {
    above *= 10n
    exponent -= 1
  }
  const [whole, twice] = [above / below, (above % below) * 2n]
  const up = twice > below || (twice === below && whole % 2n === 1n)
  return decimalText(decimal(`${up ? whole + 1n : whole}e${exponent}`))
}

/** The exact value of a double, which its shortest text is not. */
function exactValue(double: number): Decimal {
  let [mantissa, exponent] = [double, 0]
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent -= 1
  }
  return new Exact(BigInt(mantissa).toString()).times(new Exact(2).pow(exponent))
}

function neighbours(double: number): readonly number[] {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, double)
  const bits = view.getBigInt64(0)
  return [bits - 1n, bits + 1n].map((near) => {
    view.setBigInt64(0, near)
    return view.getFloat64(0)
  })
}

const natural = fc.bigInt({ min: 1n, max: 10n ** 33n })

describe('rounding (decision 33)', () => {
  it('is to 34 significant digits, half to even', () => {
    const long = '1000000000000000000000000000000001'
    expect(decimalText(multiply(decimal(long), decimal('1.5')))).toBe(
      '1500000000000000000000000000000002',
    )
    expect(decimalText(multiply(decimal(long), decimal('2.5')))).toBe(
      '2500000000000000000000000000000002',
    )
    expect(decimalText(divide(decimal(1), decimal(3)))).toBe(`0.${'3'.repeat(34)}`)
    expect(decimalText(divide(decimal(2), decimal(3)))).toBe(`0.${'6'.repeat(33)}7`)
  })

  it('happens once in a product, a quotient and a share', () => {
    fc.assert(
      fc.property(natural, natural, natural, (amount, part, whole) => {
        const [a, p, w] = [amount, part, whole].map((value) => decimal(value.toString()))
        expect(decimalText(multiply(a!, p!))).toBe(roundedQuotient(amount * part, 1n))
        expect(decimalText(divide(a!, w!))).toBe(roundedQuotient(amount, whole))
        expect(decimalText(share(a!, p!, w!))).toBe(roundedQuotient(amount * part, whole))
      }),
      { numRuns: 300 },
    )
  })

  it('is the same in the text of a quotient', () => {
    const places = fc.integer({ min: -30, max: 60 })
    const small = fc.bigInt({ min: 1n, max: 10n ** 6n })
    const digits = fc.oneof(natural, small, fc.bigInt({ min: 1n, max: 10n ** 90n }))
    const value = fc
      .tuple(digits, places, fc.boolean())
      .map(([whole, exponent, below]) => decimal(`${below ? '-' : ''}${whole}e${-exponent}`))
    fc.assert(
      fc.property(value, value, (dividend, divisor) => {
        const expected = decimalText(Quotient.div(dividend, divisor))
        expect(quotientText(dividend, divisor)).toBe(expected)
        expect(decimalText(divide(dividend, divisor))).toBe(expected)
      }),
      { numRuns: 3_000 },
    )
  })

  it('is half to even in the text of a quotient', () => {
    const [even, odd] = [`1${'0'.repeat(32)}2`, `1${'0'.repeat(32)}3`]
    for (const whole of [even, odd]) {
      for (const beyond of ['49', '5', '51', `5${'0'.repeat(40)}1`]) {
        const dividend = decimal(`${whole}${beyond}e-20`)
        const text = quotientText(dividend, decimal(1))
        expect(text).toBe(decimalText(divide(dividend, decimal(1))))
      }
    }
    expect(quotientText(decimal(`${even}5`), decimal(1))).toBe(`${even}0`)
    expect(quotientText(decimal(0), decimal(7))).toBe('0')
    expect(quotientText(decimal(-1), decimal(8))).toBe('-0.125')
    expect(quotientText(decimal('9'.repeat(40)), decimal(1))).toBe(`1${'0'.repeat(40)}`)
  })

  it('never happens in a sum', () => {
    const values = [decimal('1e15'), decimal('1e-70'), decimal('-1e15')]
    expect(decimalText(sum(values.slice(0, 2)))).toBe(`1000000000000000.${'0'.repeat(69)}1`)
    expect(decimalText(sum(values))).toBe(`0.${'0'.repeat(69)}1`)
    expect(decimalText(sum([]))).toBe('0')
  })

  it('has no answer for a division by zero', () => {
    expect(() => divide(decimal(1), decimal(0))).toThrow('division by zero')
    expect(() => quotientText(decimal(1), decimal(0))).toThrow('division by zero')
    expect(() => share(decimal(1), decimal(1), decimal(0))).toThrow('share of nothing')
  })
})

function totalOf(amounts: readonly Decimal[]): Decimal {
  const total = new Total()
  for (const amount of amounts) total.add(amount)
  return total.value
}

describe('Total', () => {
  it('is the sum, whatever fits into a double and whatever does not', () => {
    const everyday = fc.tuple(fc.integer(), fc.integer({ min: -8, max: 2 }))
    const odd = fc.tuple(fc.maxSafeInteger(), fc.integer({ min: -25, max: 12 }))
    const edge = fc.tuple(
      fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 9_999_999, -1),
      fc.integer({ min: -8, max: -6 }),
    )
    const amount = fc
      .oneof(everyday, odd, edge)
      .map(([digits, exponent]) => decimal(`${digits}e${exponent}`))
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 12 }), (amounts) => {
        expect(decimalText(totalOf(amounts))).toBe(decimalText(sum(amounts)))
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    [[], '0'],
    [['-0.0000001', '0.0000001'], '0'],
    [['900719925.4740991', '0.0000001'], '900719925.4740992'],
    [['-900000000', '945107073.1715769'], '45107073.1715769'],
    [['0.00000001', '5'], '5.00000001'],
    [['70000000', '-0.5'], '69999999.5'],
  ])('of %j is %s', (texts, expected) => {
    expect(decimalText(totalOf(texts.map(decimal)))).toBe(expected)
  })
})

describe('doubles (decision 33)', () => {
  it('come in by their shortest text', () => {
    expect(decimalText(decimal(0.1))).toBe('0.1')
    expect(decimalText(decimal(0.1).plus(decimal(0.2)))).toBe('0.3')
    expect(decimalText(decimal(1e-7))).toBe('0.0000001')
  })

  it('go out as the nearest to the exact decimal', () => {
    expect(nearestDouble(decimal(0.1).plus(decimal(0.2)))).toBe(0.3)
    fc.assert(
      fc.property(natural, fc.integer({ min: 0, max: 45 }), (digits, places) => {
        const value = decimal(`${digits}e-${places}`)
        const double = nearestDouble(value)
        const distance = exactValue(double).minus(value).abs()
        for (const near of neighbours(double)) {
          expect(exactValue(near).minus(value).abs().lessThan(distance)).toBe(false)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('go out as the nearest to an amount of few digits, as the library says', () => {
    const digits = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -10_000_000, max: 10_000_000 }))
    fc.assert(
      fc.property(digits, fc.integer({ min: -30, max: 30 }), (whole, places) => {
        const value = decimal(`${whole}e${-places}`)
        expect(nearestDouble(value)).toBe(whole === 0 ? 0 : value.toNumber())
        expect(nearestDouble(value)).toBe(Number(`${whole}e${-places}`) + 0)
      }),
      { numRuns: 3_000 },
    )
  })

  it('come back as they went in', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(double, (value) => {
        expect(nearestDouble(decimal(value))).toBe(value === 0 ? 0 : value)
      }),
    )
  })

  it('are never a negative zero', () => {
    expect(Object.is(nearestDouble(decimal(-0)), 0)).toBe(true)
  })
})

describe('text', () => {
  it('is plain, without exponent or negative zero', () => {
    expect(decimalText(decimal('1e21'))).toBe(`1${'0'.repeat(21)}`)
    expect(decimalText(decimal('-1.50e-30'))).toBe(`-0.${'0'.repeat(29)}15`)
    expect(decimalText(decimal('-0'))).toBe('0')
    expect(decimal('1e-70').toString()).toBe(`0.${'0'.repeat(69)}1`)
  })

  it.each([
    ['12.34', '12.34'],
    ['-0.10', '-0.1'],
    ['007', '7'],
    ['9'.repeat(40), '9'.repeat(40)],
  ])('of a client %s is read', (text, expected) => {
    expect(decimalText(parseDecimal(text) ?? decimal(-1))).toBe(expected)
  })

  it.each([
    '',
    ' ',
    ' 1',
    '1 ',
    '1\n',
    '+1',
    '--1',
    '.5',
    '1.',
    '1,5',
    '1e3',
    '0x10',
    '1_000',
    'NaN',
    'Infinity',
    '-Infinity',
    '١',
    '1.2.3',
    '9'.repeat(41),
    `0.${'1'.repeat(41)}`,
  ])('of a client %j is refused', (text) => {
    expect(parseDecimal(text)).toBeUndefined()
  })
})
