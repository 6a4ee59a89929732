import { beforeAll, describe, expect, it } from '@jest/globals'
import { PortfolioUpdateRequest_PortfolioTransaction_TransactionType as Type } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { Quote_Kind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'

const fixture = useService()

const DAY = 86_400n
/** 2023-11-14T22:13:20Z. */
const START = 1_700_000_000n
const startOfDay = (day: number) => ({ seconds: START + BigInt(day) * DAY })

let users = 0
const newUser = (): string => `reader-${(users += 1)}`

const buy = (symbol: string, quantity: number, price: number, day: number) => ({
  symbol,
  quantity,
  price,
  timestamp: START + BigInt(day) * DAY,
})

beforeAll(async () => {
  const quotes = [
    { symbol: 'SAP', price: '120', currencyCode: 'EUR', pricedAt: startOfDay(1) },
    { symbol: 'EUR/USD', price: '1.1', kind: Quote_Kind.FX, pricedAt: startOfDay(1) },
    { symbol: 'MSFT', price: '50.5', pricedAt: startOfDay(1), source: 'exchange' },
    { symbol: 'MSFT', price: '60', pricedAt: startOfDay(10), source: 'exchange' },
  ]
  await fixture.client.ingest({ quotes })
})

describe('the present', () => {
  it('is the summary and all its detail in exact decimals', async () => {
    const userId = newUser()
    await fixture.client.update({
      userId,
      transactions: [
        buy('MSFT', 10, 50, 0),
        buy('SAP', 2, 100, 0),
        { symbol: 'GIFT', type: Type.TRANSFER, quantity: 3 },
      ],
    })
    const { message, headers } = await fixture.client.get({ userId })
    expect(message.portfolio).toMatchObject({ totalValue: 864, totalProfitLoss: 164 })
    expect(message.detail).toMatchObject({
      userId,
      reportingCurrency: 'USD',
      version: 1n,
      totalValue: '864',
      investedValue: '864',
      cashValue: '0',
      costBasis: '700',
      profitLoss: {
        total: '164',
        realized: '0',
        unrealized: '164',
        income: '0',
        fees: '0',
        taxes: '0',
        currencyEffect: '',
        simpleReturn: '0.2342857142857142857142857142857143',
      },
      allocation: [
        { dimension: 'currency', key: 'EUR', value: '264' },
        { dimension: 'currency', key: 'USD', value: '600' },
        { dimension: 'account', key: '', value: '864', weight: '1' },
      ],
      quality: {
        completeness: 3,
        pricedAt: startOfDay(1),
        issues: [
          { symbol: 'GIFT', reason: 'PRICE_MISSING' },
          { symbol: 'GIFT', reason: 'BASIS_UNKNOWN' },
          { symbol: 'MSFT', reason: 'PRICE_STALE' },
          { symbol: 'SAP', reason: 'PRICE_STALE' },
        ],
      },
    })
    const { positions, quality, temporal } = message.detail!
    expect(positions).toMatchObject([
      { symbol: 'GIFT', quantity: '3', price: '', averageCost: '', basisComplete: false },
      {
        symbol: 'MSFT',
        instrumentId: 'MSFT',
        currencyCode: 'USD',
        quantity: '10',
        multiplier: '1',
        averageCost: '50',
        costBasis: '500',
        price: '60',
        pricedAt: startOfDay(10),
        priceSource: 'exchange',
        marketValue: '600',
        value: '600',
        fxRate: '1',
        profitLoss: { total: '100' },
        lotCount: 1,
        basisComplete: true,
        accountId: '',
      },
      { symbol: 'SAP', currencyCode: 'EUR', marketValue: '240', value: '264', fxRate: '1.1' },
    ])
    const ageSeconds = temporal!.effectiveAt!.seconds - startOfDay(1).seconds
    expect(quality!.maxPriceAge!.seconds).toBe(ageSeconds)
    expect(temporal!.asKnownAt).toBeUndefined()
    expect(message.computedAt).toEqual(temporal!.effectiveAt)
    expect(headers).toMatchObject({
      'portfolio-etag': message.etag,
      'portfolio-version': '1',
      'portfolio-data-quality': 'partial',
      'portfolio-priced-at': '2023-11-15T22:13:20Z',
    })
  })

  it('is found with zeros when all is sold, and NOT_FOUND for a user never seen', async () => {
    const userId = newUser()
    const sale = { ...buy('MSFT', 1, 55, 1), type: Type.SELL }
    await fixture.client.update({ userId, transactions: [buy('MSFT', 1, 50, 0), sale] })
    const { message } = await fixture.client.get({ userId })
    expect(message.portfolio).toMatchObject({ totalValue: 0, totalProfitLoss: 5, assets: [] })
    const failure = await failureOf(fixture.client.get({ userId: newUser() }))
    expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'PORTFOLIO_NOT_FOUND' })
  })

  it('is shown in the currency of the request, named by field or header', async () => {
    const userId = newUser()
    await fixture.client.update({ userId, transactions: [buy('SAP', 1, 100, 0)] })
    const byField = await fixture.client.get({ userId, reportingCurrency: 'EUR' })
    expect(byField.message.detail).toMatchObject({ reportingCurrency: 'EUR' })
    expect(byField.message.portfolio!.totalValue).toBeCloseTo(120, 10)
    const byHeader = await fixture.client.get({ userId }, { 'portfolio-reporting-currency': 'EUR' })
    expect(byHeader.message.portfolio).toEqual(byField.message.portfolio)
    const unknown = await fixture.client.get({ userId, reportingCurrency: 'XAU' })
    expect(unknown.headers['portfolio-data-quality']).toBe('partial')
  })
})

describe('etags', () => {
  it('answers not_modified without a body until the state or a price changes', async () => {
    const userId = newUser()
    const [symbol, request] = ['ETAG', { userId, transactions: [buy('ETAG', 1, 10, 0)] }]
    await fixture.client.update(request)
    const first = (await fixture.client.get({ userId })).message
    const second = (await fixture.client.get({ userId, ifNoneMatch: `"${first.etag}"` })).message
    expect(second).toMatchObject({ notModified: true, etag: first.etag, servedFromCache: true })
    expect([second.portfolio, second.detail]).toEqual([undefined, undefined])
    await fixture.client.ingest({ quotes: [{ symbol, price: '11' }] })
    const third = (await fixture.client.get({ userId, ifNoneMatch: first.etag })).message
    expect(third).toMatchObject({ notModified: false, portfolio: { totalValue: 11 } })
    await fixture.client.update(request)
    const fourth = (await fixture.client.get({ userId, ifNoneMatch: third.etag })).message
    expect(fourth).toMatchObject({ notModified: false, portfolio: { totalValue: 22 } })
  })

  it('refuses to be older than min_etag', async () => {
    const userId = newUser()
    const request = { userId, transactions: [buy('MSFT', 1, 50, 0)] }
    const written = (await fixture.client.update(request)).headers['portfolio-etag']!
    const { message } = await fixture.client.get({ userId, minEtag: written })
    expect(message.detail!.version).toBe(1n)
    const later = written.replace(/^1-/, '2-')
    const failure = await failureOf(fixture.client.get({ userId, minEtag: later }))
    expect(failure).toMatchObject({ code: 'ABORTED', reason: 'ETAG_MISMATCH' })
  })

  it('is read at once by another replica that is asked for it', async () => {
    const userId = newUser()
    const replica = await fixture.start()
    const request = { userId, transactions: [buy('MSFT', 1, 50, 0)] }
    await fixture.client.update(request)
    expect((await replica.client.get({ userId })).message.detail!.version).toBe(1n)
    const { headers } = await fixture.client.update(request)
    const minEtag = headers['portfolio-etag']!
    expect((await replica.client.get({ userId, minEtag })).message.detail!.version).toBe(2n)
  })
})

describe('the past', () => {
  it('has the holdings and the prices of then', async () => {
    const userId = newUser()
    const transactions = [buy('MSFT', 10, 50, 0), buy('MSFT', 10, 55, 5)]
    await fixture.client.update({ userId, transactions })
    const { message } = await fixture.client.get({ userId, timestamp: START + 2n * DAY })
    expect(message.portfolio).toMatchObject({ totalValue: 505, assets: [{ quantity: 10 }] })
    expect(message.detail!.temporal!.effectiveAt).toMatchObject(startOfDay(2))
    expect(message.servedFromCache).toBe(false)
    const inMilliseconds = await fixture.client.get({
      userId,
      timestamp: (START + 2n * DAY) * 1_000n,
    })
    expect(inMilliseconds.message.portfolio).toEqual(message.portfolio)
    const before = await fixture.client.get({ userId, timestamp: START - DAY })
    expect(before.message.portfolio).toMatchObject({ totalValue: 0, assets: [] })
  })

  it('knows only what was recorded by as_known_at', async () => {
    const userId = newUser()
    await fixture.client.update({ userId, transactions: [buy('MSFT', 10, 50, 0)] })
    const { computedAt } = (await fixture.client.get({ userId })).message
    await fixture.client.update({ userId, transactions: [buy('MSFT', 5, 50, 0)] })
    const { message } = await fixture.client.get({ userId, asKnownAt: computedAt! })
    expect(message.portfolio!.assets).toMatchObject([{ symbol: 'MSFT', quantity: 10 }])
    expect(message.detail!.temporal!.asKnownAt!.seconds).toBe(computedAt!.seconds)
    const both = await fixture.client.get({
      userId,
      timestamp: START - DAY,
      asKnownAt: computedAt!,
    })
    expect(both.message.portfolio!.assets).toEqual([])
  })
})

describe('bad input', () => {
  it('is named field by field', async () => {
    const failure = await failureOf(
      fixture.client.get({
        userId: 'a\0b',
        timestamp: -1n,
        asKnownAt: { seconds: 0n, nanos: -1 },
        reportingCurrency: 'usd',
        ifNoneMatch: '*',
        minEtag: 'nonsense',
      }),
    )
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.violations).toEqual([
      'user_id USER_ID_INVALID',
      'timestamp TIMESTAMP_OUT_OF_RANGE',
      'as_known_at TIMESTAMP_OUT_OF_RANGE',
      'reporting_currency CURRENCY_INVALID',
      'if_none_match ETAG_INVALID',
      'min_etag ETAG_INVALID',
    ])
  })

  it.each([
    ['before 1700', { seconds: -8_520_336_001n }],
    ['far ahead', { seconds: 253_402_300_800n }],
    ['at the end of 64 bits', { seconds: 2n ** 63n - 1n }],
    ['with too many nanoseconds', { nanos: 1_000_000_000 }],
  ])('as_known_at %s', async (_, asKnownAt) => {
    const failure = await failureOf(fixture.client.get({ userId: newUser(), asKnownAt }))
    expect(failure.violations).toEqual(['as_known_at TIMESTAMP_OUT_OF_RANGE'])
  })

  it('of bytes that are no message is MALFORMED_REQUEST', async () => {
    const failure = await failureOf(fixture.client.get(Buffer.from([0x0a, 1, 0xff])))
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_REQUEST' })
  })
})
