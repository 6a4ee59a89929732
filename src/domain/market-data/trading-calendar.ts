import { dayOf } from '../portfolio/calendar-day.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../time.ts'
import { type Exchange, exchanges } from './exchanges.ts'
import { type EpochDay, epochDayOf, isWeekend } from './holiday-rules.ts'

/** A stretch of time in which a market does not change between open and closed. */
interface Stretch {
  readonly from: Instant
  readonly until: Instant
  readonly isOpen: boolean
}

const MINUTE = 60_000_000
/** An exchange nobody listed: weekends only, and all day in UTC. */
const UNLISTED: Exchange = { timeZone: 'UTC', opensAt: '00:00', closesAt: '24:00', holidays: [] }

/** Which days a market trades on, and when. Remembers what it found: answers of one moment cost nothing. */
export class TradingCalendar {
  readonly #exchange: Exchange
  readonly #holidays = new Map<number, ReadonlySet<EpochDay>>()
  readonly #starts = new Map<EpochDay, Instant>()
  #stretch: Stretch = { from: 0, until: 0, isOpen: false }

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  isTradingDay(day: EpochDay): boolean {
    return !isWeekend(day) && !this.#holidaysOf(day).has(day)
  }

  /** The first instant after the `count`th trading day that follows the day of `instant`, on the market's clock. */
  endOfTradingDay(instant: Instant, count: number): Instant {
    let day = this.#dayOf(instant)
    for (let left = count; left > 0;) {
      day += 1
      if (this.isTradingDay(day)) left -= 1
    }
    return this.#startOf(day + 1)
  }

  /** When the first trading day after the day of `instant` begins, on the market's clock. */
  startOfNextTradingDay(instant: Instant): Instant {
    let day = this.#dayOf(instant) + 1
    while (!this.isTradingDay(day)) day += 1
    return this.#startOf(day)
  }

  /** `now` while the market is open, else when it opens next. */
  nextTradeAt(now: Instant): Instant {
    if (now < this.#stretch.from || now >= this.#stretch.until) this.#stretch = this.#stretchAt(now)
    return this.#stretch.isOpen ? now : this.#stretch.until
  }

  #stretchAt(now: Instant): Stretch {
    let day = this.#dayOf(now)
    let from = now
    if (this.isTradingDay(day)) {
      const opens = this.#timeOf(day, this.#exchange.opensAt)
      const closes = this.#timeOf(day, this.#exchange.closesAt)
      if (now < opens) return { from, until: opens, isOpen: false }
      if (now < closes) return { from: opens, until: closes, isOpen: true }
      from = closes
    }
    do day += 1
    while (!this.isTradingDay(day))
    return { from, until: this.#timeOf(day, this.#exchange.opensAt), isOpen: false }
  }

  #dayOf(instant: Instant): EpochDay {
    return epochDayOf(dayOf(instant, this.#exchange.timeZone))
  }

  /** Clocks change in the small hours: from the start of the day on it may be an hour more or less. */
  #timeOf(day: EpochDay, time: string): Instant {
    const [hours = 0, minutes = 0] = time.split(':').map(Number)
    const wall = day * MICROSECONDS_PER_DAY + (hours * 60 + minutes) * MINUTE
    return wall - this.#offsetAt(wall)
  }

  #startOf(day: EpochDay): Instant {
    const known = this.#starts.get(day)
    if (known !== undefined) return known
    const start = this.#timeOf(day, '00:00')
    this.#starts.set(day, start)
    return start
  }

  /** How far the local clock is ahead of UTC when it shows `wall`. */
  #offsetAt(wall: Instant): number {
    const first = wall - this.#localOf(wall)
    return this.#localOf(wall + first) - (wall + first)
  }

  #localOf(instant: Instant): Instant {
    const parts = formatOf(this.#exchange.timeZone).format(Math.floor(instant / 1_000))
    return Date.parse(`${parts.replace(', ', 'T')}Z`) * 1_000
  }

  #holidaysOf(day: EpochDay): ReadonlySet<EpochDay> {
    const year = new Date(day * 86_400_000).getUTCFullYear()
    const known = this.#holidays.get(year)
    if (known !== undefined) return known
    const days = new Set(this.#exchange.holidays.flatMap((rule) => rule(year)))
    this.#holidays.set(year, days)
    return days
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', {
      timeZone,
      dateStyle: 'short',
      timeStyle: 'medium',
    })
    formats.set(timeZone, format)
  }
  return format
}

const calendars = new Map<string, TradingCalendar>()
const unlisted = new TradingCalendar(UNLISTED)

/** The calendar of an exchange by its MIC; of one that is not listed, or of none, weekends only. */
export function tradingCalendar(mic: string): TradingCalendar {
  const exchange = exchanges.get(mic)
  if (exchange === undefined) return unlisted
  let calendar = calendars.get(mic)
  if (calendar === undefined) {
    calendar = new TradingCalendar(exchange)
    calendars.set(mic, calendar)
  }
  return calendar
}
