import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { calendarReturns } from '../../../../src/domain/analytics/calendar-returns.ts'
import { dayText } from '../../../../src/domain/analytics/epoch-day.ts'
import { resample } from '../../../../src/domain/analytics/resample.ts'
import { dayAfter, period, type Row } from './periods.ts'

const histories = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 40 }),
      value: fc.double({ min: 1, max: 9, noNaN: true }),
    }),
    {
      minLength: 1,
      maxLength: 60,
      size: 'max',
    },
  )
  .map((steps) => {
    let at = 0
    const rows = steps.map(({ gap, value }, index): Row => {
      at += gap
      return { day: dayAfter(at), value, inflow: index === 0 ? 5 : 0 }
    })
    return period(rows, rows[0]!.day, rows.at(-1)!.day)
  })

describe('calendarReturns', () => {
  it('has the returns of the months and years that resampling has', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const told = calendarReturns(resample(history, 'DAY'))
        const months = told.flatMap(({ year, months: each }) =>
          each.flatMap((month, at) =>
            month === undefined ? [] : [{ key: [year, at + 1], told: month.value }],
          ),
        )
        const years = told.map(({ year, whole }) => ({ key: [year], told: whole.value }))
        const expected = (interval: 'MONTH' | 'YEAR') =>
          resample(history, interval).map(({ day, periodReturn }) => {
            const [year, month] = dayText(day).split('-').map(Number)
            const key = interval === 'YEAR' ? [year] : [year, month]
            return { key, told: expect.closeTo(periodReturn!, 9) }
          })
        expect(months).toEqual(expected('MONTH'))
        expect(years).toEqual(expected('YEAR'))
      }),
    )
  })

  it('does not know a month in which something could not be valued, and the year it is in', () => {
    const rows = [
      { day: '2024-01-31', value: 100, inflow: 100 },
      { day: '2024-02-10', value: NaN, inflow: 10 },
      { day: '2024-02-29', value: 120 },
    ]
    const [year] = calendarReturns(resample(period(rows, '2024-01-31', '2024-02-29'), 'DAY'))
    expect(year?.months.slice(0, 3)).toEqual([{ value: 0 }, { value: undefined }, undefined])
    expect(year?.whole).toEqual({ value: undefined })
  })

  it('has no year without points', () => {
    expect(calendarReturns([])).toEqual([])
  })
})
