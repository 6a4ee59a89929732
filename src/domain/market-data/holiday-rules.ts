/** A calendar day as whole days since 1970-01-01. */
export type EpochDay = number

/** The days on which something closes in a year, weekends not left out. */
export type HolidayRule = (year: number) => readonly EpochDay[]

const DAY_MS = 86_400_000
const FRIDAY = 5
const SATURDAY = 6
const SUNDAY = 0
const MONDAY = 1

export function epochDay(year: number, month: number, day: number): EpochDay {
  return Date.UTC(year, month - 1, day) / DAY_MS
}

/** Of "YYYY-MM-DD". */
export function epochDayOf(text: string): EpochDay {
  return Date.parse(`${text}T00:00:00Z`) / DAY_MS
}

/** 0 = Sunday. */
export function weekdayOf(day: EpochDay): number {
  return (((day + 4) % 7) + 7) % 7
}

export function isWeekend(day: EpochDay): boolean {
  const weekday = weekdayOf(day)
  return weekday === SATURDAY || weekday === SUNDAY
}

/** Every year from `since` to `until`, on that very day. */
export function fixed(month: number, day: number, since = 0, until = Infinity): HolidayRule {
  return (year) => (year < since || year > until ? [] : [epochDay(year, month, day)])
}

/** As {@link fixed}; of a Sunday the Monday after it is off, of a Saturday what `saturday` says. */
export function observed(
  month: number,
  day: number,
  saturday: 'friday' | 'monday' | 'none',
  since = 0,
): HolidayRule {
  return (year) => {
    if (year < since) return []
    const holiday = epochDay(year, month, day)
    if (weekdayOf(holiday) === SUNDAY) return [holiday + 1]
    if (weekdayOf(holiday) !== SATURDAY) return [holiday]
    if (saturday === 'none') return []
    return [saturday === 'friday' ? holiday - 1 : holiday + 2]
  }
}

/** The `count`th weekday of a month, -1 = the last one. */
export function nthWeekday(
  count: number,
  weekday: number,
  month: number,
  { since = 0, except = [] }: { since?: number; except?: readonly number[] } = {},
): HolidayRule {
  return (year) => {
    if (year < since || except.includes(year)) return []
    if (count > 0) {
      const first = epochDay(year, month, 1)
      return [first + ((weekday - weekdayOf(first) + 7) % 7) + 7 * (count - 1)]
    }
    const last = epochDay(year, month + 1, 1) - 1
    return [last - ((weekdayOf(last) - weekday + 7) % 7)]
  }
}

/** Days from Easter Sunday: -2 = Good Friday, 1 = Easter Monday, 39 = Ascension, 50 = Whit Monday. */
export function fromEaster(
  days: number,
  years: (year: number) => boolean = () => true,
): HolidayRule {
  return (year) => (years(year) ? [easterSunday(year) + days] : [])
}

/** Single days that no rule gives, "YYYY-MM-DD". */
export function once(...days: readonly string[]): HolidayRule {
  return (year) => days.filter((day) => day.startsWith(`${year}-`)).map(epochDayOf)
}

/** Gregorian Easter by the anonymous ("Meeus/Jones/Butcher") computus. */
function easterSunday(year: number): EpochDay {
  const golden = year % 19
  const century = Math.floor(year / 100)
  const rest = year % 100
  const correction = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3)
  const epact = (19 * golden + century - Math.floor(century / 4) - correction + 15) % 30
  const weekday = (32 + 2 * (century % 4) + 2 * Math.floor(rest / 4) - epact - (rest % 4)) % 7
  const shift = Math.floor((golden + 11 * epact + 22 * weekday) / 451)
  const month = Math.floor((epact + weekday - 7 * shift + 114) / 31)
  return epochDay(year, month, ((epact + weekday - 7 * shift + 114) % 31) + 1)
}

/** Christmas and Boxing Day with what the United Kingdom puts in the place of a weekend. */
export const britishChristmas: HolidayRule = (year) => {
  const christmas = epochDay(year, 12, 25)
  switch (weekdayOf(christmas)) {
    case FRIDAY:
      return [christmas, christmas + 3]
    case SATURDAY:
      return [christmas + 2, christmas + 3]
    case SUNDAY:
      return [christmas + 1, christmas + 2]
    default:
      return [christmas, christmas + 1]
  }
}

/**
 * Japan's public holidays from 2007 on (Act on National Holidays): of a Sunday the next day that is none is off, and
 * so is a day between two of them. The equinoxes by the National Astronomical Observatory's approximation, good
 * until 2099.
 */
export const japanese: HolidayRule = (year) => {
  const days = new Set(japaneseNamed(year))
  for (const day of [...days].toSorted((left, right) => left - right)) {
    if (weekdayOf(day) !== SUNDAY) continue
    let substitute = day + 1
    while (days.has(substitute)) substitute += 1
    days.add(substitute)
  }
  for (const day of days) {
    if (days.has(day + 2) && !days.has(day + 1)) days.add(day + 1)
  }
  return [...days]
}

function japaneseNamed(year: number): readonly EpochDay[] {
  const equinox = (base: number): number =>
    Math.floor(base + 0.242194 * (year - 1980) - Math.floor((year - 1980) / 4))
  const games: Readonly<
    Record<number, readonly [marine: string, mountain: string, sports: string]>
  > = {
    2020: ['2020-07-23', '2020-08-10', '2020-07-24'],
    2021: ['2021-07-22', '2021-08-08', '2021-07-23'],
  }
  const moved = games[year]?.map(epochDayOf)
  return [
    epochDay(year, 1, 1),
    ...nthWeekday(2, MONDAY, 1)(year),
    epochDay(year, 2, 11),
    ...(year >= 2020 ? [epochDay(year, 2, 23)] : []),
    epochDay(year, 3, equinox(20.8431)),
    epochDay(year, 4, 29),
    ...[3, 4, 5].map((day) => epochDay(year, 5, day)),
    ...(moved ?? [
      ...nthWeekday(3, MONDAY, 7)(year),
      ...(year >= 2016 ? [epochDay(year, 8, 11)] : []),
      ...nthWeekday(2, MONDAY, 10)(year),
    ]),
    ...nthWeekday(3, MONDAY, 9)(year),
    epochDay(year, 9, equinox(23.2488)),
    epochDay(year, 11, 3),
    epochDay(year, 11, 23),
    ...(year <= 2018 ? [epochDay(year, 12, 23)] : []),
    ...(year === 2019 ? ['2019-05-01', '2019-10-22'].map(epochDayOf) : []),
  ]
}
