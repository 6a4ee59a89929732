import { describe, expect, it } from '@jest/globals'
import { epochDayOf } from '../../../../src/domain/market-data/holiday-rules.ts'
import { tradingCalendar } from '../../../../src/domain/market-data/trading-calendar.ts'
import { rfc3339 } from '../../../../src/domain/time.ts'

function instant(text: string): number {
  return Date.parse(text) * 1_000
}

/** Working days of a year on which the exchange is closed, as "MM-DD". */
function closedDays(mic: string, year: number): readonly string[] {
  const calendar = tradingCalendar(mic)
  const closed: string[] = []
  for (let day = epochDayOf(`${year}-01-01`); day < epochDayOf(`${year + 1}-01-01`); day += 1) {
    const date = new Date(day * 86_400_000)
    const isWeekend = date.getUTCDay() % 6 === 0
    const isOpen = calendar.isTradingDay(day)
    if (isWeekend && isOpen) closed.push(`open on the weekend of ${date.toISOString()}`)
    if (!isWeekend && !isOpen) closed.push(date.toISOString().slice(5, 10))
  }
  return closed
}

describe('holidays, as the exchanges publish them', () => {
  it.each([
    ['XNYS', 2021, '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24'],
    ['XNAS', 2022, '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26'],
    ['XNYS', 2025, '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25'],
    ['XLON', 2022, '01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27'],
    ['XLON', 2020, '01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28'],
    ['XLON', 2027, '01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28'],
    ['XETR', 2024, '01-01 03-29 04-01 05-01 12-24 12-25 12-26 12-31'],
    ['XETR', 2018, '01-01 03-30 04-02 05-01 05-21 10-03 12-24 12-25 12-26 12-31'],
    ['XPAR', 2024, '01-01 03-29 04-01 05-01 12-25 12-26'],
    ['XSWX', 2024, '01-01 01-02 03-29 04-01 05-01 05-09 05-20 08-01 12-24 12-25 12-26 12-31'],
    [
      'XTKS',
      2024,
      '01-01 01-02 01-03 01-08 02-12 02-23 03-20 04-29 05-03 05-06 07-15 08-12 09-16 09-23 10-14 11-04 12-31',
    ],
    [
      'XTKS',
      2019,
      '01-01 01-02 01-03 01-14 02-11 03-21 04-29 04-30 05-01 05-02 05-03 05-06 07-15 08-12 09-16 09-23 10-14 10-22 11-04 12-31',
    ],
    ['XNOWHERE', 2024, ''],
  ])('%s in %i', (mic, year, expected) => {
    expect(closedDays(mic, year).join(' ')).toBe(expected)
  })
})

describe('endOfTradingDay', () => {
  it.each([
    // A Friday's close lasts over the weekend, and over Good Friday and Easter Monday in London.
    ['XNYS', '2024-03-22T20:00:00Z', 1, '2024-03-26T04:00:00Z'],
    ['XNYS', '2024-03-28T20:00:00Z', 1, '2024-04-02T04:00:00Z'],
    ['XLON', '2024-03-28T16:30:00Z', 1, '2024-04-02T23:00:00Z'],
    ['XNYS', '2024-03-22T20:00:00Z', 2, '2024-03-27T04:00:00Z'],
    // Tokyo's Tuesday begins while it is Monday in UTC.
    ['XTKS', '2024-06-03T06:00:00Z', 1, '2024-06-04T15:00:00Z'],
    ['', '2024-03-22T20:00:00Z', 1, '2024-03-26T00:00:00Z'],
  ])('%s: a price of %s, %i', (mic, pricedAt, count, expected) => {
    const end = tradingCalendar(mic).endOfTradingDay(instant(pricedAt), count)
    expect(rfc3339(end)).toBe(expected)
  })
})

describe('nextTradeAt', () => {
  it.each([
    ['XNYS', '2024-03-22T14:00:00Z', '2024-03-22T14:00:00Z'],
    ['XNYS', '2024-03-22T13:29:59Z', '2024-03-22T13:30:00Z'],
    ['XNYS', '2024-03-22T20:00:00Z', '2024-03-25T13:30:00Z'],
    ['XNYS', '2024-03-28T20:00:00Z', '2024-04-01T13:30:00Z'],
    // The clocks change between the two.
    ['XNYS', '2024-03-08T21:00:00Z', '2024-03-11T13:30:00Z'],
    ['XLON', '2024-03-28T16:30:00Z', '2024-04-02T07:00:00Z'],
    ['XTKS', '2024-12-30T07:00:00Z', '2025-01-06T00:00:00Z'],
    ['', '2024-03-23T10:00:00Z', '2024-03-25T00:00:00Z'],
    ['', '2024-03-22T23:59:59Z', '2024-03-22T23:59:59Z'],
  ])('%s at %s', (mic, now, expected) => {
    const calendar = tradingCalendar(mic)
    expect(rfc3339(calendar.nextTradeAt(instant(now)))).toBe(expected)
    // What it remembers is asked for out of order too.
    calendar.nextTradeAt(instant('2024-06-12T12:00:00Z'))
    expect(rfc3339(calendar.nextTradeAt(instant(now)))).toBe(expected)
  })
})
