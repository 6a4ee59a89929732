import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Metadata } from '@grpc/grpc-js'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  PortfolioUpdateRequest_PortfolioTransaction_TransactionType as Type,
  PortfolioUpdateRequestSchema,
  type PortfolioUpdateRequest_PortfolioTransactionSchema,
} from '../../../gen/portfolio/v1/portfolio_update_pb.ts'
import { readUpdate } from '../../../src/api/portfolio.ts'
import { decimalText } from '../../../src/domain/decimal.ts'
import { PortfolioError } from '../../../src/domain/errors.ts'

const NOW = 1_700_000_000_000_000

type Sent = MessageInitShape<typeof PortfolioUpdateRequest_PortfolioTransactionSchema>

function read(transaction: Sent) {
  const request = create(PortfolioUpdateRequestSchema, {
    userId: 'alice',
    transactions: [{ symbol: 'AAPL', quantity: 1, price: 1, ...transaction }],
  })
  return readUpdate(request, new Metadata(), NOW).drafts[0]!
}

function violationsOf(transaction: Sent): readonly string[] {
  try {
    read(transaction)
    return []
  } catch (error) {
    if (!(error instanceof PortfolioError)) throw error
    return error.violations.map(({ field, reason }) => `${field} ${reason}`)
  }
}

const { SELL, TRANSFER } = Type

/** The facts of a request's refusal; undefined = it is not refused. */
function factsOf(count: number, quantity: number) {
  const transactions = Array.from({ length: count }, () => ({ symbol: 'AAPL', quantity, price: 1 }))
  const request = create(PortfolioUpdateRequestSchema, { userId: 'alice', transactions })
  try {
    readUpdate(request, new Metadata(), NOW)
    return undefined
  } catch (error) {
    return (error as PortfolioError).metadata
  }
}

it('a refusal tells how many transactions there may be where there are too many, and nowhere else', () => {
  expect(factsOf(1_000, 1)).toBeUndefined()
  expect(factsOf(1_000, 0)).toEqual({})
  expect(factsOf(1_001, 1)).toEqual({ actual: '1001', maximum: '1000' })
})

describe('a transaction', () => {
  it('is read by the shortest text of its doubles', () => {
    const { quantity, price } = read({ quantity: 0.1, price: 1e15 })
    expect([decimalText(quantity), decimalText(price)]).toEqual(['0.1', '1000000000000000'])
    expect(decimalText(read({ quantity: 1e-18 }).quantity)).toBe('0.000000000000000001')
  })

  it.each<[Sent, string, string, string]>([
    [{}, 'BUY', '1', '1'],
    [{ type: SELL }, 'SELL', '1', '1'],
    [{ type: TRANSFER, quantity: 2 }, 'TRANSFER_IN', '2', '1'],
    [{ type: TRANSFER, quantity: 2, price: -0 }, 'TRANSFER_IN', '2', '0'],
    [{ type: TRANSFER, quantity: -2, price: 5 }, 'TRANSFER_OUT', '2', '0'],
    [{ type: TRANSFER, quantity: -2, price: -1e300 }, 'TRANSFER_OUT', '2', '0'],
  ])('%j is a %s of %s at %s', (sent, type, quantity, price) => {
    const draft = read(sent)
    expect([draft.type, decimalText(draft.quantity), decimalText(draft.price)]).toEqual([
      type,
      quantity,
      price,
    ])
  })

  it('takes the bounds and nothing beyond them', () => {
    const beyond = 1e15 + 1
    expect(violationsOf({ quantity: 1e15 })).toEqual([])
    expect(violationsOf({ price: 1e15 })).toEqual([])
    expect(violationsOf({ quantity: 1e5, price: 1e10 })).toEqual([])
    expect(violationsOf({ quantity: beyond })).toEqual([
      'transactions[0].quantity QUANTITY_INVALID',
    ])
    expect(violationsOf({ price: beyond })).toEqual(['transactions[0].price PRICE_INVALID'])
    expect(violationsOf({ quantity: 1e5, price: 1e10 + 1 })).toEqual([
      'transactions[0].price AMOUNT_INVALID',
    ])
    expect(violationsOf({ quantity: 1e-19 })).toEqual([
      'transactions[0].quantity PRECISION_EXCEEDED',
    ])
  })

  it('may be dated 24 hours ahead', () => {
    expect(read({ timestamp: 1_700_086_400n }).effectiveAt).toBe(NOW + 86_400_000_000)
    expect(read({ timestamp: 0n }).effectiveAt).toBeUndefined()
    expect(violationsOf({ timestamp: 1_700_086_401n })).toEqual([
      'transactions[0].timestamp TIMESTAMP_OUT_OF_RANGE',
    ])
  })

  it('is either refused for a reason or read within the bounds, whatever is sent', () => {
    const sent = fc.record({
      symbol: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('AAPL')),
      type: fc.integer({ min: -2, max: 4 }).map((number) => number as Type),
      quantity: fc.double(),
      price: fc.double(),
      timestamp: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    })
    fc.assert(
      fc.property(sent, (transaction) => {
        if (violationsOf(transaction).length > 0) return
        const { quantity, price, instrumentId } = read(transaction)
        expect(instrumentId).not.toBe('')
        expect(quantity.greaterThan(0) && quantity.lessThanOrEqualTo(1e15)).toBe(true)
        expect(price.lessThan(0) || price.greaterThan(1e15)).toBe(false)
        expect(quantity.times(price).lessThanOrEqualTo(1e15)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
