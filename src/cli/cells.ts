import { isDay, noonOf } from '../domain/portfolio/calendar-day.ts'
import type { Instant } from '../domain/time.ts'

/** How a file writes what can be written in more than one way. */
export interface Notation {
  readonly decimalComma: boolean
  /** Of dates such as 03/04/2024; undefined = no date of the file tells. */
  readonly dayFirst: boolean | undefined
}

/** A number as an amount without its sign, and whether it had one. */
export interface SignedText {
  readonly text: string
  readonly isNegative: boolean
}

const NUMBER = /^\d{1,40}(\.\d{1,40})?$/
const GROUPED = { ',': /^\d{1,3}(,\d{3})+(\.\d*)?$/, '.': /^\d{1,3}(\.\d{3})+(,\d*)?$/ }

/** "-1,234.50", "$1,234.50", "(1234.5)", with a decimal comma "1.234,50"; undefined when it is no number. */
export function readNumber(cell: string, { decimalComma }: Notation): SignedText | undefined {
  const inBrackets = /^\(.*\)$/.test(cell)
  const bare = cell
    .replace(/^\(|\)$/g, '')
    .replace(/[\s'$€£\u2212+]/g, (sign) => (sign === '\u2212' ? '-' : ''))
  const isNegative = inBrackets || bare.startsWith('-')
  const digits = bare.replace(/^-/, '')
  const [group, point] = decimalComma ? (['.', ','] as const) : ([',', '.'] as const)
  const ungrouped = GROUPED[group].test(digits) ? digits.replaceAll(group, '') : digits
  const text = decimalComma ? ungrouped.replace(point, '.') : ungrouped
  if (!NUMBER.test(text)) return undefined
  const short = text.replace(/^0+(?=\d)/, '')
  const exact = short.includes('.') ? short.replace(/\.?0+$/, '') : short
  return { text: exact, isNegative: isNegative && exact !== '0' }
}

const NUMERIC_COMMA = /^[-(]?[\d.]*\d,\d+\)?$/

/** A file with semicolons or tabs between its cells writes decimals with a comma as soon as one number has one. */
export function usesDecimalComma(numbers: readonly string[], delimiter: string): boolean {
  return delimiter !== ',' && numbers.some((cell) => NUMERIC_COMMA.test(cell))
}

const SLASHED = /^(\d{1,2})[/](\d{1,2})[/](\d{4})/

/** True when a date can only be read with the day first, false with the month first; undefined when none tells. */
export function dayComesFirst(dates: readonly string[]): boolean | undefined {
  for (const date of dates) {
    const [, first = '', second = ''] = SLASHED.exec(date) ?? []
    if (Number(first) > 12) return true
    if (Number(second) > 12) return false
  }
  return undefined
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const TIME = /^(\d{2}):?(\d{2})(?::?(\d{2})(\.\d{1,6})?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i

/** In place of a day that could be two. */
const AMBIGUOUS = 'ambiguous'

/** A date, alone or with a time: noon UTC without one, UTC without a zone. Or why it cannot be told. */
export function readDate(cell: string, notation: Notation): Instant | string {
  const [date, time] = splitTime(cell)
  const day = dayText(date, notation)
  if (day === AMBIGUOUS) return 'day and month cannot be told apart: give --date-order'
  if (day === undefined || !isDay(day)) return `"${cell}" is not a date such as 2024-02-29`
  if (time === '') return noonOf(day)
  return instantOf(day, time) ?? `"${cell}" has no time such as 14:30:00`
}

function instantOf(day: string, time: string): Instant | undefined {
  const match = TIME.exec(time)
  if (match === null) return undefined
  const [, hours = '', minutes = '', seconds = '00', fraction = '', zone = 'Z'] = match
  const offset = /^[+-]/.test(zone) ? zone.replace(/^(...):?(..)$/, '$1:$2') : 'Z'
  const wholeMs = Date.parse(`${day}T${hours}:${minutes}:${seconds}${offset}`)
  if (Number.isNaN(wholeMs)) return undefined
  return wholeMs * 1_000 + Math.round(Number(`0${fraction}`) * 1_000_000)
}

const DATE_AND_TIME =
  /^(\d{4}[-/.]?\d{2}[-/.]?\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{4}|\d{1,2}[-\s][a-z]{3,9}[-\s]\d{4})(?:[T,;\s]+(\d.*))?$/i

/** Between date and time brokers write T, a space, a comma or a semicolon. */
function splitTime(cell: string): readonly [date: string, time: string] {
  const [, date = cell, time = ''] = DATE_AND_TIME.exec(cell) ?? []
  return [date, time]
}

/** "YYYY-MM-DD", though perhaps of no day that there is. */
function dayText(date: string, { dayFirst }: Notation): string | undefined {
  const yearFirst = /^(\d{4})([-/.]?)(\d{2})\2(\d{2})$/.exec(date)
  if (yearFirst !== null) return [yearFirst[1], yearFirst[3], yearFirst[4]].join('-')
  const named = /^(\d{1,2})[-\s]([a-z]{3})[a-z]*[-\s](\d{4})$/i.exec(date)
  if (named !== null) {
    const month = MONTHS.indexOf((named[2] ?? '').toLowerCase()) + 1
    return dashed(named[3], month, named[1])
  }
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(date)
  if (dotted !== null) return dashed(dotted[3], dotted[2], dotted[1])
  const slashed = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(date)
  if (slashed === null) return undefined
  const [, first, second, year] = slashed
  // Written either way it is the same day.
  if (dayFirst === undefined && first !== second) return AMBIGUOUS
  return dayFirst === true ? dashed(year, second, first) : dashed(year, first, second)
}

function dashed(
  year: string | undefined,
  month: string | number | undefined,
  day: string | undefined,
): string {
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}
