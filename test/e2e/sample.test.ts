import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import type { GetPortfolioResponse } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { readIndexCloses, readShareCloses } from '../../samples/market-prices.ts'
import { openServiceClient, type ServiceClient } from '../../samples/service-client.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

const root = new URL('../..', import.meta.url)
const csv = readFileSync(new URL('samples/transactions.csv', root), 'utf8')

interface Run {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts a script of the repository as a user would, from its sources. */
function start(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const ended = once(child, 'close').then((): Run => ({ exitCode: child.exitCode, stdout, stderr }))
  return { child: child as ChildProcess, ended }
}

function tablesOf(run: Run | undefined): string | undefined {
  return run?.stdout.slice(run.stdout.indexOf('┌'))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Quantity, money paid for purchases less money from sales, and whether a transfer took part: plain sums. */
function sumFile() {
  const sums = new Map<string, { tenThousandths: number; paid: number; transferred: boolean }>()
  for (const line of csv.trim().split('\n').slice(1)) {
    const [type, symbol = '', quantity, price] = line.split(',')
    const sum = sums.get(symbol) ?? { tenThousandths: 0, paid: 0, transferred: false }
    const sign = type === 'SELL' ? -1 : 1
    sum.tenThousandths += sign * Math.round(Number(quantity) * 10_000)
    if (type === 'TRANSFER') sum.transferred = true
    else sum.paid += sign * Number(quantity) * Number(price)
    sums.set(symbol, sum)
  }
  return sums
}

describe('npm run sample', () => {
  let database: TestDatabase
  let service: ReturnType<typeof start>
  let client: ServiceClient
  let target: string
  const runs: Run[] = []
  const portfolios: GetPortfolioResponse[] = []

  beforeAll(async () => {
    database = await createTestDatabase()
    target = `127.0.0.1:${await freePort()}`
    service = start('src/main.ts', [], {
      DATABASE_URL: database.url,
      GRPC_PORT: target.split(':')[1]!,
      HTTP_PORT: 'off',
      METRICS_PORT: String(await freePort()),
    })
    client = openServiceClient(target)
    const died = service.ended.then(({ stdout, stderr }) => {
      throw new Error(`the service ended; it said:\n${stdout}${stderr}`)
    })
    await Promise.race([client.waitUntilServing(20_000), died])
    died.catch(() => undefined)
    for (let times = 0; times < 2; times++) {
      runs.push(await start('samples/play.ts', ['--target', target, '--user', 'eve']).ended)
      portfolios.push(await client.getPortfolio('eve'))
    }
  }, 60_000)

  afterAll(async () => {
    client.close()
    service.child.kill('SIGTERM')
    await service.ended
    await database.drop()
  })

  it('plays the whole file and every price, and says so', () => {
    expect(runs[0]).toMatchObject({ exitCode: 0 })
    expect(runs[0]?.stdout).toContain(
      'user "eve": 785 transactions in 4 requests, all applied; 5665 prices taken, 0 set aside\n',
    )
    expect(runs[0]?.stderr).toContain('transactions: 785 of 785\n')
  })

  it('changes nothing the second time, and says so', () => {
    expect(runs[1]).toMatchObject({ exitCode: 0 })
    expect(runs[1]?.stdout).toContain('4 replayed (applied by an earlier run, nothing changed)')
    const [first, second] = portfolios
    expect(second?.portfolio).toEqual(first?.portfolio)
    expect(second?.detail?.positions).toEqual(first?.detail?.positions)
    expect(second?.etag).toBe(first?.etag)
    expect(second?.detail?.version).toBe(4n)
    expect(tablesOf(runs[1])).toContain('IBM')
    expect(tablesOf(runs[1])).toBe(tablesOf(runs[0]))
  })

  it('ends with the quantities, values and profits that plain sums give', () => {
    const closes = [...readShareCloses(), ...readIndexCloses()]
    const lastPrices = new Map(closes.map(({ symbol, price }) => [symbol, Number(price)]))
    const assets = new Map(portfolios[0]?.portfolio?.assets.map((asset) => [asset.symbol, asset]))
    const sums = sumFile()
    expect([...assets.keys()].toSorted()).toEqual([...sums.keys()].toSorted())
    const profits = new Map<string, number>()
    let total = 0
    for (const [symbol, { tenThousandths, paid, transferred }] of sums) {
      const value = (tenThousandths / 10_000) * lastPrices.get(symbol)!
      total += value
      expect([symbol, assets.get(symbol)?.quantity]).toEqual([symbol, tenThousandths / 10_000])
      expect(assets.get(symbol)?.currentValue).toBeCloseTo(value, 6)
      if (!transferred) profits.set(symbol, value - paid)
    }
    expect(portfolios[0]?.portfolio?.totalValue).toBeCloseTo(total, 6)
    // What a transfer carries in or out is the lots' business; the others are money out and money in.
    expect(profits.size).toBe(4)
    for (const [symbol, profit] of profits) {
      expect(assets.get(symbol)?.profitLoss).toBeCloseTo(profit, 6)
    }
  })

  it('shows a row for each position, and why the prices are old', () => {
    const lines = runs[0]?.stdout.split('\n') ?? []
    const positions = portfolios[0]?.detail?.positions ?? []
    expect(positions).toHaveLength(6)
    for (const { symbol, quantity } of positions) {
      const row = lines.find((line) => line.startsWith(`│ ${symbol} `))
      expect(row?.split('│')[2]?.trim()).toBe(quantity)
    }
    expect(lines).toContainEqual(expect.stringMatching(/^data quality: stale, .*9 March 2010/))
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}GOOG: PRICE_STALE/))
  })
})
