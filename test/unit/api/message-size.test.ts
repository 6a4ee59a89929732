import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import {
  RecordTransactionsRequestSchema,
  TransactionSchema,
  TransactionType as Type,
} from '../../../gen/portfolio/v1/portfolio_service_pb.ts'
import { checkJsonSize, checkSize } from '../../../src/api/message-size.ts'

const MEBIBYTE = 1_048_576
const LOTS = TransactionSchema.field.lots.number
const LABELS = TransactionSchema.field.labels.number
const TRANSACTIONS = RecordTransactionsRequestSchema.field.transactions.number

function check(bytes: Uint8Array): void {
  checkSize(RecordTransactionsRequestSchema, bytes)
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

function part(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])
}

function many(number: number, byteCount: number): Buffer {
  const one = part(number, Buffer.alloc(0))
  return Buffer.alloc(byteCount - (byteCount % one.length), one)
}

const TOO_LARGE = expect.objectContaining({ reason: 'REQUEST_TOO_LARGE' })

describe('a request', () => {
  it('of 1,000 transactions with all that belongs to them is not too large', () => {
    const one: MessageInitShape<typeof TransactionSchema> = {
      type: Type.SELL,
      symbol: 'AAPL',
      labels: Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`key ${index}`, 'x'])),
    }
    const lots = Array.from({ length: 10 }, (_, index) => ({ lotId: `${index}.0`, quantity: '1' }))
    const transactions = Array.from({ length: 1_000 }, () => ({
      ...one,
      effectiveAt: { seconds: 1n },
      lots,
    }))
    const request = create(RecordTransactionsRequestSchema, { userId: 'large', transactions })
    const bytes = toBinary(RecordTransactionsRequestSchema, request)
    expect(bytes.length).toBeGreaterThan(MEBIBYTE / 4)
    expect(() => check(bytes)).not.toThrow()
  })

  it.each([
    ['empty transactions', many(TRANSACTIONS, MEBIBYTE)],
    ['empty lots of a transaction', part(TRANSACTIONS, many(LOTS, MEBIBYTE))],
    ['empty labels of a transaction', part(TRANSACTIONS, many(LABELS, MEBIBYTE))],
    [
      'empty transactions after a group',
      Buffer.concat([Buffer.from([0xa3, 0x1f, 0xa4, 0x1f]), many(TRANSACTIONS, MEBIBYTE)]),
    ],
  ])('of half a million %s is', (_, bytes) => {
    expect(() => check(bytes)).toThrow(TOO_LARGE)
  })

  it('that is malformed is left to whoever decodes it', () => {
    const bytes = Buffer.concat([Buffer.from([0x0f]), many(TRANSACTIONS, MEBIBYTE)])
    expect(() => check(bytes)).not.toThrow()
  })

  it.each([
    [50_000, false],
    [50_001, true],
  ])('in JSON of %d objects is too large: %s', (count, isRefused) => {
    const refusals: unknown[] = []
    try {
      checkJsonSize(Buffer.from(`[${'{},'.repeat(count - 1)}{}]`))
    } catch (error) {
      refusals.push(error)
    }
    expect(refusals).toEqual(isRefused ? [TOO_LARGE] : [])
  })
})
