import {
  type DescMethodUnary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  toJson,
} from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { status } from '@grpc/grpc-js'
import { describe, expect, it } from '@jest/globals'
import { BadRequestSchema, ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import {
  GetPortfolioRequestSchema,
  PortfolioService,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { CallFailure } from '../support/client.ts'
import { type HttpAnswer, postJson, sendHttp } from '../support/http.ts'
import { useService } from '../support/service.ts'
import { ledgerRows } from '../support/store.ts'

const fixture = useService()
const port = (): number => fixture.service.ports.http!

const METHODS = [PortfolioService, MarketDataService].flatMap(({ methods }) => methods)
const UNARY = METHODS.filter((method) => method.methodKind === 'unary') as DescMethodUnary[]
const pathOf = ({ parent, name }: (typeof METHODS)[number]) => `/${parent.typeName}/${name}`
const GET_PATH = pathOf(PortfolioService.method.getPortfolio)
const UPDATE_PATH = pathOf(PortfolioService.method.updatePortfolio)

const transactions = [{ symbol: 'AAPL', quantity: 10, price: 100, timestamp: 1_700_000_000n }]
const JSON_TRANSACTIONS = [{ symbol: 'AAPL', quantity: 10, price: 100, timestamp: 1_700_000_000 }]

/** The code and reason of an answer by Connect, in gRPC's names. */
function outcomeOf({ status: httpStatus, json }: HttpAnswer) {
  if (httpStatus === 200) return { code: 'OK', reason: undefined }
  const error = json as { code: string; details: { type: string; debug: JsonObject }[] }
  const info = error.details.find(({ type }) => type === 'google.rpc.ErrorInfo')
  // Connect spells it as Americans do.
  const code = error.code.toUpperCase().replace('CANCELED', 'CANCELLED')
  return { code, reason: info?.debug['reason'] }
}

async function byGrpc(method: DescMethodUnary, request: JsonObject) {
  try {
    const sent = fromJson(method.input, request)
    const { message } = await fixture.client.unary(method, sent)
    return { outcome: { code: 'OK', reason: undefined }, message: message as Message }
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error
    return { outcome: { code: error.code, reason: error.reason }, message: undefined }
  }
}

const OF_THE_ANSWER = new Set([
  'computedAt',
  'expiresAt',
  'maxPriceAge',
  'temporal',
  'servedFromCache',
])

/** Of fields that hold times of their own answer, an answer without them. */
function lasting(json: JsonValue): JsonValue {
  const text = JSON.stringify(json, (key, value: unknown) =>
    OF_THE_ANSWER.has(key) ? undefined : value,
  )
  return JSON.parse(text) as JsonValue
}

describe('every unary RPC of the contract', () => {
  it('is in the table below', () => {
    expect(UNARY.length).toBeGreaterThanOrEqual(9)
  })

  it.each(UNARY.map((method) => [pathOf(method), method] as const))(
    '%s answers to curl what it answers by gRPC',
    async (path, method) => {
      const userId = method.name
      await fixture.client.update({ userId, transactions })
      const requests: JsonObject[] = [{}]
      if (method.input.fields.some(({ name }) => name === 'user_id')) requests.push({ userId })
      for (const request of requests) {
        const expected = await byGrpc(method, request)
        const answer = await postJson(port(), path, request)
        expect(outcomeOf(answer)).toEqual(expected.outcome)
        if (expected.message === undefined) continue
        const options = { alwaysEmitImplicit: true }
        expect(lasting(answer.json as JsonValue)).toEqual(
          lasting(toJson(method.output, expected.message, options)),
        )
        expect(answer.headers['x-request-id']).toBeDefined()
      }
    },
  )

  it('and no stream is served', async () => {
    const streams = METHODS.filter(({ methodKind }) => methodKind !== 'unary')
    expect(streams.length).toBeGreaterThanOrEqual(1)
    for (const stream of streams) {
      expect(await postJson(port(), pathOf(stream), {})).toMatchObject({ status: 404 })
    }
  })
})

describe.each([
  ['JSON', false],
  ['protobuf', true],
])("a client of Connect's own, with %s", (_format, useBinaryFormat) => {
  const clientOf = (useHttpGet = false) =>
    createClient(
      PortfolioService,
      createConnectTransport({
        baseUrl: `http://127.0.0.1:${port()}`,
        httpVersion: '1.1',
        useBinaryFormat,
        useHttpGet,
      }),
    )
  const userId = `client ${useBinaryFormat}`

  it('writes and reads, with metadata both ways', async () => {
    const client = clientOf()
    const received: Headers[] = []
    const options = {
      headers: { 'idempotency-key': `key ${useBinaryFormat}` },
      onHeader: (headers: Headers) => void received.push(headers),
    }
    await client.updatePortfolio({ userId, transactions }, options)
    const again = await client.updatePortfolio({ userId, transactions }, options)
    expect(again.updatedPortfolio).toMatchObject({ totalValue: 1000 })
    expect(received.map((headers) => headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    const byGet = await clientOf(true).getPortfolio({ userId })
    expect(byGet.detail).toMatchObject({ version: 1n, totalValue: '1000' })
    expect(await ledgerRows(fixture.database.raw, userId)).toHaveLength(1)
  })

  it('finds the details of a refusal', async () => {
    const request = { userId: '', timestamp: -1n }
    const error = ConnectError.from(
      await clientOf()
        .getPortfolio(request)
        .then(
          () => undefined,
          (reason: unknown) => reason,
        ),
    )
    expect(error.code).toBe(Code.InvalidArgument)
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: 'USER_ID_REQUIRED' }])
    const [badRequest] = error.findDetails(BadRequestSchema)
    expect(badRequest?.fieldViolations.map(({ field }) => field)).toEqual(['user_id', 'timestamp'])
  })

  it('is refused what it did not expect of the state', async () => {
    const { etag } = await clientOf().getPortfolio({ userId })
    await fixture.client.update({ userId, transactions })
    const headers = { 'if-match': etag }
    const late = clientOf().updatePortfolio({ userId, transactions }, { headers })
    await expect(late).rejects.toMatchObject({ code: Code.Aborted })
  })
})

const NO_REQUESTS: readonly [
  string,
  number,
  string,
  string | Uint8Array,
  Record<string, string>,
][] = [
  ['half an object', 400, 'MALFORMED_REQUEST', '{"userId":', {}],
  ['an unknown field', 400, 'MALFORMED_REQUEST', '{"user":"a"}', {}],
  ['no UTF-8', 400, 'MALFORMED_REQUEST', Buffer.from('{"userId":"\xff"}', 'latin1'), {}],
  ['no protobuf', 400, 'MALFORMED_REQUEST', '{}', { 'content-type': 'application/proto' }],
  ['an illegal timeout', 400, 'MALFORMED_REQUEST', '{}', { 'connect-timeout-ms': 'soon' }],
  ['text', 415, 'MEDIA_TYPE_UNSUPPORTED', '{}', { 'content-type': 'text/plain' }],
  ['a compressed body', 415, 'MEDIA_TYPE_UNSUPPORTED', '{}', { 'content-encoding': 'gzip' }],
  ['too large a body', 413, 'REQUEST_TOO_LARGE', ' '.repeat(1_048_577), {}],
  ['too many objects', 413, 'REQUEST_TOO_LARGE', `[${'{},'.repeat(60_000)}{}]`, {}],
  [
    'too many messages',
    413,
    'REQUEST_TOO_LARGE',
    Buffer.alloc(1_048_576, Buffer.of(GetPortfolioRequestSchema.field.asKnownAt.number * 8 + 2, 0)),
    { 'content-type': 'application/proto' },
  ],
  ['too much metadata', 400, 'METADATA_INVALID', '{}', { 'x-large': 'x'.repeat(9_000) }],
]

describe('a request that is none', () => {
  it.each(NO_REQUESTS)(
    'such as %s is refused in the form of Connect',
    async (_what, httpStatus, reason, ...[body, headers]) => {
      const answer = await postJson(port(), GET_PATH, body, headers)
      expect(answer.status).toBe(httpStatus)
      const code = httpStatus === 413 ? 'RESOURCE_EXHAUSTED' : 'INVALID_ARGUMENT'
      expect(outcomeOf(answer)).toEqual({ code, reason })
      expect(answer.headers['x-request-id']).toBeDefined()
    },
  )

  it('has no path or no method', async () => {
    const service = GET_PATH.slice(0, GET_PATH.lastIndexOf('/'))
    expect(await postJson(port(), `${service}/Nothing`, {})).toMatchObject({ status: 404 })
    const answer = await sendHttp(port(), UPDATE_PATH)
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(answer.json).toMatchObject({ code: status.UNIMPLEMENTED })
  })
})

describe('a deadline', () => {
  it('of the client ends the call; what it did is found by its key', async () => {
    const userId = 'late'
    await fixture.client.update({ userId, transactions })
    const locker = await fixture.database.connect()
    await locker.query('begin')
    await locker.query('select from portfolio where user_id = $1 for update', [userId])
    const request = { userId, transactions: JSON_TRANSACTIONS }
    const key = { 'idempotency-key': 'in time' }
    const late = await postJson(port(), UPDATE_PATH, request, {
      ...key,
      'connect-timeout-ms': '200',
    })
    expect(late.status).toBe(504)
    expect(outcomeOf(late)).toEqual({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' })
    await locker.query('commit')
    const again = await postJson(port(), UPDATE_PATH, request, key)
    expect(again).toMatchObject({ status: 200, headers: { 'portfolio-version': '2' } })
    expect(await ledgerRows(fixture.database.raw, userId)).toHaveLength(2)
  })

  it('that is years away is as long as a call may take', async () => {
    const userId = 'patient'
    await fixture.client.update({ userId, transactions })
    const headers = { 'connect-timeout-ms': '9999999999' }
    expect(await postJson(port(), GET_PATH, { userId }, headers)).toMatchObject({ status: 200 })
  })
})
