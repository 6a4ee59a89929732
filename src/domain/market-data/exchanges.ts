import {
  britishChristmas,
  fixed,
  fromEaster,
  type HolidayRule,
  japanese,
  nthWeekday,
  observed,
  once,
} from './holiday-rules.ts'

/** When a market is open: local times as "HH:MM", and the days it is closed besides weekends. */
export interface Exchange {
  /** IANA name. */
  readonly timeZone: string
  readonly opensAt: string
  readonly closesAt: string
  readonly holidays: readonly HolidayRule[]
}

const MONDAY = 1
const THURSDAY = 4
const goodFriday = fromEaster(-2)
const easterMonday = fromEaster(1)
const newYear = fixed(1, 1)
const labourDay = fixed(5, 1)
const christmas = fixed(12, 25)
const boxingDay = fixed(12, 26)

const newYork: Exchange = {
  timeZone: 'America/New_York',
  opensAt: '09:30',
  closesAt: '16:00',
  holidays: [
    observed(1, 1, 'none'),
    nthWeekday(3, MONDAY, 1, { since: 1998 }),
    nthWeekday(3, MONDAY, 2),
    goodFriday,
    nthWeekday(-1, MONDAY, 5),
    observed(6, 19, 'friday', 2022),
    observed(7, 4, 'friday'),
    nthWeekday(1, MONDAY, 9),
    nthWeekday(4, THURSDAY, 11),
    observed(12, 25, 'friday'),
    once('2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14', '2004-06-11', '2007-01-02'),
    once('2012-10-29', '2012-10-30', '2018-12-05', '2025-01-09'),
  ],
}

const euronext: Omit<Exchange, 'timeZone'> = {
  opensAt: '09:00',
  closesAt: '17:30',
  holidays: [newYear, goodFriday, easterMonday, labourDay, christmas, boxingDay],
}

const frankfurt: Exchange = {
  timeZone: 'Europe/Berlin',
  opensAt: '09:00',
  closesAt: '17:30',
  holidays: [
    newYear,
    goodFriday,
    easterMonday,
    labourDay,
    fromEaster(50, (year) => year === 2007 || (year >= 2015 && year <= 2021)),
    fixed(10, 3, 2014, 2014),
    fixed(10, 3, 2016, 2021),
    once('2017-10-31'),
    fixed(12, 24),
    christmas,
    boxingDay,
    fixed(12, 31),
  ],
}

/**
 * Exchanges by MIC (ISO 10383), with the rules of their published holiday calendars: NYSE "Holidays and Trading
 * Hours", London Stock Exchange "Business days", Deutsche Börse "Trading calendar", Euronext "Trading hours and
 * holidays", SIX "Trading & settlement calendar", JPX "Market holidays". From 2007 on; a day that one of them closes
 * unannounced is a line here. Half days count as open until the usual close. An exchange that is not listed is taken
 * to be closed on weekends only.
 */
export const exchanges: ReadonlyMap<string, Exchange> = new Map<string, Exchange>([
  ['XNYS', newYork],
  ['XNAS', newYork],
  ['ARCX', newYork],
  ['XASE', newYork],
  ['BATS', newYork],
  [
    'XLON',
    {
      timeZone: 'Europe/London',
      opensAt: '08:00',
      closesAt: '16:30',
      holidays: [
        observed(1, 1, 'monday'),
        goodFriday,
        easterMonday,
        nthWeekday(1, MONDAY, 5, { except: [2020] }),
        nthWeekday(-1, MONDAY, 5, { except: [2012, 2022] }),
        nthWeekday(-1, MONDAY, 8),
        britishChristmas,
        once('2011-04-29', '2012-06-04', '2012-06-05', '2020-05-08', '2022-06-02', '2022-06-03'),
        once('2022-09-19', '2023-05-08'),
      ],
    },
  ],
  ['XETR', frankfurt],
  ['XFRA', { ...frankfurt, opensAt: '08:00', closesAt: '22:00' }],
  ['XPAR', { ...euronext, timeZone: 'Europe/Paris' }],
  ['XAMS', { ...euronext, timeZone: 'Europe/Amsterdam' }],
  ['XBRU', { ...euronext, timeZone: 'Europe/Brussels' }],
  ['XLIS', { ...euronext, timeZone: 'Europe/Lisbon', opensAt: '08:00', closesAt: '16:30' }],
  [
    'XSWX',
    {
      timeZone: 'Europe/Zurich',
      opensAt: '09:00',
      closesAt: '17:30',
      holidays: [
        newYear,
        fixed(1, 2),
        goodFriday,
        easterMonday,
        labourDay,
        fromEaster(39),
        fromEaster(50),
        fixed(8, 1),
        fixed(12, 24),
        christmas,
        boxingDay,
        fixed(12, 31),
      ],
    },
  ],
  [
    'XTKS',
    {
      timeZone: 'Asia/Tokyo',
      opensAt: '09:00',
      closesAt: '15:30',
      holidays: [japanese, fixed(1, 2), fixed(1, 3), fixed(12, 31)],
    },
  ],
])
