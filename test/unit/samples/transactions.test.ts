import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import {
  INDEX_SYMBOL,
  closingTime,
  lastTradingDays,
  monthlyCloseDates,
  readIndexCloses,
  readMonthEnds,
  readMonthlyIndex,
  readShareCloses,
} from '../../../samples/market-prices.ts'
import { planTransactions } from '../../../samples/savings-plan.ts'
import { formatTransactions, parseTransactions } from '../../../samples/transactions-file.ts'

const csv = readFileSync(new URL('../../../samples/transactions.csv', import.meta.url), 'utf8')
const rows = csv
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','))

describe('the prices of vega-datasets', () => {
  const closes = new Map(readIndexCloses().map(({ date, price }) => [date, Number(price)]))

  it('are all there: five shares, and the index on every trading day', () => {
    const shares = readShareCloses()
    const symbols = [...new Set(shares.map(({ symbol }) => symbol))].toSorted()
    expect(symbols).toEqual(['AAPL', 'AMZN', 'GOOG', 'IBM', 'MSFT'])
    expect(shares).toHaveLength(560)
    expect(closes.size).toBe(5105)
  })

  it('give a month the close of its last trading day, as the monthly S&P 500 of the package proves', () => {
    const dates = monthlyCloseDates()
    const months = readMonthlyIndex()
    expect(months).toHaveLength(123)
    for (const { month, price } of months) {
      const date = dates.get(month)!
      expect([month, closes.get(date)?.toFixed(2)]).toEqual([month, price])
    }
  })

  it('are dated the last trading day, but for the month in which the files were made', () => {
    const last = lastTradingDays()
    const dates = readShareCloses().map(({ date }) => date)
    const others = dates.filter((date) => date !== last.get(date.slice(0, 7)))
    expect([...new Set(others)]).toEqual(['2010-03-09'])
    expect(dates.every((date) => closes.has(date))).toBe(true)
    expect(dates).toContain('2003-05-30') // the 31st was a Saturday
  })

  it('have the hour at which New York closes, in summer and in winter', () => {
    expect(closingTime('2000-01-31').toISOString()).toBe('2000-01-31T21:00:00.000Z')
    expect(closingTime('2000-06-30').toISOString()).toBe('2000-06-30T20:00:00.000Z')
  })
})

describe('samples/transactions.csv', () => {
  it('is what samples/generate.ts makes', () => {
    expect(csv).toBe(formatTransactions(planTransactions(readMonthEnds())))
  })

  it('trades on last trading days only, at the real close', () => {
    const closes = new Set(
      [...readShareCloses(), ...readIndexCloses()].map(
        ({ symbol, date, price }) => `${symbol} ${closingTime(date).getTime()} ${price}`,
      ),
    )
    const monthEnds = new Set(lastTradingDays().values())
    for (const [type, symbol, , price, executedAt = ''] of rows) {
      expect(monthEnds).toContain(executedAt.slice(0, 10))
      if (type === 'TRANSFER') continue
      expect(closes).toContain(`${symbol} ${Date.parse(executedAt)} ${price}`)
    }
  })

  it('is in order of time, sells what is held, and leaves and re-enters a share', () => {
    const held = new Map<string, number>()
    const exits: string[] = []
    let before = ''
    for (const [type, symbol = '', quantity, , executedAt = ''] of rows) {
      expect(executedAt >= before).toBe(true)
      before = executedAt
      const units = Math.round(Number(quantity) * 10_000) * (type === 'SELL' ? -1 : 1)
      const after = (held.get(symbol) ?? 0) + units
      expect(after).toBeGreaterThanOrEqual(0)
      if (after === 0) exits.push(symbol)
      held.set(symbol, after)
    }
    expect(exits).toEqual(['AMZN'])
    expect([...held.values()].every((units) => units > 0)).toBe(true)
    expect([...held.keys()]).toContain(INDEX_SYMBOL)
  })

  it('has transfers in both directions and sales', () => {
    const transfers = rows.filter(([type]) => type === 'TRANSFER')
    expect(transfers.map(([, , quantity, price]) => [quantity, price])).toEqual([
      ['40', '17.79'],
      ['-5', '0'],
    ])
    expect(rows.filter(([type]) => type === 'SELL').length).toBeGreaterThan(10)
    expect(rows.length).toBeGreaterThanOrEqual(700)
  })
})

describe('parseTransactions', () => {
  const header = 'type,symbol,quantity,price,executed_at'

  it('reads what formatTransactions writes', () => {
    const row = {
      type: 'SELL',
      symbol: '^GSPC',
      quantity: '0.25',
      price: '1455.219971',
      executedAt: '2000-01-31T21:00:00Z',
    } as const
    expect(parseTransactions(formatTransactions([row]))).toEqual([
      { type: 1, symbol: '^GSPC', quantity: 0.25, price: 1455.219971, timestamp: 949352400000n },
    ])
  })

  it.each([
    ['GIFT,IBM,1,1,2000-01-31T21:00:00Z'],
    ['BUY,,1,1,2000-01-31T21:00:00Z'],
    ['BUY,IBM,one,1,2000-01-31T21:00:00Z'],
    ['BUY,IBM,1,,2000-01-31T21:00:00Z'],
    ['BUY,IBM,1,1,2000-13-31T21:00:00Z'],
    ['BUY,IBM,1,1,2000-01-31'],
    ['BUY,IBM,1,1,2000-01-31T21:00:00Z,x'],
  ])('names the line of "%s"', (line) => {
    const good = 'BUY,IBM,1,1,2000-01-31T21:00:00Z'
    expect(parseTransactions(`${header}\n${good}\n`)).toHaveLength(1)
    expect(() => parseTransactions(`${header}\n${good}\n${line}\n`)).toThrow(/^line 3 /)
  })

  it('wants the header', () => {
    expect(() => parseTransactions('BUY,IBM,1,1,2000-01-31T21:00:00Z')).toThrow(/^line 1 /)
  })
})
