import { fromBinary } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { status, type StatusObject } from '@grpc/grpc-js'
import { describe, expect, it } from '@jest/globals'
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../../gen/google/rpc/error_details_pb.ts'
import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts'
import { statusOf } from '../../../src/api/errors.ts'
import { invalidRequest, PortfolioError } from '../../../src/domain/errors.ts'

function sentOf({ metadata }: StatusObject) {
  return fromBinary(StatusSchema, metadata.get('grpc-status-details-bin')[0] as Buffer)
}

/** As clients count them: names, values as they are sent, and 32 bytes for each pair. */
function trailerBytes({ code, details, metadata }: StatusObject): number {
  const pairs = [
    [':status', '200'],
    ['content-type', 'application/grpc+proto'],
    ['grpc-status', String(code)],
    ['grpc-message', encodeURI(details)],
    ...Object.entries(metadata.toHttp2Headers()).map(([name, values]) => [name, String(values)]),
  ]
  return pairs.reduce((sum, [name, value]) => sum + name!.length + value!.length + 32, 0)
}

describe('statusOf', () => {
  it('gives violations as a BadRequest, with the first reason and their number', () => {
    const answer = statusOf(
      invalidRequest([
        { field: 'a', reason: 'NOT_FINITE', description: 'must be a finite number' },
        { field: 'b', reason: 'SYMBOL_INVALID', description: 'no symbol' },
      ]),
      'r1',
    )
    expect(answer.code).toBe(status.INVALID_ARGUMENT)
    const { code, message, details } = sentOf(answer)
    expect({ code, message }).toEqual({ code: answer.code, message: answer.details })
    expect(anyUnpack(details[0]!, ErrorInfoSchema)).toMatchObject({
      reason: 'NOT_FINITE',
      domain: 'portfolio.v1',
      metadata: { violations: '2' },
    })
    expect(anyUnpack(details[1]!, BadRequestSchema)?.fieldViolations).toMatchObject([
      { field: 'a', reason: 'NOT_FINITE', description: 'must be a finite number' },
      { field: 'b', reason: 'SYMBOL_INVALID' },
    ])
    expect(anyUnpack(details[2]!, RequestInfoSchema)?.requestId).toBe('r1')
    expect(answer.metadata.get('x-request-id')).toEqual(['r1'])
  })

  it('gives what the state refuses as a PreconditionFailure', () => {
    const violations = [
      { field: 'transactions[0]', reason: 'INSUFFICIENT_QUANTITY', description: 'no' } as const,
    ]
    const error = new PortfolioError('INSUFFICIENT_QUANTITY', 'no', { violations })
    const { details } = sentOf(statusOf(error, 'r'))
    expect(anyUnpack(details[1]!, PreconditionFailureSchema)?.violations).toMatchObject([
      { type: 'INSUFFICIENT_QUANTITY', subject: 'transactions[0]', description: 'no' },
    ])
  })

  it('advises when to come back', () => {
    const answer = statusOf(
      new PortfolioError('WRITE_QUEUE_FULL', 'full', { retryAfterMs: 1_250.5 }),
      'r',
    )
    expect(answer.code).toBe(status.RESOURCE_EXHAUSTED)
    expect(answer.metadata.get('grpc-retry-pushback-ms')).toEqual(['1251'])
    expect(anyUnpack(sentOf(answer).details[1]!, RetryInfoSchema)?.retryDelay).toMatchObject({
      seconds: 1n,
      nanos: 251_000_000,
    })
  })

  it('answers what nobody foresaw with the request id alone', () => {
    const answer = statusOf(new Error('select * from secrets'), 'r7')
    expect(answer.code).toBe(status.INTERNAL)
    expect(answer.details).toBe('internal error, request id r7')
    const { message, details } = sentOf(answer)
    expect(message).toBe(answer.details)
    expect(details.map(({ typeUrl }) => typeUrl)).toEqual([
      'type.googleapis.com/google.rpc.RequestInfo',
    ])
  })

  it.each([
    ['violations of fields', 'QUANTITY_INVALID'],
    ['violations of the state', 'INSUFFICIENT_QUANTITY'],
  ] as const)('shows as many %s as the trailers of any client hold', (_, reason) => {
    const violations = Array.from({ length: 4_000 }, (__, index) => ({
      field: `transactions[${index}].quantity`,
      reason,
      description: index % 7 === 0 ? 'x'.repeat(400) : 'must be greater than 0',
    }))
    const facts = { violations, retryAfterMs: 1_000, metadata: { fact: 'y'.repeat(400) } }
    const answer = statusOf(new PortfolioError(reason, '%'.repeat(400), facts), 'r'.repeat(128))
    const { details } = sentOf(answer)
    expect(anyUnpack(details[0]!, ErrorInfoSchema)?.metadata['violations']).toBe('4000')
    const shown =
      anyUnpack(details[1]!, BadRequestSchema)?.fieldViolations ??
      anyUnpack(details[1]!, PreconditionFailureSchema)?.violations
    expect(shown!.length).toBeGreaterThan(20)
    expect(trailerBytes(answer)).toBeLessThan(8_192)
    expect(trailerBytes(answer)).toBeGreaterThan(7_000)
  })

  it('keeps messages short and plain: others break the transport', () => {
    const text = `\ud800 \u0000 ü ${'x'.repeat(10_000)}`
    const violations = [{ field: 'f', reason: 'SYMBOL_INVALID', description: text } as const]
    const facts = { violations, metadata: { fact: text } }
    const answer = statusOf(new PortfolioError('SYMBOL_INVALID', text, facts), 'r')
    expect(answer.details).toMatch(/^\? \? \? x{294}$/)
    const info = anyUnpack(sentOf(answer).details[0]!, ErrorInfoSchema)
    expect(info?.metadata['fact']).toBe(answer.details)
  })
})
