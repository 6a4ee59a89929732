import { status } from '@grpc/grpc-js'
import { describe, expect, it } from '@jest/globals'
import { failureOf } from '../../../src/api/errors.ts'
import { httpStatusOf, refusalByServer, statusJson } from '../../../src/api/http-failure.ts'
import { PortfolioError } from '../../../src/domain/errors.ts'

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const HTTP_STATUSES: readonly [keyof typeof status, number][] = [
  ['OK', 200],
  ['CANCELLED', 499],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 504],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 400],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 400],
  ['UNIMPLEMENTED', 501],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
  ['UNAUTHENTICATED', 401],
]

describe('httpStatusOf', () => {
  it.each(HTTP_STATUSES)('maps %s to %d as google.rpc.Code says', (name, expected) => {
    const failure = { ...failureOf(new Error('x'), 'r'), code: status[name] }
    expect(httpStatusOf(failure)).toBe(expected)
  })

  it('knows every code', () => {
    expect(HTTP_STATUSES.map(([name]) => status[name])).toHaveLength(17)
  })

  it.each([
    ['REQUEST_TOO_LARGE', 413],
    ['MEDIA_TYPE_UNSUPPORTED', 415],
    ['METHOD_NOT_ALLOWED', 405],
    ['ETAG_MISMATCH', 409],
    ['PATH_NOT_FOUND', 404],
    ['DRAINING', 503],
  ] as const)('maps %s to %d', (reason, expected) => {
    expect(httpStatusOf(failureOf(new PortfolioError(reason, 'x'), 'r'))).toBe(expected)
  })
})

describe('statusJson', () => {
  it('is google.rpc.Status with its details by their types', () => {
    const violations = [
      { field: 'user_id', reason: 'USER_ID_REQUIRED', description: 'must not be empty' },
    ] as const
    const facts = { violations, retryAfterMs: 1_500, metadata: { at: 'noon' } }
    const failure = failureOf(new PortfolioError('USER_ID_REQUIRED', 'no user', facts), 'r-1')
    expect(JSON.parse(statusJson(failure))).toEqual({
      code: 3,
      message: 'no user',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'USER_ID_REQUIRED',
          domain: 'portfolio.v1',
          metadata: { at: 'noon', violations: '1' },
        },
        { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: violations },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.500s' },
        { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 'r-1' },
      ],
    })
  })

  it('shows what state refuses as failed preconditions', () => {
    const violation = {
      field: 'transactions[0]',
      reason: 'LOT_NOT_OPEN',
      description: 'x',
    } as const
    const error = new PortfolioError('LOT_NOT_OPEN', 'closed', { violations: [violation] })
    expect(JSON.parse(statusJson(failureOf(error, 'r')))).toMatchObject({
      details: [
        {},
        {
          '@type': 'type.googleapis.com/google.rpc.PreconditionFailure',
          violations: [{ type: 'LOT_NOT_OPEN', subject: 'transactions[0]' }],
        },
        {},
      ],
    })
  })
})

describe('refusalByServer', () => {
  it.each([
    ['FST_ERR_CTP_BODY_TOO_LARGE', 413, 'REQUEST_TOO_LARGE'],
    ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 400, 'MALFORMED_REQUEST'],
  ])('makes %s a refusal', (code, statusCode, reason) => {
    const error = Object.assign(new Error('x'), { code, statusCode })
    expect(refusalByServer(error)).toMatchObject({ reason })
  })

  it.each([
    ['without a status', new Error('x')],
    ['of the server', Object.assign(new Error('x'), { statusCode: 500 })],
    ['of our own', new PortfolioError('DRAINING', 'x')],
  ])('leaves an error %s as it is', (_whose, error) => {
    expect(refusalByServer(error)).toBe(error)
  })
})
