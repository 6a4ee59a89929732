import { readFile } from 'node:fs/promises'
import type { SentQuote } from '../../../domain/market-data/accept-quote.ts'
import { QUOTE_KINDS } from '../../../domain/market-data/quote.ts'
import type { OpenProvider } from '../guarded-provider.ts'

/** The reference rates of one day, for one euro each. */
interface RatesOfDay {
  /** "YYYY-MM-DD". */
  readonly day: string
  readonly rates: readonly { readonly currency: string; readonly rate: string }[]
}

/** They change once a working day; what was read serves this long. */
const AGE_MS_MAX = 3_600_000
/** Older days are history: import-prices takes them in. */
const DAYS_MAX = 90
/** Concerted at 14:10 Frankfurt time, https://www.ecb.europa.eu/stats/policy_and_exchange_rates. */
const CONCERTED = 'T13:10:00Z'
const EURO_PAIR = /^EUR\/[A-Z]{3}$/
const FX = QUOTE_KINDS.indexOf('FX')

/** The European Central Bank's reference rates, from a file or a URL: its XML or its CSV, not its archives. */
export function ecbProvider(
  source: string,
  nowMs: () => number = () => performance.now(),
): OpenProvider {
  let read: { readonly atMs: number; readonly days: readonly RatesOfDay[] } | undefined
  const given = new Set<string>()
  return {
    name: 'ecb',
    async fetch(symbols, signal) {
      const asked = new Set(symbols.filter((symbol) => EURO_PAIR.test(symbol)))
      if (asked.size === 0) return []
      if (read === undefined || nowMs() - read.atMs > AGE_MS_MAX) {
        read = { atMs: nowMs(), days: parseRates(await load(source, signal)) }
      }
      const newest = read.days.at(-1)
      const quotes = read.days.flatMap((day) =>
        // Past days once: trades of those days need them, and they do not change.
        quotesOf(day).filter(
          ({ symbol }) => asked.has(symbol) && (day === newest || !given.has(symbol)),
        ),
      )
      for (const { symbol } of quotes) given.add(symbol)
      return quotes
    },
  }
}

function quotesOf({ day, rates }: RatesOfDay): readonly SentQuote[] {
  return rates.map(({ currency, rate }) => ({
    symbol: `EUR/${currency}`,
    price: rate,
    currencyCode: currency,
    pricedAt: Date.parse(`${day}${CONCERTED}`) * 1_000,
    source: 'ecb',
    kind: FX,
    splitAdjusted: false,
  }))
}

async function load(source: string, signal: AbortSignal): Promise<string> {
  if (!/^https?:/.test(source)) return readFile(source, { encoding: 'utf8', signal })
  const response = await fetch(source, { signal })
  if (!response.ok) throw new Error(`${source}: HTTP status ${response.status}`)
  return response.text()
}

/** In order of time, the newest ones. @throws when no rate is found: the source is something else. */
export function parseRates(text: string): readonly RatesOfDay[] {
  const days = text.trimStart().startsWith('<') ? parseXml(text) : parseCsv(text)
  if (days.every(({ rates }) => rates.length === 0)) throw new Error('no reference rates in it')
  return days.toSorted((left, right) => (left.day < right.day ? -1 : 1)).slice(-DAYS_MAX)
}

const XML_DAY = /<Cube\s+time=["'](\d{4}-\d{2}-\d{2})["']\s*>([^]*?)<\/Cube>/g
const XML_RATE = /<Cube\s+currency=["']([A-Z]{3})["']\s+rate=["']([\d.]+)["']\s*\/>/g

function parseXml(text: string): readonly RatesOfDay[] {
  return [...text.matchAll(XML_DAY)].map(([, day = '', cubes = '']) => ({
    day,
    rates: [...cubes.matchAll(XML_RATE)].map(([, currency = '', rate = '']) => ({
      currency,
      rate,
    })),
  }))
}

/** The day's file writes "28 June 2024", the historical one "2024-06-28"; what was not quoted is "N/A". */
function parseCsv(text: string): readonly RatesOfDay[] {
  const [header = [], ...lines] = text
    .split(/\r?\n/)
    .map((line) => line.split(',').map((cell) => cell.trim()))
  return lines.flatMap(([date = '', ...cells]): RatesOfDay[] => {
    const timeMs = Date.parse(/^\d{4}-/.test(date) ? date : `${date} UTC`)
    if (Number.isNaN(timeMs)) return []
    const rates = cells.flatMap((rate, place) => {
      const currency = header[place + 1] ?? ''
      return /^[\d.]+$/.test(rate) && /^[A-Z]{3}$/.test(currency) ? [{ currency, rate }] : []
    })
    return [{ day: new Date(timeMs).toISOString().slice(0, 10), rates }]
  })
}
