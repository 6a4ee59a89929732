import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  dayOf,
  isDay,
  isExactDay,
  isTimeZone,
  longTermOn,
  noonOf,
  startOfDay,
} from '../../../../src/domain/portfolio/calendar-day.ts'
import { type Instant, rfc3339 } from '../../../../src/domain/time.ts'

function instant(text: string): Instant {
  return Date.parse(text) * 1_000
}

describe('dayOf', () => {
  it.each([
    ['2024-03-01T04:59:59Z', 'America/New_York', '2024-02-29'],
    ['2024-03-01T05:00:00Z', 'America/New_York', '2024-03-01'],
    ['2023-12-31T14:59:59Z', 'Asia/Tokyo', '2023-12-31'],
    ['2023-12-31T15:00:00Z', 'Asia/Tokyo', '2024-01-01'],
    ['1969-12-31T23:59:59Z', 'UTC', '1969-12-31'],
    ['2024-06-30T18:29:59Z', 'Asia/Kolkata', '2024-06-30'],
    ['2024-06-30T18:30:00Z', 'Asia/Kolkata', '2024-07-01'],
  ])('%s falls in %s on %s', (text, timeZone, day) => {
    expect(dayOf(instant(text), timeZone)).toBe(day)
  })

  it('counts microseconds down, before 1970 too', () => {
    expect(dayOf(instant('2024-01-01T00:00:00Z') - 1, 'UTC')).toBe('2023-12-31')
    expect(dayOf(-1, 'UTC')).toBe('1969-12-31')
  })
})

describe('longTermOn', () => {
  it.each([
    ['2023-01-01', '2024-01-02'],
    ['2023-12-31', '2025-01-01'],
    ['2023-04-30', '2024-05-01'],
    // Counted from 1 March: a year of it is over on the last day of February.
    ['2024-02-29', '2025-03-01'],
    ['2023-02-28', '2024-03-01'],
    ['2022-02-28', '2023-03-01'],
    // Counted from 29 February: the next year has none.
    ['2024-02-28', '2025-03-01'],
    ['2020-02-29', '2021-03-01'],
  ])('of what is acquired on %s is %s', (acquired, first) => {
    expect(longTermOn(acquired)).toBe(first)
  })

  it('never comes before the day after the anniversary, and never later for whom was first', () => {
    const days = fc.integer({ min: 0, max: 20_000 })
    fc.assert(
      fc.property(days, (number) => {
        const [day, next] = [number, number + 1].map((each) => dayOf(each * 864e8, 'UTC'))
        expect(longTermOn(day!) <= longTermOn(next!)).toBe(true)
        const held = (Date.parse(longTermOn(day!)) - Date.parse(day!)) / 864e5
        expect([366, 367]).toContain(held)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('startOfDay', () => {
  it.each([
    ['2024-03-10', 'America/New_York', '2024-03-10T05:00:00Z'],
    ['2024-03-11', 'America/New_York', '2024-03-11T04:00:00Z'],
    ['2024-11-03', 'America/New_York', '2024-11-03T04:00:00Z'],
    ['2024-11-04', 'America/New_York', '2024-11-04T05:00:00Z'],
    ['2024-01-01', 'Asia/Tokyo', '2023-12-31T15:00:00Z'],
    ['2024-01-01', 'Pacific/Kiritimati', '2023-12-31T10:00:00Z'],
    ['2024-01-01', 'Pacific/Pago_Pago', '2024-01-01T11:00:00Z'],
    // The clock goes from 23:59:59 to 01:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['2024-04-26', 'Africa/Cairo', '2024-04-25T22:00:00Z'],
    ['1950-01-01', 'UTC', '1950-01-01T00:00:00Z'],
  ])('%s begins in %s at %s', (day, timeZone, text) => {
    expect(rfc3339(startOfDay(day, timeZone))).toBe(text)
  })

  it('is the first instant of the day, whatever the clocks do', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'America/Sao_Paulo',
      'Asia/Beirut',
      'Africa/Cairo',
      'America/Havana',
      'Australia/Lord_Howe',
      'Pacific/Chatham',
      'Pacific/Kiritimati',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 22_000 }),
        (zone, number) => {
          const day = dayOf(number * 864e8, 'UTC')
          fc.pre(day !== '1995-01-01' || zone !== 'Pacific/Kiritimati')
          const start = startOfDay(day, zone)
          expect(dayOf(start - 1, zone) < day).toBe(true)
          expect(dayOf(start, zone) >= day).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('isDay', () => {
  it.each(['2024-02-29', '2000-02-29', '2023-12-31', '0001-01-01'])('takes %s', (text) => {
    expect(isDay(text)).toBe(true)
  })

  it.each([
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-00-10',
    '2024-13-01',
    '2024-01-00',
    '2024-1-1',
    '24-01-01',
    '2024-01-01T00:00:00Z',
    ' 2024-01-01',
    '2024-01-01\n',
    '',
  ])('refuses %j', (text) => {
    expect(isDay(text)).toBe(false)
  })
})

describe('isExactDay', () => {
  it('takes days from 1700 on', () => {
    const days = ['1700-01-01', '2024-02-29', '1699-12-31', '1700-02-29']
    expect(days.map(isExactDay)).toEqual([true, true, false, false])
    expect(Number.isSafeInteger(noonOf('1700-01-01'))).toBe(true)
  })
})

describe('isTimeZone', () => {
  it('knows the names of the time zone database, and no others', () => {
    for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires']) {
      expect(isTimeZone(name)).toBe(true)
    }
    for (const name of ['Europe/Atlantis', '', ' ', 'Europe/Berlin ', 'a'.repeat(200)]) {
      expect(isTimeZone(name)).toBe(false)
    }
  })
})

describe('noonOf', () => {
  it('is the same day from Hawaii to Japan', () => {
    for (const zone of ['Pacific/Honolulu', 'America/New_York', 'UTC', 'Asia/Tokyo']) {
      expect(dayOf(noonOf('2024-02-29'), zone)).toBe('2024-02-29')
    }
  })
})
