import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import { moneyWeightedReturn } from '../../../../src/domain/analytics/money-weighted.ts'
import { type DatedAmount, logRates } from '../../../../src/domain/analytics/rate-of-return.ts'
import { period } from './periods.ts'

type Vector = readonly [day: string, amount: number][]

const rates = (vector: Vector): number[] =>
  logRates(vector.map(([day, amount]) => ({ day: epochDay(day), amount }))).map(Math.expm1)

/** Payments a year apart, so that the roots are those of a polynomial in 1 / (1 + rate). */
const yearly = (amounts: readonly number[]): DatedAmount[] =>
  amounts.map((amount, year) => ({ day: year * 365, amount }))

const relativeError = (value: number, expected: number): number =>
  Math.abs(value - expected) / Math.max(1, Math.abs(expected))

describe('logRates', () => {
  it.each<[string, number, number, Vector]>([
    [
      "the example in Excel's documentation of XIRR",
      0.373362535,
      1e-8,
      [
        ['2008-01-01', -10_000],
        ['2008-03-01', 2_750],
        ['2008-10-30', 4_250],
        ['2009-02-15', 3_250],
        ['2009-04-01', 2_750],
      ],
    ],
    [
      'a loss in a part of a year',
      -0.6453638827,
      1e-9,
      [
        ['2019-12-31', -80_005.8],
        ['2020-03-12', 65_209.6],
      ],
    ],
    [
      'a huge rate',
      412_461.6383,
      1e-9,
      [
        ['2019-12-31', -100],
        ['2020-03-05', 1_000],
      ],
    ],
    [
      'two years and a bit',
      0.010061265164920336,
      1e-9,
      [
        ['2010-12-29', -10_000],
        ['2012-01-25', 20],
        ['2012-03-08', 10_100],
      ],
    ],
    [
      'near -1 (tubedude/xirr#22)',
      -0.984602,
      1e-6,
      [
        ['2017-02-23', -627_752],
        ['2017-11-07', -75_167],
        ['2020-03-01', 6.9],
      ],
    ],
    [
      'nearer -1, where that library answers 0',
      -0.98467,
      1e-4,
      [
        ['2017-02-23', -627_752],
        ['2017-11-07', -75_167],
        ['2020-03-01', 6.8],
      ],
    ],
    [
      'a short loss (klippero/xirr-bug)',
      -0.742,
      5e-4,
      [
        ['2019-09-10', -400],
        ['2020-01-21', -400],
        ['2020-02-24', -400],
        ['2020-03-16', 895.24],
      ],
    ],
    [
      'break even',
      0,
      1e-15,
      [
        ['2019-12-31', -100],
        ['2020-03-05', 100],
      ],
    ],
  ])('solves %s', (_name, expected, error, vector) => {
    const found = rates(vector)
    expect(found).toHaveLength(1)
    expect(relativeError(found[0]!, expected)).toBeLessThan(error)
  })

  it.each<[string, number[], number[]]>([
    ['the oil pump problem (Lorie and Savage 1955)', [-1_600, 10_000, -10_000], [0.25, 4]],
    ['three roots', [-1_000, 3_600, -4_310, 1_716], [0.1, 0.2, 0.3]],
    [
      'a root above and one below zero',
      [-100, 150, -45],
      [3 / (5 + Math.sqrt(5)) - 1, 3 / (5 - Math.sqrt(5)) - 1],
    ],
    ['a touching root', [-100, 240, -144], [0.2]],
    ['a touching root at zero', [-100, 200, -100], [0]],
    ['a root at zero and another', [-100, 230, -130], [0, 0.3]],
    ['no root between two changes of sign', [-100, 200, -150], []],
    ['no change of sign', [-100, -5], []],
    ['nothing', [], []],
  ])('finds every root: %s', (_name, amounts, expected) => {
    const found = logRates(yearly(amounts)).map(Math.expm1)
    expect(found.map((rate) => Math.round(rate * 1e6) / 1e6)).toEqual(
      expected.map((rate) => Math.round(rate * 1e6) / 1e6),
    )
  })

  it('finds exactly the roots that payments were made from', () => {
    const growths = fc.uniqueArray(fc.integer({ min: 2, max: 60 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(growths, (twentieths) => {
        const factors = twentieths.toSorted((left, right) => left - right).map((n) => n / 20)
        // product of (1 - factor v), v = 1 / (1 + rate)
        let amounts = [1]
        for (const factor of factors) {
          const longer = [...amounts, 0]
          amounts = longer.map((amount, at) => amount - factor * (amounts[at - 1] ?? 0))
        }
        const found = logRates(yearly(amounts)).map(Math.exp)
        expect(found).toHaveLength(factors.length)
        for (const [at, factor] of factors.entries()) expect(found[at]).toBeCloseTo(factor, 5)
      }),
    )
  })

  it('discounts any payments to nothing at what it finds', () => {
    const payment = fc.record({
      day: fc.integer({ min: 0, max: 4_000 }),
      amount: fc.integer({ min: -1_000, max: 1_000 }),
    })
    fc.assert(
      fc.property(fc.array(payment, { maxLength: 12, size: 'max' }), (payments) => {
        for (const rate of logRates(payments)) {
          const exponents = payments.map(({ day }) => (-rate * day) / 365)
          const greatest = Math.max(...exponents)
          const values = payments.map(
            ({ amount }, at) => amount * Math.exp((exponents[at] ?? NaN) - greatest),
          )
          const gross = values.reduce((sum, value) => sum + Math.abs(value), 0)
          expect(Math.abs(values.reduce((sum, value) => sum + value, 0)) / gross).toBeLessThan(1e-9)
        }
      }),
    )
  })

  it('misses no change of sign that a fine scan sees', () => {
    const amounts = fc.array(fc.integer({ min: -50, max: 50 }), {
      minLength: 2,
      maxLength: 7,
      size: 'max',
    })
    fc.assert(
      fc.property(amounts, (payments) => {
        const value = (rate: number): number =>
          payments.reduce((sum, amount, year) => sum + amount * Math.exp(-rate * year), 0)
        const scan = Array.from({ length: 8_001 }, (_, at) => value((at - 4_000) / 500 + 1e-5))
        const changes = scan.filter((v, at) => at > 0 && v * scan[at - 1]! < 0).length
        const found = logRates(yearly(payments)).filter((rate) => Math.abs(rate) < 8)
        expect(found.length).toBeGreaterThanOrEqual(changes)
      }),
    )
  })
})

describe('moneyWeightedReturn', () => {
  const bought = { day: '2023-01-02', value: 100, inflow: 100 }

  it('is -1 when all is lost, per year too from a year on', () => {
    const lost = [bought, { day: '2024-06-01', value: 0 }]
    expect(moneyWeightedReturn(period(lost, '2023-01-01', '2024-06-01'))).toEqual({
      status: 'OK',
      cumulative: -1,
      annualized: -1,
    })
    const soon = [bought, { day: '2023-03-01', value: 0 }]
    expect(moneyWeightedReturn(period(soon, '2023-01-01', '2023-03-01'))).toEqual({
      status: 'OK',
      cumulative: -1,
      annualized: undefined,
    })
  })

  it('needs time to pass', () => {
    const sameDay = [{ ...bought, value: 101 }]
    expect(moneyWeightedReturn(period(sameDay, '2023-01-02', '2023-01-02')).status).toBe(
      'TOO_SHORT',
    )
  })

  it('needs money put in', () => {
    const idle = [{ day: '2023-01-02', value: 0 }]
    const gift = [{ day: '2023-01-02', value: 5 }]
    for (const rows of [idle, gift]) {
      const asked = period(rows, '2023-01-01', '2023-01-05')
      expect(moneyWeightedReturn(asked).status).toBe('NO_CAPITAL')
    }
  })

  it('is not what a loan costs: a short sale that lost has no rate above zero', () => {
    const short = [
      { day: '2023-01-02', value: -1_000, outflow: 1_000 },
      { day: '2023-03-01', value: -1_200 },
    ]
    const lostLater = [
      { day: '2023-01-02', value: 0, inflow: 1_000, outflow: 1_080 },
      { day: '2023-02-01', value: 1_000, inflow: 1_000 },
      { day: '2023-03-01', value: 0 },
    ]
    for (const rows of [short, lostLater]) {
      const asked = period(rows, '2023-01-01', '2023-03-01')
      expect(moneyWeightedReturn(asked)).toEqual({ status: 'NO_CAPITAL' })
    }
  })

  it('says so when a valuation is missing', () => {
    const gap = [bought, { day: '2023-03-01', value: NaN }]
    const asked = period(gap, '2023-01-01', '2023-03-01')
    expect(moneyWeightedReturn(asked).status).toBe('MISSING_VALUATION')
  })

  it('names all rates when there are several', () => {
    const pump = [
      { day: '2021-01-01', value: 1_600 },
      { day: '2022-01-01', value: 1, outflow: 10_000 },
      { day: '2023-01-01', value: 0, inflow: 10_000 },
    ]
    const answer = moneyWeightedReturn(period(pump, '2021-01-02', '2023-01-01'))
    expect(answer).toEqual({
      status: 'MULTIPLE_SOLUTIONS',
      roots: [expect.closeTo(0.25, 10), expect.closeTo(4, 10)],
    })
  })

  it('says so when no rate solves it', () => {
    const none = [
      { day: '2021-01-01', value: 100 },
      { day: '2022-01-01', value: 1, outflow: 200 },
      { day: '2023-01-01', value: 0, inflow: 150 },
    ]
    const asked = period(none, '2021-01-02', '2023-01-01')
    expect(moneyWeightedReturn(asked)).toEqual({ status: 'NO_SOLUTION' })
  })

  it('survives a rate that no double holds, as long as the return is one', () => {
    const jump = [
      { day: '2023-01-01', value: 1 },
      { day: '2023-01-02', value: 1_000 },
    ]
    const asked = period(jump, '2023-01-02', '2023-01-02')
    expect(moneyWeightedReturn(asked)).toMatchObject({ cumulative: expect.closeTo(999, 8) })
  })
})
