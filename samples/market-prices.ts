import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The S&P 500 under the name Yahoo Finance, where the figures come from, gives the index. */
export const INDEX_SYMBOL = '^GSPC'

/** One closing price as the data set ships it. */
export interface Close {
  readonly symbol: string
  /** Trading day in New York, "YYYY-MM-DD". */
  readonly date: string
  /** In US dollars, or index points; the text of the file, no digit added or lost. */
  readonly price: string
}

const require = createRequire(import.meta.url)
const packageFolder = dirname(dirname(require.resolve('vega-datasets')))
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const CLOSING_HOUR = 16
const hourInNewYork = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hour: 'numeric',
  hourCycle: 'h23',
})

/** Every trading day's close of the S&P 500, 2000-01-03 to 2020-04-17, in order of date. */
export function readIndexCloses(): Close[] {
  return readDataRows('sp500-2000.csv').map(({ date, close }) => ({
    symbol: INDEX_SYMBOL,
    date: present(date),
    price: present(close),
  }))
}

/**
 * The monthly closes of the five shares, in the file's order. The file names a month by its first day; the price is
 * that of the month's last trading day, except in its unfinished last month.
 */
export function readShareCloses(): Close[] {
  const dates = monthlyCloseDates()
  return readDataRows('stocks.csv').map(({ symbol, date, price }) => ({
    symbol: present(symbol),
    date: present(dates.get(monthOf(present(date)))),
    price: present(price),
  }))
}

/**
 * The trading day whose close the monthly files show, by month ("2000-01"). For the unfinished last one, March 2010,
 * the package's monthly S&P 500 tells the day the files were made: its value is the close of 2010-03-09 and of no
 * other day of that month.
 */
export function monthlyCloseDates(): Map<string, string> {
  const dates = lastTradingDays()
  const last = readMonthlyIndex().at(-1)
  if (last === undefined) throw new Error('sp500.csv is empty')
  const made = readIndexCloses().filter(
    ({ date, price }) => date.startsWith(last.month) && Number(price).toFixed(2) === last.price,
  )
  const [close] = made
  if (close === undefined || made.length > 1)
    throw new Error(`no single day explains ${last.month}`)
  return dates.set(last.month, close.date)
}

/** Each month's last trading day in the daily S&P 500, by month; the last month's is where the file ends. */
export function lastTradingDays(): Map<string, string> {
  return new Map(readIndexCloses().map(({ date }) => [date.slice(0, 7), date]))
}

/** The closes of finished months only, each on the month's last trading day: when a savings plan buys. */
export function readMonthEnds(): Close[] {
  const days = [...lastTradingDays().values()]
  const finished = new Set(days.slice(0, -1))
  return [...readShareCloses(), ...readIndexCloses()].filter(({ date }) => finished.has(date))
}

/** The package's monthly S&P 500, with two decimals. */
export function readMonthlyIndex(): { month: string; price: string }[] {
  return readDataRows('sp500.csv').map(({ date, price }) => ({
    month: monthOf(present(date)),
    price: Number(price).toFixed(2),
  }))
}

/** When the New York Stock Exchange closes on that day, 16:00 there; its rare short days are not told apart. */
export function closingTime(date: string): Date {
  const noon = new Date(`${date}T12:00:00Z`)
  const offsetHours = 12 - Number(hourInNewYork.format(noon))
  return new Date(noon.getTime() + (CLOSING_HOUR + offsetHours - 12) * 3_600_000)
}

/** "Mar 1 2010" is "2010-03". */
function monthOf(text: string): string {
  const [name, , year] = text.split(' ')
  return `${present(year)}-${String(MONTHS.indexOf(present(name)) + 1).padStart(2, '0')}`
}

function readDataRows(file: string): Record<string, string | undefined>[] {
  const text = readFileSync(join(packageFolder, 'data', file), 'utf8')
  const [header, ...lines] = text.trim().split(/\r?\n/)
  const columns = present(header).split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(columns.map((column, index) => [column, cells[index]]))
  })
}

function present(value: string | undefined): string {
  if (value === undefined) throw new Error('the data set is not as expected: a value is missing')
  return value
}
