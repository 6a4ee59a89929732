import { create, fromJson, type JsonValue } from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import {
  GetPortfolioRequestSchema,
  type GetPortfolioResponse,
  GetPortfolioResponseSchema,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { PortfolioUpdateResponseSchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { type HttpAnswer, postJson, refusalOf, sendHttp } from '../support/http.ts'
import { useService } from '../support/service.ts'
import { ledgerRows } from '../support/store.ts'

const fixture = useService()
const port = (): number => fixture.service.ports.http!
const post = (body: unknown, headers = {}) => postJson(port(), '/portfolio', body, headers)
const get = (query: Record<string, string>, headers = {}) =>
  sendHttp(port(), `/portfolio?${new URLSearchParams(query).toString()}`, { headers })

const PURCHASE = {
  symbol: 'AAPL',
  type: 0,
  quantity: 10,
  price: 100,
  timestamp: 1_700_000_000n,
} as const
const SALE = {
  symbol: 'AAPL',
  type: 1,
  quantity: 4,
  price: 120,
  timestamp: 1_700_086_400n,
} as const
const JSON_PURCHASE = { symbol: 'AAPL', quantity: 10, price: 100, timestamp: 1_700_000_000 }

const updated = ({ json }: HttpAnswer) => fromJson(PortfolioUpdateResponseSchema, json as JsonValue)
const read = ({ json }: HttpAnswer) => fromJson(GetPortfolioResponseSchema, json as JsonValue)

/** Without what differs from one moment to the next. */
function lasting(message: GetPortfolioResponse): GetPortfolioResponse {
  const copy = create(GetPortfolioResponseSchema, message)
  delete copy.computedAt
  delete copy.expiresAt
  copy.servedFromCache = false
  if (copy.detail?.quality) delete copy.detail.quality.maxPriceAge
  return copy
}

/** The headers of this service. */
function ownHeaders(headers: Readonly<Record<string, unknown>>) {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('portfolio-'))
  return Object.fromEntries(own)
}

describe('POST /portfolio', () => {
  it('answers what gRPC answers, headers included', async () => {
    const byGrpc = await fixture.client.update({ userId: 'grpc', transactions: [PURCHASE, SALE] })
    const byHttp = await post({
      user_id: 'http',
      transactions: [
        { ...JSON_PURCHASE, type: 'BUY' },
        { symbol: 'AAPL', type: 'SELL', quantity: 4, price: 120, timestamp: '1700086400' },
      ],
    })
    expect(byHttp.status).toBe(200)
    expect(byHttp.headers['content-type']).toMatch(/^application\/json/)
    expect(updated(byHttp)).toEqual(byGrpc.message)
    // The chain's head is of each portfolio alone.
    const { 'portfolio-etag': etag, ...headers } = ownHeaders(byHttp.headers)
    const { 'portfolio-etag': _etag, ...expected } = ownHeaders(byGrpc.headers)
    expect(headers).toEqual(expected)
    expect(etag).toMatch(/^1-/)
    expect(await ledgerRows(fixture.database.raw, 'http')).toHaveLength(2)
  })

  it('takes the names of JSON as well, and shows zeros', async () => {
    const answer = await post({ userId: 'names', transactions: [JSON_PURCHASE] })
    expect(answer.json).toEqual({
      success: true,
      updatedPortfolio: {
        totalValue: 1000,
        totalProfitLoss: 0,
        performancePercentage: 0,
        assets: [{ symbol: 'AAPL', quantity: 10, currentValue: 1000, profitLoss: 0 }],
      },
    })
  })

  it('names every field that is wrong', async () => {
    const transactions = [
      { symbol: '', quantity: 1, price: 1 },
      { symbol: 'AAPL', type: 7, quantity: 'NaN', price: -1 },
    ]
    expect(refusalOf(await post({ transactions }, { 'if-match': 'mine' }))).toMatchObject({
      status: 400,
      code: 3,
      reason: 'ETAG_INVALID',
      violations: [
        'if-match ETAG_INVALID',
        'user_id USER_ID_REQUIRED',
        'transactions[0].symbol SYMBOL_INVALID',
        'transactions[1].type TYPE_UNKNOWN',
        'transactions[1].quantity NOT_FINITE',
        'transactions[1].price PRICE_INVALID',
      ],
    })
  })

  it('refuses what the state refuses', async () => {
    await post({ userId: 'short', transactions: [JSON_PURCHASE] })
    const sale = { symbol: 'AAPL', type: 'SELL', quantity: 11, price: 100 }
    const answer = await post({ userId: 'short', transactions: [sale] })
    const status = answer.json as { details: readonly Record<string, unknown>[] }
    expect(refusalOf(answer)).toMatchObject({
      status: 400,
      code: 9,
      reason: 'INSUFFICIENT_QUANTITY',
    })
    expect(status.details[0]).toMatchObject({ metadata: { held: '10', needed: '11' } })
  })

  it('refuses an etag of an earlier state with 409, and takes the present one', async () => {
    const first = await post({ userId: 'etag', transactions: [JSON_PURCHASE] })
    const ifMatch = { 'if-match': `"${first.headers['portfolio-etag'] as string}"` }
    const weak = { 'if-match': `W/"${first.headers['portfolio-etag'] as string}"` }
    const second = await post({ userId: 'etag', transactions: [JSON_PURCHASE] }, weak)
    expect(second).toMatchObject({ status: 200, headers: { 'portfolio-version': '2' } })
    const late = await post({ userId: 'etag', transactions: [JSON_PURCHASE] }, ifMatch)
    expect(refusalOf(late)).toMatchObject({ status: 409, code: 10, reason: 'ETAG_MISMATCH' })
    expect(await ledgerRows(fixture.database.raw, 'etag')).toHaveLength(2)
  })

  it('applies once per key, whichever port the request came by', async () => {
    const key = { 'idempotency-key': 'once' }
    const first = await post({ userId: 'keyed', transactions: [JSON_PURCHASE] }, key)
    const again = await post({ user_id: 'keyed', transactions: [JSON_PURCHASE] }, key)
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(again.body).toBe(first.body)
    const byGrpc = await fixture.client.update({ userId: 'keyed', transactions: [PURCHASE] }, key)
    expect(byGrpc.headers['idempotency-replayed']).toBe('true')
    const other = await post(
      { userId: 'keyed', transactions: [{ ...JSON_PURCHASE, price: 9 }] },
      key,
    )
    expect(refusalOf(other)).toMatchObject({ status: 400, reason: 'IDEMPOTENCY_KEY_REUSED' })
    expect(await ledgerRows(fixture.database.raw, 'keyed')).toHaveLength(1)
  })

  it.each([
    ['that is there twice', ['one', 'two']],
    ['that is not ASCII', 'schl\u00fcssel'],
  ])('refuses a key %s', async (_what, key) => {
    const body = { userId: 'no key', transactions: [JSON_PURCHASE] }
    const answer = await post(body, { 'idempotency-key': key })
    expect(refusalOf(answer)).toMatchObject({ status: 400, reason: 'IDEMPOTENCY_KEY_INVALID' })
    expect(await ledgerRows(fixture.database.raw, 'no key')).toEqual([])
  })

  it('only checks when it is asked to', async () => {
    const body = { userId: 'dry', transactions: [JSON_PURCHASE] }
    const answer = await post(body, { 'portfolio-validate-only': 'true' })
    expect(updated(answer)).toMatchObject({ success: true, updatedPortfolio: { totalValue: 1000 } })
    expect(refusalOf(await get({ user_id: 'dry' })).status).toBe(404)
  })

  it.each([
    ['half of an object', '{"userId":"alice"'],
    ['nothing', ''],
    ['a list', '[]'],
    ['an unknown field', '{"userId":"alice","transaktions":[]}'],
    ['a field twice', '{"userId":"alice","userId":"bob"}'],
    ['a field by both names', '{"userId":"alice","user_id":"bob"}'],
    ['a fraction for an int64', '{"userId":"a","transactions":[{"timestamp":1.5}]}'],
    ['a number too large for a double', '{"userId":"a","transactions":[{"price":1e999}]}'],
    ['a deep nest', `{"userId":${'['.repeat(100_000)}`],
    ['invalid UTF-8', Buffer.from('{"userId":"\xff"}', 'latin1')],
    ['protobuf', Buffer.from([0x0a, 0x01, 0x61])],
  ])('refuses %s as malformed', async (_what, body) => {
    expect(refusalOf(await post(body))).toMatchObject({
      status: 400,
      code: 3,
      reason: 'MALFORMED_REQUEST',
    })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'refuses %s, which other sites could make a browser send',
    async (contentType) => {
      const body = JSON.stringify({ userId: 'csrf', transactions: [JSON_PURCHASE] })
      const answer = await post(body, { 'content-type': contentType })
      expect(refusalOf(answer)).toMatchObject({ status: 415, reason: 'MEDIA_TYPE_UNSUPPORTED' })
      expect(await ledgerRows(fixture.database.raw, 'csrf')).toEqual([])
    },
  )

  it('refuses a body above a mebibyte, and takes one of just that', async () => {
    const fitting = `{"userId":"full"${' '.repeat(1_048_576 - 17)}}`
    expect(refusalOf(await post(fitting)).reason).toBe('TRANSACTIONS_REQUIRED')
    const answer = await post(`${fitting} `)
    expect(refusalOf(answer)).toMatchObject({ status: 413, code: 8, reason: 'REQUEST_TOO_LARGE' })
    const chunked = await post(`${fitting} `, { 'transfer-encoding': 'chunked' })
    expect(refusalOf(chunked).status).toBe(413)
  })
})

describe('GET /portfolio', () => {
  it('answers what gRPC answers: now, at a past moment, and in another currency', async () => {
    const userId = 'reader'
    await fixture.client.update({ userId, transactions: [PURCHASE, SALE] })
    const asKnownAt = new Date().toISOString()
    const queries: readonly Record<string, string>[] = [
      { user_id: userId },
      { userId },
      { user_id: userId, timestamp: '1700000001' },
      { user_id: userId, timestamp: '1700000001000', as_known_at: asKnownAt },
      { user_id: userId, reporting_currency: 'EUR' },
    ]
    for (const query of queries) {
      const byGrpc = await fixture.client.get(fromJson(GetPortfolioRequestSchema, query))
      const byHttp = await get(query)
      expect(byHttp.status).toBe(200)
      const [expected, actual] = [lasting(byGrpc.message), lasting(read(byHttp))]
      if (query['timestamp'] === undefined) {
        delete expected.detail!.temporal
        delete actual.detail!.temporal
      }
      expect(actual).toEqual(expected)
      expect(byHttp.headers['portfolio-etag']).toBe(byGrpc.headers['portfolio-etag'])
    }
    const past = read(await get({ user_id: userId, timestamp: '1700000001' }))
    expect(past.portfolio?.assets).toMatchObject([{ symbol: 'AAPL', quantity: 10 }])
  })

  it('names every field that is wrong', async () => {
    const query = { timestamp: '-1', reporting_currency: 'euro', if_none_match: 'x', min_etag: 'y' }
    expect(refusalOf(await get(query))).toMatchObject({
      status: 400,
      violations: [
        'user_id USER_ID_REQUIRED',
        'timestamp TIMESTAMP_OUT_OF_RANGE',
        'reporting_currency CURRENCY_INVALID',
        'if_none_match ETAG_INVALID',
        'min_etag ETAG_INVALID',
      ],
    })
  })

  it.each(['user_id=a&user_id=b', 'user_id=a&userId=a', 'user=a', 'user_id=a&timestamp=now'])(
    'refuses %s as malformed',
    async (query) => {
      const answer = await sendHttp(port(), `/portfolio?${query}`)
      expect(refusalOf(answer)).toMatchObject({ status: 400, reason: 'MALFORMED_REQUEST' })
    },
  )

  it('knows no user that was never written', async () => {
    expect(refusalOf(await get({ user_id: 'nobody' }))).toMatchObject({
      status: 404,
      code: 5,
      reason: 'PORTFOLIO_NOT_FOUND',
    })
  })

  it('answers 304 to the etag of the same answer, however it is written, and 200 to others', async () => {
    await post({ userId: 'known', transactions: [JSON_PURCHASE] })
    const first = await get({ user_id: 'known' })
    const etag = first.headers.etag!
    expect(etag).toBe(`"${read(first).etag}"`)
    for (const known of [etag, `W/${etag}`]) {
      const answer = await get({ user_id: 'known' }, { 'if-none-match': known })
      expect(answer).toMatchObject({ status: 304, body: '', headers: { etag } })
      expect(answer.headers['portfolio-version']).toBe('1')
    }
    for (const other of ['*', '"1-0000000000000000.00000000"', `"a", ${etag}`, 'soon']) {
      const answer = await get({ user_id: 'known' }, { 'if-none-match': other })
      expect(read(answer).detail?.totalValue).toBe('1000')
    }
    const asked = await get({ user_id: 'known', if_none_match: read(first).etag })
    expect(read(asked)).toMatchObject({ notModified: true })
    await post({ userId: 'known', transactions: [JSON_PURCHASE] })
    expect((await get({ user_id: 'known' }, { 'if-none-match': etag })).status).toBe(200)
  })

  it('answers HEAD without a body', async () => {
    await post({ userId: 'head', transactions: [JSON_PURCHASE] })
    const answer = await sendHttp(port(), '/portfolio?user_id=head', { method: 'HEAD' })
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'portfolio-version': '1' } })
  })
})
