import { dayText, type EpochDay } from '../../domain/analytics/epoch-day.ts'
import type { Figure, NoFigure, ReturnFigure } from '../../domain/analytics/figure.ts'
import { rfc3339 } from '../../domain/time.ts'
import type { Instant } from '../../domain/time.ts'

const LOCALE = 'en-US'
const MINUS = '−'

/** Why there is no number, for people. */
const STATUS_WORDS: Readonly<Record<NoFigure, string>> = {
  NO_CAPITAL: 'no capital at work',
  NO_SOLUTION: 'no solution',
  MULTIPLE_SOLUTIONS: 'several solutions',
  MISSING_VALUATION: 'a price is missing',
  TOO_SHORT: 'history too short',
  NO_VARIANCE: 'returns do not vary',
  NO_DOWNSIDE: 'no losing days',
  NO_DRAWDOWN: 'no drawdown',
  SHORT_BENCHMARK: 'more taken out than it held',
}

export function statusWords(status: NoFigure): string {
  return STATUS_WORDS[status]
}

/** A number as text, or why there is none. */
export interface Shown {
  readonly text: string
  readonly isNumber: boolean
}

export function words(text: string): Shown {
  return { text, isNumber: false }
}

function number(text: string): Shown {
  return { text: text.replace('-', MINUS), isNumber: true }
}

const decimals = (digits: number, style: 'decimal' | 'percent' = 'decimal') =>
  new Intl.NumberFormat(LOCALE, {
    style,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'negative',
  })

const PERCENT = decimals(2, 'percent')
const PERCENT_SHORT = decimals(1, 'percent')
const TENTHS = decimals(1)
const RATIO = decimals(2)
/** For what two decimals would make nothing of. */
const SMALL_RATIO = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 2 })
const SMALL = 0.005
/** Anything may call itself a currency. */
const FORMATS_MAX = 300
const FINE = decimals(4)
const QUANTITY = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 6 })
const COUNT = new Intl.NumberFormat(LOCALE)
const COMPACT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 2 })

/** An amount with the decimals of its currency. */
export function money(amount: number, currency: string): Shown {
  return shown(amount, moneyFormat(currency))
}

const moneyFormats = new Map<string, Intl.NumberFormat>()

/** Making a format costs a hundred times its use; there are as many as numbers of decimals. */
function moneyFormat(currency: string): Intl.NumberFormat {
  const known = moneyFormats.get(currency)
  if (known !== undefined) return known
  const options = new Intl.NumberFormat(LOCALE, { style: 'currency', currency }).resolvedOptions()
  const format = decimals(options.maximumFractionDigits ?? 2)
  if (moneyFormats.size < FORMATS_MAX) moneyFormats.set(currency, format)
  return format
}

/** A fraction as per cent: 0.1234 is 12.34%. */
export function percent(fraction: number | undefined): Shown {
  return shown(fraction, PERCENT)
}

export function percentShort(fraction: number | undefined): Shown {
  return shown(fraction, PERCENT_SHORT)
}

/** A fraction as per cent without the sign, for tables that say so. */
export function percentTenths(fraction: number | undefined): Shown {
  return shown(fraction === undefined ? undefined : fraction * 100, TENTHS)
}

export function quantity(units: number): Shown {
  return shown(units, QUANTITY)
}

export function count(value: number): Shown {
  return shown(value, COUNT)
}

/** 1,250,000 is 1.25M. */
export function compact(value: number): string {
  return number(COMPACT.format(value)).text
}

function shown(value: number | undefined, format: Intl.NumberFormat): Shown {
  if (value === undefined || !Number.isFinite(value)) {
    return words(STATUS_WORDS.MISSING_VALUATION)
  }
  return number(format.format(value))
}

export function percentFigure(figure: Figure): Shown {
  return figure.status === 'OK' ? percent(figure.value) : words(STATUS_WORDS[figure.status])
}

export function ratioFigure(figure: Figure): Shown {
  if (figure.status !== 'OK') return words(STATUS_WORDS[figure.status])
  const isSmall = figure.value !== 0 && Math.abs(figure.value) < SMALL
  return shown(figure.value, isSmall ? SMALL_RATIO : RATIO)
}

/** For what is told from 0 to 1. */
export function fineFigure(figure: Figure): Shown {
  return figure.status === 'OK' ? shown(figure.value, FINE) : words(STATUS_WORDS[figure.status])
}

export function moneyFigure(figure: Figure, currency: string): Shown {
  return figure.status === 'OK' ? money(figure.value, currency) : words(STATUS_WORDS[figure.status])
}

/** A return over the whole period. */
export function cumulative(figure: ReturnFigure): Shown {
  if (figure.status === 'OK') return percent(figure.cumulative)
  const { roots = [] } = figure
  const rates = roots.map((rate) => percent(rate).text).join(', ')
  const reason = STATUS_WORDS[figure.status]
  return words(rates === '' ? reason : `${reason}: ${rates} a year`)
}

/** A return per year. */
export function annualized(figure: ReturnFigure): Shown {
  if (figure.status !== 'OK') return words(STATUS_WORDS[figure.status])
  return figure.annualized === undefined ? words('under one year') : percent(figure.annualized)
}

/** Written alike by every version of the locale data. */
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** "Jan" for 0. */
export function monthName(month: number): string {
  return MONTHS[month] ?? ''
}

/** "17 Apr 2020". */
export function dateOf(day: EpochDay): string {
  return `${tickDate(day, 'DAY')} ${tickDate(day, 'YEAR')}`
}

/** The shortest that tells days so far apart from each other: "17 Apr", "Apr 2020" or "2020". */
export function tickDate(day: EpochDay, unit: 'DAY' | 'MONTH' | 'YEAR'): string {
  const [year = '', month = '', date = ''] = dayText(day).split('-')
  if (unit === 'YEAR') return year
  const name = monthName(Number(month) - 1)
  return unit === 'MONTH' ? `${name} ${year}` : `${Number(date)} ${name}`
}

/** "2020-04-17 21:00:00 UTC". */
export function momentOf(instant: Instant): string {
  return `${rfc3339(instant).slice(0, 19).replace('T', ' ')} UTC`
}
