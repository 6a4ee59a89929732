import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import { MarketDataService, Quote_Kind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { bought, portfolioLog } from '../support/portfolio-log.ts'
import { type QuoteServer, startQuoteServer } from '../support/quote-server.ts'
import { type RunningService, useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const BUDGET_MS = 300
/** What else a write may take on a busy machine. */
const WRITE_MS_MAX = 1_500

const OLD = { seconds: 1_500_000_000n }

const fixture = useService()
let server: QuoteServer
let service: RunningService
let symbols = 0
const newSymbol = (): string => `PROVIDED-${(symbols += 1)}`

/** A service that asks the server; background passes are rare unless a test wants them. */
const withProviders = (environment: Readonly<Record<string, string>> = {}) =>
  fixture.start({
    MARKET_DATA_PROVIDERS: 'store,grpc',
    MARKET_DATA_GRPC_TARGET: `127.0.0.1:${server.port}`,
    MARKET_DATA_BUDGET_MS: String(BUDGET_MS),
    MARKET_DATA_REFRESH_MS: '3600000',
    ...environment,
  })

beforeEach(async () => {
  server = await startQuoteServer()
  service = await withProviders()
})
afterEach(() => server.kill())

/** Buys ten at 100; how it was valued, and how long that took. */
async function buy(symbol: string, { client }: RunningService = service) {
  const start = performance.now()
  const transactions = [{ symbol, quantity: 10, price: 100 }]
  const { message, headers, warnings } = await client.update({ userId: newUser(), transactions })
  return {
    value: message.updatedPortfolio!.totalValue,
    quality: headers['portfolio-data-quality'],
    warnings,
    durationMs: performance.now() - start,
  }
}

/** Every symbol that is asked for has this price from now on; no rate is known. */
function priced(price: string, facts: object = {}): void {
  server.answer = (asked) => ({
    quotes: asked.filter(isNoPair).map((symbol) => Object.assign({ symbol, price }, facts)),
  })
}

function isNoPair(symbol: string): boolean {
  return !symbol.includes('/')
}

describe('a provider', () => {
  it('is asked once for what has no price, before the write that needs it', async () => {
    priced('120')
    const symbol = newSymbol()
    expect(await buy(symbol)).toMatchObject({ value: 1200, quality: 'complete', warnings: [] })
    expect(await buy(symbol)).toMatchObject({ value: 1200 })
    expect(server.requests).toEqual([[symbol]])
    const { message } = await service.client.batchGet({ symbols: [symbol] })
    expect(message.quotes).toMatchObject([{ symbol, price: '120', source: 'grpc' }])
    // Kept: the next start needs no provider.
    const { rows } = await fixture.database.raw.query(
      'select price::text from quote where instrument_id = $1',
      [symbol],
    )
    expect(rows).toEqual([{ price: '120' }])
  })

  it('is asked once by many writes at a time', async () => {
    priced('120')
    const symbol = newSymbol()
    const answers = await Promise.all(Array.from({ length: 20 }, () => buy(symbol)))
    expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, () => 1200))
    expect(server.requests).toEqual([[symbol]])
  })

  it('serves rich writes, rates included', async () => {
    const rate = { symbol: 'EUR/USD', price: '1.25', kind: Quote_Kind.FX, pricedAt: OLD }
    server.answer = (asked) => ({
      quotes: [
        ...asked.filter(isNoPair).map((symbol) => ({ symbol, price: '120', currencyCode: 'EUR' })),
        ...(asked.includes('EUR/USD') ? [rate] : []),
      ],
    })
    const { message } = await portfolioLog(service.client).record({
      userId: newUser(),
      transactions: [bought({ symbol: newSymbol(), currencyCode: 'EUR' })],
    })
    expect(message.portfolio).toMatchObject({ totalValue: '1500', costBasis: '1250' })
    expect(server.requests).toHaveLength(1)
  })

  it('that is killed delays no write, and is asked again when it is back', async () => {
    const { port } = server
    server.kill()
    const without = await buy(newSymbol())
    expect(without).toMatchObject({ value: 1000, quality: 'stale' })
    expect(without.durationMs).toBeLessThan(WRITE_MS_MAX)
    server = await startQuoteServer(port)
    priced('120')
    await eventually(async () => expect(await buy(newSymbol())).toMatchObject({ value: 1200 }))
  })

  it('that says nothing holds no write beyond the budget; its breaker opens, and closes again', async () => {
    server.answer = 'never'
    const slow = await buy(newSymbol())
    expect(slow).toMatchObject({ value: 1000, quality: 'stale' })
    expect(slow.durationMs).toBeGreaterThanOrEqual(BUDGET_MS - 5)
    expect(slow.durationMs).toBeLessThan(BUDGET_MS + WRITE_MS_MAX)
    await Promise.all(Array.from({ length: 5 }, () => buy(newSymbol())))
    await eventually(() => expect(service.log.join()).toContain('it is passed by'))
    const asked = server.requests.length
    const open = await buy(newSymbol())
    expect(open).toMatchObject({ value: 1000, quality: 'stale' })
    expect(open.durationMs).toBeLessThan(BUDGET_MS)
    expect(server.requests).toHaveLength(asked)
    priced('120')
    await eventually(async () => expect(await buy(newSymbol())).toMatchObject({ value: 1200 }))
    expect(service.log.join()).toContain('a provider of prices answers')
  })

  it('leaves a write the half of a short deadline', async () => {
    const patient = await withProviders({ MARKET_DATA_BUDGET_MS: '10000' })
    server.answer = 'never'
    const transactions = [{ symbol: newSymbol(), quantity: 10, price: 100 }]
    const request = { userId: newUser(), transactions }
    const { headers } = await patient.client.update(request, {}, { deadlineMs: 2_000 })
    expect(headers).toMatchObject({ 'portfolio-data-quality': 'stale' })
  })

  it('is waited for by one write for one budget, whatever it needs', async () => {
    const budgetMs = 1_500
    const patient = await withProviders({ MARKET_DATA_BUDGET_MS: String(budgetMs) })
    const symbol = newSymbol()
    await patient.client.unary(MarketDataService.method.upsertInstruments, {
      instruments: [{ symbol, assetClass: AssetClass.EQUITY, currencyCode: 'NOK' }],
    })
    server.answer = 'never'
    const start = performance.now()
    const transactions = [{ symbol, quantity: 10, price: 100 }]
    const failure = await failureOf(patient.client.update({ userId: newUser(), transactions }))
    expect(failure.reason).toBe('FX_RATE_REQUIRED')
    expect(performance.now() - start).toBeLessThan(2 * budgetMs)
  })

  it.each(['NaN', 'Infinity', '0', '-1', '1e308', '', 'twelve'])(
    'that says %j is not believed: the answer is marked',
    async (price) => {
      priced(price)
      const symbol = newSymbol()
      expect(await buy(symbol)).toMatchObject({ value: 1000, quality: 'stale' })
      const { message } = await service.client.unary(MarketDataService.method.listQuotes, {
        symbol,
        quarantinedOnly: true,
      })
      expect(message.quotes).toMatchObject([{ symbol, price, source: 'grpc' }])
    },
  )

  it('that names another currency than the instrument has is not believed', async () => {
    const symbol = newSymbol()
    await service.client.unary(MarketDataService.method.upsertInstruments, {
      instruments: [{ symbol, assetClass: AssetClass.EQUITY, currencyCode: 'USD' }],
    })
    priced('120', { currencyCode: 'JPY' })
    expect(await buy(symbol)).toMatchObject({ value: 1000, quality: 'stale' })
  })

  it('that tells an old price is marked stale, and what nobody asked for is not taken', async () => {
    const symbol = newSymbol()
    const other = newSymbol()
    server.answer = () => ({
      quotes: [
        { symbol, price: '120', pricedAt: OLD },
        { symbol: other, price: '5' },
      ],
    })
    expect(await buy(symbol)).toMatchObject({ value: 1200, quality: 'stale' })
    const { message } = await service.client.batchGet({ symbols: [symbol, other] })
    expect(message.missingSymbols).toEqual([other])
  })
})

describe('in the background', () => {
  it('what a provider brought is refreshed, and what reads miss is looked for', async () => {
    // The services of the tests before this one hold it for hours.
    await fixture.database.raw.query(`delete from lease where name = 'provider-refresh'`)
    const own = await withProviders({ MARKET_DATA_REFRESH_MS: '100' })
    priced('120')
    const symbol = newSymbol()
    expect(await buy(symbol, own)).toMatchObject({ value: 1200 })
    priced('121')
    await eventually(async () => expect(await buy(symbol, own)).toMatchObject({ value: 1210 }))
    // Bought where nobody asks a provider.
    const userId = newUser()
    const missed = newSymbol()
    const transactions = [{ symbol: missed, quantity: 1, price: 1 }]
    await fixture.client.update({ userId, transactions })
    await eventually(async () => {
      const { message } = await own.client.get({ userId })
      expect(message.portfolio!.totalValue).toBe(121)
    })
  })
})

describe('several providers', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portfolio-rates-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('are asked in order for what is still missing', async () => {
    const file = join(folder, 'rates.csv')
    const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
    await writeFile(file, `Date,USD,SEK,DKK,XXX\n${day},1.25,8,8,N/A\n`)
    const both = await withProviders({
      MARKET_DATA_PROVIDERS: 'store,grpc,ecb',
      MARKET_DATA_ECB_SOURCE: file,
    })
    server.answer = (asked) => ({
      quotes: asked.filter(isNoPair).map((symbol) => ({ symbol, price: '120' })),
    })
    const { message } = await portfolioLog(both.client).record({
      userId: newUser(),
      transactions: [bought({ symbol: newSymbol(), currencyCode: 'SEK', price: '64' })],
    })
    // 640 kronor are 80 euros are 100 dollars.
    expect(message.portfolio).toMatchObject({ costBasis: '100', totalValue: '1200' })
    // A silent one leaves the next its share of the budget.
    server.answer = 'never'
    const silent = bought({ symbol: newSymbol(), currencyCode: 'DKK', price: '64' })
    const second = await portfolioLog(both.client).record({
      userId: newUser(),
      transactions: [silent],
    })
    expect(second.message.portfolio).toMatchObject({ costBasis: '100' })
    const unknown = bought({ symbol: newSymbol(), currencyCode: 'THB' })
    const request = { userId: newUser(), transactions: [unknown] }
    const failure = await failureOf(portfolioLog(both.client).record(request))
    expect(failure.reason).toBe('FX_RATE_REQUIRED')
  })
})
