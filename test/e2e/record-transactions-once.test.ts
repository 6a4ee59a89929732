import { beforeAll, describe, expect, it } from '@jest/globals'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import { MarketDataService, Quote_Kind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import {
  RecordTransactionsRequest_DuplicatePolicy as Policy,
  RecordTransactionsResponse_Disposition as Disposition,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { failureOf } from '../support/client.ts'
import {
  bought,
  moment,
  portfolioLog,
  type SentTransaction,
  sold,
} from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { ledgerRows, NO_ROWS, rowCounts } from '../support/store.ts'
import { buy } from '../support/transactions.ts'

const fixture = useService()

const AFTER_RATE = moment('2024-03-02T12:00:00Z')

let users = 0
const newUser = (): string => `repeater-${(users += 1)}`
const log = () => portfolioLog(fixture.client)
const record = (userId: string, ...transactions: readonly SentTransaction[]) =>
  log().record({ userId, transactions: [...transactions] })
const ledgerOf = (userId: string) => ledgerRows(fixture.database.raw, userId)

beforeAll(async () => {
  const rate = { symbol: 'EUR/USD', price: '1.25', kind: Quote_Kind.FX }
  const quotes = [
    { ...rate, pricedAt: moment('2024-03-01T00:00:00Z') },
    { symbol: 'ACME', price: '120', pricedAt: moment('2024-06-03T00:00:00Z') },
  ]
  await fixture.client.ingest({ quotes })
})

/** The same fill as its source tells it each time. */
const known = (facts: SentTransaction = {}): SentTransaction =>
  bought({
    externalId: 'fill-1',
    source: 'broker',
    effectiveAt: moment('2024-01-01'),
    ...facts,
  })

const describeAs = (facts: { currencyCode: string; quantityScale: number }) =>
  fixture.client.unary(MarketDataService.method.upsertInstruments, {
    instruments: [{ symbol: 'DRIFT', assetClass: AssetClass.EQUITY, ...facts }],
  })

describe('request_id', () => {
  it('of another RPC is another key (decision 9)', async () => {
    const userId = newUser()
    const key = { 'idempotency-key': 'shared' }
    await fixture.client.update({ userId, transactions: [buy()] }, key)
    const other = await log().record({ userId, transactions: [bought()], requestId: 'shared' })
    expect(other.message.replayed).toBe(false)
    expect(await ledgerOf(userId)).toHaveLength(2)
  })

  it('is replayed, refused for other content, and the same as idempotency-key', async () => {
    const userId = newUser()
    const request = { userId, transactions: [bought()], requestId: 'r-1' }
    const first = await log().record(request)
    const again = await log().record(request)
    expect(again.message).toEqual({ ...first.message, replayed: true })
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true' })
    const both = await log().record(request, { 'idempotency-key': 'r-1' })
    expect(both.message.replayed).toBe(true)
    const failure = await failureOf(
      log().record({ ...request, transactions: [bought({ quantity: '11' })] }),
    )
    expect(failure.reason).toBe('IDEMPOTENCY_KEY_REUSED')
    expect(await ledgerOf(userId)).toHaveLength(1)
  })

  it('is replayed whatever reference data says by then of rates and decimals', async () => {
    await describeAs({ currencyCode: 'EUR', quantityScale: 1 })
    const [rich, plain] = [newUser(), newUser()]
    const drift = bought({ symbol: 'DRIFT', quantity: '1.5', effectiveAt: AFTER_RATE })
    const request = { userId: rich, transactions: [drift], requestId: 'r-2' }
    const first = await log().record(request)
    const trade = { symbol: 'DRIFT', quantity: 1.5, price: 100, timestamp: AFTER_RATE.seconds }
    const update = () =>
      fixture.client.update({ userId: plain, transactions: [trade] }, { 'idempotency-key': 'r-2' })
    const before = await update()

    await describeAs({ currencyCode: 'NOK', quantityScale: 0 })
    expect((await log().record(request)).message).toEqual({ ...first.message, replayed: true })
    expect((await update()).message).toEqual(before.message)
    const fresh = await failureOf(log().record({ ...request, requestId: 'r-3' }))
    expect(fresh.violations).toEqual(['transactions[0].quantity PRECISION_EXCEEDED'])
    await describeAs({ currencyCode: 'NOK', quantityScale: 1 })
    const unrated = await failureOf(log().record({ ...request, requestId: 'r-3' }))
    expect(unrated.violations).toEqual(['transactions[0].fx_rate FX_RATE_REQUIRED'])
    expect(await ledgerOf(rich)).toHaveLength(1)
  })

  it('that differs from idempotency-key is refused', async () => {
    const userId = newUser()
    const failure = await failureOf(
      log().record(
        { userId, transactions: [bought()], requestId: 'r-1' },
        { 'idempotency-key': 'r-2' },
      ),
    )
    expect(failure.violations).toEqual(['request_id IDEMPOTENCY_KEY_INVALID'])
    expect(await ledgerOf(userId)).toEqual([])
  })

  it('is not needed: the header alone does', async () => {
    const userId = newUser()
    const request = { userId, transactions: [bought()] }
    const headers = { 'idempotency-key': 'only the header' }
    await log().record(request, headers)
    expect((await log().record(request, headers)).message.replayed).toBe(true)
    expect(await ledgerOf(userId)).toHaveLength(1)
  })

  it('sent 30 times at once writes once', async () => {
    const userId = newUser()
    const request = { userId, transactions: [bought(), sold()], requestId: 'parallel' }
    const answers = await Promise.all(Array.from({ length: 30 }, () => log().record(request)))
    expect(answers.filter(({ message }) => !message.replayed)).toHaveLength(1)
    const contents = answers.map(({ message }) => JSON.stringify(message.outcomes))
    expect(new Set(contents).size).toBe(1)
    expect(await ledgerOf(userId)).toHaveLength(2)
  })
})

describe('validate_only', () => {
  it('answers what would be, and writes nothing, not even the key', async () => {
    const userId = newUser()
    const request = { userId, transactions: [bought()], validateOnly: true, requestId: 'dry' }
    const { message, headers } = await log().record(request)
    expect(message).toMatchObject({
      outcomes: [{ transactionId: '', disposition: Disposition.VALIDATED }],
      portfolio: { totalValue: '1200' },
    })
    expect(headers['portfolio-version']).toBe('0')
    expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
    const written = await log().record({ ...request, validateOnly: false })
    expect(written.message.replayed).toBe(false)
  })

  it('keeps the etag of what is, and refuses what would be refused', async () => {
    const userId = newUser()
    const { message: before } = await record(userId, bought())
    const dry = await log().record({ userId, transactions: [sold()], validateOnly: true })
    expect(dry.message.etag).toBe(before.etag)
    expect(dry.message.outcomes[0]!.lotMatches).toHaveLength(1)
    const failure = await failureOf(
      log().record({ userId, transactions: [sold({ quantity: '11' })], validateOnly: true }),
    )
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'INSUFFICIENT_QUANTITY' })
  })
})

describe('etag', () => {
  it('of the message or of if-match guards the write', async () => {
    const userId = newUser()
    const { message: first } = await record(userId, bought())
    const request = { userId, transactions: [bought()], etag: first.etag }
    const { message: second } = await log().record(request)
    const failures = await Promise.all([
      failureOf(log().record(request)),
      failureOf(log().record({ ...request, etag: '' }, { 'if-match': `"${first.etag}"` })),
    ])
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: 'ABORTED', reason: 'ETAG_MISMATCH' })
      expect(failure.info?.metadata).toEqual({ etag: second.etag })
    }
    const read = await fixture.client.get({ userId })
    await log().record({ ...request, etag: read.message.etag })
    expect(await ledgerOf(userId)).toHaveLength(3)
  })

  it('is not looked at by a replay', async () => {
    const userId = newUser()
    const { message } = await record(userId, bought())
    const request = { userId, transactions: [bought()], etag: message.etag, requestId: 'r' }
    await log().record(request)
    expect((await log().record(request)).message.replayed).toBe(true)
  })
})

describe('external_id', () => {
  it('is recorded once, whatever the request', async () => {
    const userId = newUser()
    await record(userId, known())
    const { message } = await record(userId, sold(), known())
    expect(message.outcomes).toMatchObject([
      { transactionId: '2', disposition: Disposition.APPLIED },
      { transactionId: '1', disposition: Disposition.REPLAYED },
    ])
    expect(await ledgerOf(userId)).toHaveLength(2)
  })

  it('of other content is refused, or passed over when that is asked for', async () => {
    const userId = newUser()
    await record(userId, known())
    const transactions = [known({ price: '101' }), bought({ externalId: 'fill-2' })]
    const failure = await failureOf(log().record({ userId, transactions }))
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.violations).toEqual(['transactions[0].external_id EXTERNAL_ID_REUSED'])
    const { message } = await log().record({
      userId,
      transactions,
      duplicatePolicy: Policy.SKIP,
    })
    expect(message.outcomes.map(({ disposition }) => disposition)).toEqual([
      Disposition.REPLAYED,
      Disposition.APPLIED,
    ])
    expect(message.portfolio!.costBasis).toBe('2000')
  })

  it('tells equal content from a rate that was not sent, by the rate of the day', async () => {
    const userId = newUser()
    const foreign = known({ currencyCode: 'EUR', effectiveAt: moment('2024-04-01T00:00:00Z') })
    await record(userId, foreign)
    const { message } = await record(userId, foreign)
    expect(message.outcomes).toMatchObject([{ disposition: Disposition.REPLAYED }])
  })
})
