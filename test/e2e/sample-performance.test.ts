import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { type Close, readIndexCloses, readShareCloses } from '../../samples/market-prices.ts'
import { playFile } from '../../samples/player.ts'
import { openServiceClient } from '../../samples/service-client.ts'
import { compare, performance } from '../support/analytics.ts'
import { useService } from '../support/service.ts'

const fixture = useService()
const csv = readFileSync(new URL('../../samples/transactions.csv', import.meta.url), 'utf8')
const closes: readonly Close[] = [...readShareCloses(), ...readIndexCloses()]
const END = '2020-04-17'
const INDEX = '^GSPC'
const DAY_MS = 86_400_000

/** Days from one date to another. */
function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS
}

/** One line of the sheet: a day, its value, and what came in and went out on it. */
interface Line {
  readonly day: string
  readonly value: number
  readonly paidIn: number
  readonly takenOut: number
  readonly isMarketDay: boolean
}

/** As one would do it in a spreadsheet: a line a day, a column for each symbol's quantity and last price. */
function sheet(): readonly Line[] {
  const trades = csv
    .trim()
    .split('\n')
    .slice(1)
    .map((text) => text.split(','))
  const pricesOf = new Map<string, [string, number][]>()
  for (const { date, symbol, price } of closes) {
    pricesOf.set(date, [...(pricesOf.get(date) ?? []), [symbol, Number(price)]])
  }
  const tradeDays = trades.map(([, , , , moment = '']) => moment.slice(0, 10))
  const days = [...new Set([...pricesOf.keys(), ...tradeDays])].toSorted()
  const price: Record<string, number> = {}
  const quantity: Record<string, number> = {}
  const lines: Line[] = []
  for (const day of days) {
    let [paidIn, takenOut] = [0, 0]
    for (const [symbol, close] of pricesOf.get(day) ?? []) price[symbol] = close
    for (const [type, symbol = '', units = '', paid = ''] of trades.filter(
      (_, at) => tradeDays[at] === day,
    )) {
      const change = type === 'SELL' ? -Number(units) : Number(units)
      quantity[symbol] = Math.round(((quantity[symbol] ?? 0) + change) * 10_000) / 10_000
      const amount = change * (type === 'TRANSFER' ? price[symbol]! : Number(paid))
      if (amount > 0) paidIn += amount
      else takenOut -= amount
    }
    const held = Object.keys(quantity).filter((symbol) => quantity[symbol] !== 0)
    const value = held.reduce((sum, symbol) => sum + quantity[symbol]! * price[symbol]!, 0)
    const isMarketDay = (pricesOf.get(day) ?? []).some(([symbol]) => held.includes(symbol))
    lines.push({ day, value, paidIn, takenOut, isMarketDay })
  }
  return lines.slice(lines.findIndex(({ paidIn }) => paidIn > 0))
}

/** Growth of one unit that stayed in, at the end of each line. */
function growthOf(lines: readonly Line[]): readonly number[] {
  let [growth, before] = [1, 0]
  return lines.map(({ value, paidIn, takenOut }) => {
    growth *= (value + takenOut) / (before + paidIn)
    before = value
    return growth
  })
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviation(values: readonly number[]): number {
  const average = mean(values)
  const squares = values.map((value) => (value - average) ** 2)
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / (values.length - 1))
}

function changes(levels: readonly number[]): readonly number[] {
  return levels.map((level, at) => level / (at === 0 ? 1 : levels[at - 1]!) - 1)
}

/** The annual rate at which all money discounts to nothing, halved out of an interval. */
function internalRate(lines: readonly Line[]): number {
  const first = lines[0]!.day
  const worth = (rate: number): number =>
    lines.reduce((sum, { day, paidIn, takenOut, value }) => {
      const left = day === END ? value : 0
      return sum + (takenOut - paidIn + left) / (1 + rate) ** (daysBetween(first, day) / 365)
    }, 0)
  let [low, high] = [-0.9, 9]
  for (let step = 0; step < 200; step += 1) {
    const middle = (low + high) / 2
    if (worth(middle) > 0) low = middle
    else high = middle
  }
  return low
}

const lines = sheet()
const growth = growthOf(lines)
const level = new Map(readIndexCloses().map(({ date, price }) => [date, Number(price)]))
const first = lines[0]!.day
const dayCount = daysBetween(first, END) + 1
/** The index on the evening before the first purchase, which was on a Monday. */
const startLevel = [...level].findLast(([day]) => day < first)![1]
const marketGrowth = growth.filter((_, at) => lines[at]!.isMarketDay)

function near(expected: number) {
  return (text: string | undefined): void => {
    const scale = Math.max(1, Math.abs(expected))
    expect(Math.abs(Number(text) - expected) / scale).toBeLessThan(1e-9)
  }
}

describe('the sample portfolio', () => {
  beforeAll(async () => {
    const client = openServiceClient(`127.0.0.1:${fixture.service.ports.grpc}`)
    const silent = { advance: () => undefined, end: () => undefined }
    await playFile(client, { csv, closes, userId: 'sample', showProgress: () => silent })
    client.close()
  }, 60_000)

  it('has the returns and risks that a spreadsheet gives', async () => {
    const { client } = fixture
    const [report] = await performance(client, { userId: 'sample', periods: [{ endDate: END }] })
    const { summary, risk } = report!
    const { value } = lines.at(-1)!
    const paidIn = lines.reduce((sum, line) => sum + line.paidIn, 0)
    const takenOut = lines.reduce((sum, line) => sum + line.takenOut, 0)
    const gain = value - paidIn + takenOut
    expect(summary?.period).toMatchObject({ startDate: first, endDate: END })
    near(value)(summary?.endValue)
    near(paidIn)(summary?.inflows)
    near(takenOut)(summary?.outflows)
    near(gain)(summary?.gain)
    near(gain / paidIn)(summary?.simpleReturn)
    const total = growth.at(-1)!
    near(total - 1)(summary?.timeWeighted?.cumulative)
    near(total ** (365 / dayCount) - 1)(summary?.timeWeighted?.annualized)
    const rate = internalRate(lines)
    near((1 + rate) ** (dayCount / 365) - 1)(summary?.moneyWeighted?.cumulative)
    const weighted = lines.reduce((sum, line) => {
      const share = daysBetween(line.day, END) / daysBetween(first, END)
      return sum + (line.paidIn - line.takenOut) * share
    }, 0)
    near(gain / weighted)(summary?.modifiedDietz?.cumulative)

    const returns = changes(marketGrowth)
    const sorted = returns.toSorted((left, right) => left - right)
    const at = (sorted.length - 1) * 0.05
    const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
    expect(risk?.observations).toBe(returns.length)
    near(deviation(returns) * Math.sqrt(252))(risk?.volatility)
    near((mean(returns) / deviation(returns)) * Math.sqrt(252))(risk?.sharpeRatio)
    near(below + (at - Math.floor(at)) * (above - below))(risk?.valueAtRisk95)
    near(mean(sorted.slice(0, Math.floor(at) + 1)))(risk?.expectedShortfall95)
    let [peak, deepest] = [1, 0]
    for (const now of marketGrowth) {
      peak = Math.max(peak, now)
      deepest = Math.min(deepest, now / peak - 1)
    }
    near(deepest)(risk?.maxDrawdown)
    const added = report!.attribution.reduce((sum, { amount }) => sum + Number(amount), 0)
    near(total - 1)(String(added))
  })

  it('stands to the S&P 500 as a spreadsheet says', async () => {
    const { client } = fixture
    const [comparison] = await compare(client, {
      userId: 'sample',
      period: { endDate: END },
      benchmarks: [{ benchmarkId: 'S&P 500', components: [{ symbol: INDEX, weight: '1' }] }],
    })
    const endLevel = level.get(END)!
    const indexReturn = endLevel / startLevel - 1
    near(indexReturn)(comparison?.benchmark?.timeWeighted?.cumulative)
    near(growth.at(-1)! - 1 - indexReturn)(comparison?.excessReturn)
    expect(comparison?.totalReturn).toBe(false)
    const units = lines.reduce(
      (sum, { day, paidIn, takenOut }) =>
        sum + (paidIn === takenOut ? 0 : (paidIn - takenOut) / level.get(day)!),
      0,
    )
    near(units * endLevel)(comparison?.sameCashFlows?.endValue)
    near(lines.at(-1)!.value - units * endLevel)(comparison?.sameCashFlows?.difference)

    const common = lines.flatMap(({ day, isMarketDay }, at) =>
      isMarketDay && level.has(day)
        ? [{ own: growth[at]!, index: level.get(day)! / startLevel }]
        : [],
    )
    const own = changes(common.map((line) => line.own))
    const index = changes(common.map((line) => line.index))
    const [ownMean, indexMean] = [mean(own), mean(index)]
    const covariance =
      own.reduce((sum, value, at) => sum + (value - ownMean) * (index[at]! - indexMean), 0) /
      (own.length - 1)
    const beta = covariance / deviation(index) ** 2
    near(beta)(comparison?.beta)
    near((1 + ownMean - beta * indexMean) ** 252 - 1)(comparison?.alpha)
    near(covariance / deviation(index) / deviation(own))(comparison?.correlation)
    const active = own.map((value, at) => value - index[at]!)
    near(deviation(active) * Math.sqrt(252))(comparison?.trackingError)
    near((mean(active) / deviation(active)) * Math.sqrt(252))(comparison?.informationRatio)
    const effects = comparison!.attribution.reduce((sum, { amount }) => sum + Number(amount), 0)
    near(growth.at(-1)! - 1 - indexReturn)(String(effects))
  })
})
