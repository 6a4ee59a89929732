import { type Close, closingTime, INDEX_SYMBOL } from './market-prices.ts'
import type { FileRow } from './transactions-file.ts'

/** US dollars put into each symbol at the end of each month, as far as four decimals of a unit go. */
const MONTHLY_AMOUNTS = new Map([
  ['AAPL', 150],
  ['AMZN', 120],
  ['GOOG', 200],
  ['IBM', 150],
  ['MSFT', 150],
  [INDEX_SYMBOL, 300],
])
/** Fear at the bottom: everything sold, and bought again from when trust is back. */
const EXIT = { symbol: 'AMZN', soldIn: '2001-09', boughtAgainFrom: '2003-01' }
/** Shares that came from another depot with what they had cost there, a real close of that month. */
const TRANSFER_IN = { symbol: 'MSFT', month: '2004-07', quantity: '40', boughtIn: '2002-09' }
/** Shares given away. */
const TRANSFER_OUT = { symbol: 'IBM', month: '2007-06', quantity: '-5' }
/** From then on a tenth of the index is sold each December. */
const INDEX_SALES_FROM = '2014-12'

const UNIT = 10_000

/**
 * Twenty years of a monthly savings plan, in order of time. All of it follows from the closes: on each month's last
 * trading day every symbol is bought; each December a fifth of the year's best share is sold instead.
 */
export function planTransactions(monthEnds: readonly Close[]): FileRow[] {
  const held = new Map<string, number>()
  const closes = new Map(monthEnds.map((close) => [`${close.symbol} ${monthOf(close)}`, close]))
  const rows: FileRow[] = []
  const record = (close: Close, type: FileRow['type'], units: number, price = close.price) => {
    held.set(close.symbol, (held.get(close.symbol) ?? 0) + (type === 'SELL' ? -units : units))
    const quantity = String(units / UNIT)
    const executedAt = closingTime(close.date).toISOString().replace('.000Z', 'Z')
    rows.push({ type, symbol: close.symbol, quantity, price, executedAt })
  }

  for (const close of monthEnds.toSorted(byDateThenSymbol)) {
    const month = monthOf(close)
    if (TRANSFER_IN.symbol === close.symbol && TRANSFER_IN.month === month) {
      const bought = closes.get(`${close.symbol} ${TRANSFER_IN.boughtIn}`)
      record(close, 'TRANSFER', Number(TRANSFER_IN.quantity) * UNIT, bought?.price ?? '0')
    }
    if (TRANSFER_OUT.symbol === close.symbol && TRANSFER_OUT.month === month) {
      record(close, 'TRANSFER', Number(TRANSFER_OUT.quantity) * UNIT, '0')
    }
    const share = shareSold(close, closes)
    if (share > 0) record(close, 'SELL', Math.floor((held.get(close.symbol) ?? 0) * share))
    else if (!isOut(close)) record(close, 'BUY', unitsBought(close))
  }
  return rows
}

/** How much of the holding is sold that day, 0 to 1. */
function shareSold(close: Close, closes: ReadonlyMap<string, Close>): number {
  const month = monthOf(close)
  if (close.symbol === EXIT.symbol && month === EXIT.soldIn) return 1
  if (!month.endsWith('-12')) return 0
  if (close.symbol === INDEX_SYMBOL) return month >= INDEX_SALES_FROM ? 0.1 : 0
  return close.symbol === bestShareOfYear(month, closes) && !isOut(close) ? 0.2 : 0
}

function bestShareOfYear(month: string, closes: ReadonlyMap<string, Close>): string | undefined {
  const year = Number(month.slice(0, 4))
  let best: { symbol: string; growth: number } | undefined
  for (const symbol of MONTHLY_AMOUNTS.keys()) {
    const before = closes.get(`${symbol} ${year - 1}-12`)
    const now = closes.get(`${symbol} ${month}`)
    if (symbol === INDEX_SYMBOL || before === undefined || now === undefined) continue
    const growth = Number(now.price) / Number(before.price)
    if (best === undefined || growth > best.growth) best = { symbol, growth }
  }
  return best?.symbol
}

function isOut(close: Close): boolean {
  const month = monthOf(close)
  return close.symbol === EXIT.symbol && month >= EXIT.soldIn && month < EXIT.boughtAgainFrom
}

function unitsBought({ symbol, price }: Close): number {
  const amount = MONTHLY_AMOUNTS.get(symbol)
  if (amount === undefined) throw new Error(`the plan knows no ${symbol}`)
  return Math.floor((amount * UNIT) / Number(price))
}

function monthOf({ date }: Close): string {
  return date.slice(0, 7)
}

function byDateThenSymbol(left: Close, right: Close): number {
  const order = left.date === right.date ? left.symbol < right.symbol : left.date < right.date
  return order ? -1 : 1
}
