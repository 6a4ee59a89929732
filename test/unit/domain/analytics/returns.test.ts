import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { annualized, perObservation } from '../../../../src/domain/analytics/annualize.ts'
import {
  dayText,
  epochDay,
  type Interval,
  intervalNumber,
} from '../../../../src/domain/analytics/epoch-day.ts'
import { moneyWeightedReturn } from '../../../../src/domain/analytics/money-weighted.ts'
import { resample } from '../../../../src/domain/analytics/resample.ts'
import {
  modifiedDietz,
  periodTotals,
  simpleReturn,
} from '../../../../src/domain/analytics/simple-returns.ts'
import { dailyReturns, timeWeightedReturn } from '../../../../src/domain/analytics/time-weighted.ts'
import {
  dayCount,
  type PeriodValuations,
} from '../../../../src/domain/analytics/valuation-series.ts'
import { dayAfter, period, type Row, V6, v6Period } from './periods.ts'

function bought(day: number): Row {
  return { day: `2024-01-${day}`, value: 10 * (day - 11), inflow: 10 }
}

function endsOf(asked: PeriodValuations, interval: Interval): string[] {
  return resample(asked, interval).map(({ day }) => dayText(day))
}

describe('worked case V6', () => {
  it('is positive by time and negative by money', () => {
    expect(periodTotals(v6Period())).toEqual({
      startValue: 1_000,
      endValue: 2_090,
      inflows: 1_100,
      outflows: 0,
      gain: -10,
    })
    const timeWeighted = timeWeightedReturn(v6Period())
    expect(timeWeighted).toMatchObject({ status: 'OK', annualized: undefined })
    expect(timeWeighted).toHaveProperty('cumulative', expect.closeTo(0.045, 14))
    const { returns } = dailyReturns(v6Period())
    expect([...returns]).toEqual([expect.closeTo(0.1, 14), expect.closeTo(-0.05, 14)])
    const daily = -0.0032291701741982
    expect(moneyWeightedReturn(v6Period())).toMatchObject({
      cumulative: expect.closeTo((1 + daily) ** 2 - 1, 15),
    })
    expect(modifiedDietz(v6Period())).toMatchObject({ cumulative: expect.closeTo(-10 / 1_550, 15) })
    expect(simpleReturn(periodTotals(v6Period()))).toEqual({ status: 'OK', value: -10 / 2_100 })
  })

  it('has the daily rule where no price at the flow exists', () => {
    const daily = period(
      V6.filter((_, at) => at !== 1),
      '2024-01-02',
      '2024-01-03',
    )
    expect(timeWeightedReturn(daily)).toMatchObject({
      cumulative: expect.closeTo((2_200 / 2_100) * 0.95 - 1, 14),
    })
  })
})

describe('periodOf', () => {
  const rows: Row[] = [
    { day: '2024-01-04', value: 0 },
    { day: '2024-01-05', value: 110, inflow: 100 },
    { day: '2024-01-08', value: 121 },
    { day: '2024-01-09', value: 66, outflow: 44 },
  ]

  it('includes both ends and starts with the value of the evening before', () => {
    const inner = period(rows, '2024-01-07', '2024-01-08')
    expect(inner).toMatchObject({ startValue: 110, startValueDay: epochDay('2024-01-05') })
    expect([...inner.values]).toEqual([121])
    expect(dayCount(inner)).toBe(2)
  })

  it('starts with the first flow', () => {
    const whole = period(rows, '2020-01-01', '2024-01-09')
    expect(whole.startDay).toBe(epochDay('2024-01-05'))
    expect(whole.startValueDay).toBe(epochDay('2024-01-04'))
    expect(dayCount(whole)).toBe(5)
    expect(periodTotals(whole)).toMatchObject({ startValue: 0, gain: 10 })
  })

  it('counts an outflow until the end of its day', () => {
    expect(timeWeightedReturn(period(rows, '2024-01-09', '2024-01-09'))).toMatchObject({
      cumulative: expect.closeTo(110 / 121 - 1, 15),
    })
  })

  it('does not move the start of a period after everything was sold', () => {
    const sold = [...rows, { day: '2024-01-10', value: 0, outflow: 66 }, bought(12), bought(13)]
    expect(period(sold, '2024-01-11', '2024-01-13').startDay).toBe(epochDay('2024-01-11'))
  })

  it('is too short without a valuation', () => {
    const empty = period(rows, '2025-01-01', '2025-01-02')
    for (const measure of [timeWeightedReturn, moneyWeightedReturn, modifiedDietz]) {
      expect(measure(empty)).toEqual({ status: 'TOO_SHORT' })
    }
  })
})

describe('a return that does not exist', () => {
  const start: Row = { day: '2024-01-01', value: 100 }

  it.each<[string, Row[], string, string]>([
    ['nothing put in', [{ day: '2024-01-02', value: 0 }], 'NO_CAPITAL', 'NO_CAPITAL'],
    ['out of nothing', [{ day: '2024-01-02', value: 5 }], 'NO_CAPITAL', 'NO_CAPITAL'],
    [
      'no price',
      [start, { day: '2024-01-02', value: NaN }],
      'MISSING_VALUATION',
      'MISSING_VALUATION',
    ],
    [
      'no price at a flow',
      [start, { day: '2024-01-02', value: NaN, inflow: 1 }, { day: '2024-01-03', value: 99 }],
      'MISSING_VALUATION',
      'OK',
    ],
    [
      'from below nothing',
      [
        { day: '2024-01-01', value: -50 },
        { day: '2024-01-02', value: 10 },
        { day: '2024-01-03', value: 20 },
      ],
      'NO_CAPITAL',
      'NO_CAPITAL',
    ],
    ['below nothing', [start, { day: '2024-01-02', value: -5 }], 'NO_CAPITAL', 'OK'],
  ])('%s', (_name, rows, timeWeighted, dietz) => {
    const asked = period(rows, '2024-01-02', '2024-01-03')
    expect(timeWeightedReturn(asked).status).toBe(timeWeighted)
    expect(modifiedDietz(asked).status).toBe(dietz)
    expect(dailyReturns(asked).returns).toHaveLength(0)
  })

  it('passes over a day without price and flow', () => {
    const gap = [start, { day: '2024-01-02', value: NaN }, { day: '2024-01-03', value: 110 }]
    const asked = period(gap, '2024-01-02', '2024-01-03')
    expect(timeWeightedReturn(asked)).toMatchObject({ cumulative: expect.closeTo(0.1, 14) })
    expect(dailyReturns(asked).returns).toHaveLength(1)
  })

  it('stays lost after a total loss', () => {
    const lost = [
      start,
      { day: '2024-01-02', value: 0 },
      { day: '2024-01-03', value: 50, inflow: 40 },
    ]
    expect(timeWeightedReturn(period(lost, '2024-01-02', '2024-01-03'))).toMatchObject({
      status: 'OK',
      cumulative: -1,
    })
  })
})

describe('modifiedDietz', () => {
  it('measures a period that begins with its first flow from that day', () => {
    const rows: Row[] = [
      { day: '2024-01-01', value: 1_000, inflow: 1_000 },
      { day: '2024-01-10', value: 1_100 },
    ]
    expect(modifiedDietz(period(rows, '2023-01-01', '2024-01-10'))).toMatchObject({
      cumulative: 0.1,
    })
    expect(modifiedDietz(period(rows, '2024-01-01', '2024-01-01'))).toMatchObject({ cumulative: 0 })
  })
})

describe('annualized', () => {
  it('is absent under a year', () => {
    expect(annualized(0.1, 364)).toBeUndefined()
    expect(annualized(0.1, 365)).toBeCloseTo(0.1, 15)
    expect(annualized(0.21, 730)).toBeCloseTo(0.1, 15)
    expect(annualized(-1, 800)).toBe(-1)
    expect(annualized(-1.5, 800)).toBeUndefined()
  })

  it('has daily rates that compound to the yearly one', () => {
    expect((1 + perObservation(0.04)) ** 252 - 1).toBeCloseTo(0.04, 12)
  })
})

describe('dailyReturns', () => {
  it('does not count days without a market as zero returns', () => {
    const weekend: Row[] = [
      { day: '2024-01-05', value: 100 },
      { day: '2024-01-06', value: 100, observed: false },
      { day: '2024-01-07', value: 150, inflow: 50, observed: false },
      { day: '2024-01-08', value: 165 },
    ]
    const { days, returns, startDay } = dailyReturns(period(weekend, '2024-01-06', '2024-01-08'))
    expect([...days].map(dayText)).toEqual(['2024-01-08'])
    expect([...returns]).toEqual([expect.closeTo(0.1, 14)])
    expect(dayText(startDay)).toBe('2024-01-05')
  })

  it('has no returns while nothing was at work', () => {
    const rows: Row[] = [
      { day: '2024-01-02', value: 100, inflow: 100 },
      { day: '2024-01-03', value: 0, outflow: 110 },
      { day: '2024-01-04', value: 0 },
      { day: '2024-01-05', value: 60, inflow: 50 },
    ]
    const { returns } = dailyReturns(period(rows, '2024-01-01', '2024-01-05'))
    expect([...returns].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([0, 0.1, 0.2])
  })
})

describe('resample', () => {
  const rows: Row[] = Array.from({ length: 400 }, (_, at) => ({
    day: dayAfter(at),
    value: 1_000 + 50 * Math.sin(at / 9) + at + Math.floor(at / 40) * 100,
    inflow: at % 40 === 0 && at > 0 ? 100 : 0,
  }))
  const asked = period(rows, dayAfter(1), dayAfter(399))

  it.each(['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'] as const)('links by %s', (interval) => {
    const points = resample(asked, interval)
    const linked = points.reduce((growth, point) => growth * (1 + (point.periodReturn ?? NaN)), 1)
    expect(points.at(-1)?.cumulativeReturn).toBeCloseTo(linked - 1, 12)
    expect(timeWeightedReturn(asked)).toMatchObject({ cumulative: expect.closeTo(linked - 1, 12) })
    expect(points.reduce((sum, { netFlow }) => sum + netFlow, 0)).toBe(900)
    expect(new Set(points.map(({ day }) => intervalNumber(day, interval))).size).toBe(points.length)
  })

  it('ends each interval on its last day', () => {
    expect(endsOf(asked, 'WEEK').slice(0, 3)).toEqual(['2024-01-07', '2024-01-14', '2024-01-21'])
    expect(endsOf(asked, 'MONTH').slice(0, 3)).toEqual(['2024-01-31', '2024-02-29', '2024-03-31'])
    expect(endsOf(asked, 'QUARTER').slice(0, 3)).toEqual(['2024-03-31', '2024-06-30', '2024-09-30'])
    expect(endsOf(asked, 'YEAR').slice(0, 3)).toEqual(['2024-12-31', '2025-02-03'])
  })

  it('shows the drawdown from the highest day, not from the highest point', () => {
    const peaked = ['2024-01-30', '2024-01-31', '2024-02-01'].map((day, at) => ({
      day,
      value: [100, 200, 150][at] ?? 0,
    }))
    const points = resample(period(peaked, '2024-01-31', '2024-02-01'), 'YEAR')
    expect(points).toMatchObject([{ drawdown: -0.25, cumulativeReturn: 0.5 }])
  })

  it('has no return where none can be linked', () => {
    const gap = [
      { day: '2024-01-01', value: 100 },
      { day: '2024-01-02', value: NaN, inflow: 5 },
      { day: '2024-01-03', value: 100 },
    ]
    const [first, second] = resample(period(gap, '2024-01-02', '2024-01-03'), 'DAY')
    expect(first?.cumulativeReturn).toBeUndefined()
    expect(second).toMatchObject({ value: 100, periodReturn: undefined, drawdown: undefined })
  })
})

describe('a period without flows', () => {
  it('has one return by every method', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 2_000 }),
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        (days, ratio) => {
          const rows = [
            { day: dayAfter(0), value: 100 },
            { day: dayAfter(days), value: 100 * ratio },
          ]
          const asked = period(rows, dayAfter(1), dayAfter(days))
          for (const measure of [timeWeightedReturn, moneyWeightedReturn, modifiedDietz]) {
            const measured = measure(asked)
            if (measured.status !== 'OK') throw new Error(measured.status)
            expect(measured.cumulative).toBeCloseTo(ratio - 1, 9)
          }
        },
      ),
    )
  })
})
