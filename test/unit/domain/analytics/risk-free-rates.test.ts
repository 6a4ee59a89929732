import { describe, expect, it } from '@jest/globals'
import { perObservation } from '../../../../src/domain/analytics/annualize.ts'
import { compareBenchmarks } from '../../../../src/domain/analytics/compare-job.ts'
import { SAME_CURRENCY } from '../../../../src/domain/analytics/daily-values.ts'
import { epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import { riskOf } from '../../../../src/domain/analytics/measures.ts'
import { packLedger } from '../../../../src/domain/analytics/pack-ledger.ts'
import {
  constantRate,
  datedRates,
  meanRate,
  observationRates,
} from '../../../../src/domain/analytics/risk-free-rates.ts'

const FILE = 'date,rate\n2024-01-02,0.05\r\n2024-01-04, 0.02\n'
const days = (...dates: readonly string[]) => Int32Array.from(dates, epochDay)
const ON = days('2024-01-01', '2024-01-03', '2024-01-04', '2024-01-09')

describe('datedRates', () => {
  it('has each rate in force from its day on, and the first one before', () => {
    const rates = datedRates(FILE)!
    const yearly = [0.05, 0.05, 0.02, 0.02]
    expect([...observationRates(rates, ON)]).toEqual(yearly.map(perObservation))
    expect(meanRate(rates, ON, 0)).toBeCloseTo(0.035, 15)
    expect(meanRate(rates, days(), epochDay('2024-01-09'))).toBe(0.02)
    expect(meanRate(constantRate(0.1), ON, 0)).toBe(0.1)
  })

  it.each([
    '',
    'date,rate',
    'day,rate\n2024-01-02,0.05',
    'date,rate\n2024-01-32,0.05',
    'date,rate\n2024-01-02,5%',
    'date,rate\n2024-01-02,11',
    'date,rate\n2024-01-02,0.05,x',
    'date,rate\n2024-01-03,0.05\n2024-01-02,0.04',
    'date,rate\n2024-01-03,0.05\n2024-01-03,0.04',
  ])('does not read %j', (text) => {
    expect(datedRates(text)).toBeUndefined()
  })
})

const CLOSES = [100, 101, 99, 104, 103]
const INDEX = [50, 51, 50, 51.5, 51.4]
const FIRST = epochDay('2024-01-01')

/** Ten units from the first day on. */
function compared(riskFree = datedRates(FILE)!) {
  const at = FIRST * 86_400e6
  const bought = {
    day: FIRST,
    at,
    type: 'BUY',
    instrumentId: 'A',
    quantity: 10,
    price: 100,
  } as const
  const { numbers } = packLedger([{ ...bought, isTracked: false, terms: undefined }])
  const closes = Float64Array.from([...CLOSES, ...INDEX])
  const own = Int32Array.of(SAME_CURRENCY)
  const ledger = {
    numbers,
    matrix: { firstDay: FIRST, dayCount: CLOSES.length, closes },
    priceRows: Int32Array.of(0),
    priceRates: own,
    baseRate: SAME_CURRENCY,
    cashRates: own,
    groups: Int32Array.of(0),
    cashGroup: -1,
    groupCount: 1,
  }
  const component = { weight: 1, priceRow: 1, rate: SAME_CURRENCY, group: 0 }
  const result = compareBenchmarks(
    {
      kind: 'compare',
      ledger,
      period: { fromDay: FIRST + 1, toDay: FIRST + 4 },
      benchmarks: [{ components: [component], rebalance: 'NEVER' }],
      riskFree,
    },
    () => false,
  )
  return result!.comparisons[0]!
}

const returnsOf = (levels: readonly number[]): number[] =>
  levels.slice(1).map((level, at) => level / levels[at]! - 1)
const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

// 2024-01-02 and 03 are under 5 %, 04 and 05 under 2 %.
const RATES = [0.05, 0.05, 0.02, 0.02].map((rate) => 1.0 * ((1 + rate) ** (1 / 252) - 1))

describe('a rate by date', () => {
  it('is taken off each return by its day, in the Sharpe ratio', () => {
    const none = new Float64Array(4)
    const risk = riskOf(
      {
        startDay: FIRST + 1,
        endDay: FIRST + 4,
        startValue: 1_000,
        startValueDay: FIRST,
        days: Int32Array.of(1, 2, 3, 4).map((day) => FIRST + day),
        values: Float64Array.from(CLOSES.slice(1), (close) => close * 10),
        inflows: none,
        outflows: none,
        observed: Uint8Array.of(1, 1, 1, 1),
      },
      { riskFree: datedRates(FILE)!, minimumAcceptableReturn: 0 },
    )
    const excess = returnsOf(CLOSES).map((value, at) => value - RATES[at]!)
    const average = meanOf(excess)
    const variance = excess.reduce((sum, value) => sum + (value - average) ** 2, 0) / 3
    expect(risk.sharpeRatio.value).toBeCloseTo((average / Math.sqrt(variance)) * Math.sqrt(252), 9)
    expect(risk.riskFreeRate).toBeCloseTo(0.035, 15)
  })

  it('is taken off both sides of a regression', () => {
    const [own, index] = [CLOSES, INDEX].map((levels) =>
      returnsOf(levels).map((value, at) => value - RATES[at]!),
    ) as [number[], number[]]
    const [ownMean, indexMean] = [meanOf(own), meanOf(index)]
    const products = own.map((value, at) => (value - ownMean) * (index[at]! - indexMean))
    const beta = meanOf(products) / meanOf(index.map((value) => (value - indexMean) ** 2))
    const { regression } = compared()
    expect(regression.beta.value).toBeCloseTo(beta, 12)
    expect(regression.alpha.value).toBeCloseTo((1 + ownMean - beta * indexMean) ** 252 - 1, 9)
    expect(compared(constantRate(0.05)).regression.alpha.value).not.toBe(regression.alpha.value)
  })
})
