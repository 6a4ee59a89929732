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

interface Trade {
  readonly type: string
  readonly symbol: string
  readonly units: number
  readonly price: number
  readonly day: string
}

function readTrades(): readonly Trade[] {
  const rows = csv.trim().split('\n').slice(1)
  return rows.map((row) => {
    const [type = '', symbol = '', units = '', price = '', moment = ''] = row.split(',')
    return { type, symbol, units: Number(units), price: Number(price), day: moment.slice(0, 10) }
  })
}

/** As one would do it in a spreadsheet: a line a day, a column for each symbol's quantity and last price. */
function sheet(): readonly Line[] {
  const trades = readTrades()
  const days = new Set([...closes.map(({ date }) => date), ...trades.map(({ day }) => day)])
  const price = new Map<string, number>()
  const held = new Map<string, number>()
  const lines: Line[] = []
  const closesOf = new Map<string, Close[]>()
  for (const close of closes) {
    const known = closesOf.get(close.date)
    if (known === undefined) closesOf.set(close.date, [close])
    else known.push(close)
  }
  for (const day of [...days].toSorted()) {
    const quoted = closesOf.get(day) ?? []
    for (const close of quoted) price.set(close.symbol, Number(close.price))
    const flows = trades
      .filter((trade) => trade.day === day)
      .map((trade) => move(trade, held, price))
    const value = [...held].reduce((sum, [symbol, units]) => sum + units * price.get(symbol)!, 0)
    lines.push({
      day,
      value,
      paidIn: total(flows.map((flow) => Math.max(flow, 0))),
      takenOut: total(flows.map((flow) => Math.max(-flow, 0))),
      isMarketDay: quoted.some(({ symbol }) => held.has(symbol)),
    })
  }
  return lines.slice(lines.findIndex(({ paidIn }) => paidIn > 0))
}

/** Books a trade; gives back what it brought in, or took out below zero. */
function move(
  { type, symbol, units, price: paid }: Trade,
  held: Map<string, number>,
  price: ReadonlyMap<string, number>,
): number {
  const change = type === 'SELL' ? -units : units
  const after = Math.round(((held.get(symbol) ?? 0) + change) * 10_000) / 10_000
  if (after === 0) held.delete(symbol)
  else held.set(symbol, after)
  return change * (type === 'TRANSFER' ? price.get(symbol)! : paid)
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
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
  return total(values) / values.length
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

/** Texts of numbers beside what they should be: each the same to 1e-9. */
function expectNear(expected: Readonly<Record<string, number>>, told: object | undefined): void {
  for (const [name, number] of Object.entries(expected)) {
    const off = Math.abs(Number(Reflect.get(told ?? {}, name)) - number)
    expect([name, off / Math.max(1, Math.abs(number)) < 1e-9]).toEqual([name, true])
  }
}

describe('the sample portfolio', () => {
  beforeAll(async () => {
    const client = openServiceClient(`127.0.0.1:${fixture.service.ports.grpc}`)
    const silent = { advance: () => undefined, end: () => undefined }
    await playFile(client, { csv, closes, userId: 'sample', showProgress: () => silent })
    client.close()
  }, 60_000)

  it('has the returns that a spreadsheet gives', async () => {
    const { summary, attribution } = await report()
    const { value } = lines.at(-1)!
    const paidIn = total(lines.map((line) => line.paidIn))
    const takenOut = total(lines.map((line) => line.takenOut))
    const gain = value - paidIn + takenOut
    const linked = growth.at(-1)!
    expect(summary?.period).toMatchObject({ startDate: first, endDate: END })
    const totals = { endValue: value, inflows: paidIn, outflows: takenOut, gain }
    expectNear({ ...totals, simpleReturn: gain / paidIn }, summary)
    const annualized = linked ** (365 / dayCount) - 1
    expectNear({ cumulative: linked - 1, annualized }, summary?.timeWeighted)
    const rate = internalRate(lines)
    const compounded = (1 + rate) ** (dayCount / 365) - 1
    expectNear({ cumulative: compounded }, summary?.moneyWeighted)
    const share = (day: string) => daysBetween(day, END) / daysBetween(first, END)
    const weighted = lines.map((line) => (line.paidIn - line.takenOut) * share(line.day))
    expectNear({ cumulative: gain / total(weighted) }, summary?.modifiedDietz)
    expectNear(
      { added: linked - 1 },
      { added: total(attribution.map(({ amount }) => Number(amount))) },
    )
  })

  it('has the risks that a spreadsheet gives', async () => {
    const { risk } = await report()
    const returns = changes(marketGrowth)
    const sorted = returns.toSorted((left, right) => left - right)
    const at = (sorted.length - 1) * 0.05
    const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
    let [peak, maxDrawdown] = [1, 0]
    for (const now of marketGrowth) {
      peak = Math.max(peak, now)
      maxDrawdown = Math.min(maxDrawdown, now / peak - 1)
    }
    const volatility = deviation(returns) * Math.sqrt(252)
    expect(risk?.observations).toBe(returns.length)
    expectNear(
      {
        volatility,
        sharpeRatio: (mean(returns) * 252) / volatility,
        valueAtRisk95: below + (at - Math.floor(at)) * (above - below),
        expectedShortfall95: mean(sorted.slice(0, Math.floor(at) + 1)),
        maxDrawdown,
      },
      risk,
    )
  })

  it('stands to the S&P 500 as a spreadsheet says', async () => {
    const comparison = await comparisonWithIndex()
    const endLevel = level.get(END)!
    const indexReturn = endLevel / startLevel - 1
    const excessReturn = growth.at(-1)! - 1 - indexReturn
    expectNear({ cumulative: indexReturn }, comparison.benchmark?.timeWeighted)
    expect(comparison.totalReturn).toBe(false)
    const bought = lines.map(({ day, paidIn, takenOut }) =>
      paidIn === takenOut ? 0 : (paidIn - takenOut) / level.get(day)!,
    )
    const endValue = total(bought) * endLevel
    expectNear({ endValue, difference: lines.at(-1)!.value - endValue }, comparison.sameCashFlows)
    const effects = comparison.attribution.map(({ amount }) => Number(amount))
    expectNear({ excessReturn }, { excessReturn: total(effects) })

    const common = lines.flatMap(({ day, isMarketDay }, at) =>
      isMarketDay && level.has(day) ? [{ at, index: level.get(day)! / startLevel }] : [],
    )
    const own = changes(common.map((line) => growth[line.at]!))
    const index = changes(common.map((line) => line.index))
    const [ownMean, indexMean] = [mean(own), mean(index)]
    const products = own.map((value, at) => (value - ownMean) * (index[at]! - indexMean))
    const covariance = total(products) / (own.length - 1)
    const beta = covariance / deviation(index) ** 2
    const active = own.map((value, at) => value - index[at]!)
    expectNear(
      {
        excessReturn,
        beta,
        alpha: (1 + ownMean - beta * indexMean) ** 252 - 1,
        correlation: covariance / deviation(index) / deviation(own),
        trackingError: deviation(active) * Math.sqrt(252),
        informationRatio: (mean(active) / deviation(active)) * Math.sqrt(252),
      },
      comparison,
    )
  })
})

async function report() {
  const [only] = await performance(fixture.client, {
    userId: 'sample',
    periods: [{ endDate: END }],
  })
  return only!
}

async function comparisonWithIndex() {
  const [only] = await compare(fixture.client, {
    userId: 'sample',
    period: { endDate: END },
    benchmarks: [{ benchmarkId: 'S&P 500', components: [{ symbol: INDEX, weight: '1' }] }],
  })
  return only!
}
