import { describe, expect, it } from '@jest/globals'
import { PortfolioUpdateRequest_PortfolioTransaction_TransactionType as Type } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'
import { NO_ROWS, rowCounts } from '../support/store.ts'
import { buy, newUser, type Transaction } from '../support/transactions.ts'

const fixture = useService()

const DAY_SECONDS = 86_400n
const nowSeconds = BigInt(Math.floor(Date.now() / 1_000))
const tooLateSeconds = nowSeconds + DAY_SECONDS + 60n

describe('bad input is INVALID_ARGUMENT, names every field, and changes nothing', () => {
  const cases: readonly [string, Transaction, readonly string[]][] = [
    [
      'NaN',
      buy({ quantity: Number.NaN, price: Number.NaN }),
      ['quantity NOT_FINITE', 'price NOT_FINITE'],
    ],
    [
      'infinity',
      buy({ quantity: Infinity, price: Infinity }),
      ['quantity NOT_FINITE', 'price NOT_FINITE'],
    ],
    [
      'minus infinity',
      buy({ quantity: -Infinity, price: -Infinity }),
      ['quantity NOT_FINITE', 'price NOT_FINITE'],
    ],
    ['-0', buy({ quantity: -0, price: -0 }), ['quantity QUANTITY_INVALID', 'price PRICE_INVALID']],
    [
      'negatives',
      buy({ quantity: -1, price: -1 }),
      ['quantity QUANTITY_INVALID', 'price PRICE_INVALID'],
    ],
    ['zeros', buy({ quantity: 0, price: 0 }), ['quantity QUANTITY_INVALID', 'price PRICE_INVALID']],
    [
      '1e308',
      buy({ quantity: 1e308, price: 1e308 }),
      ['quantity QUANTITY_INVALID', 'price PRICE_INVALID'],
    ],
    ['a product beyond 1e15', buy({ quantity: 1e8, price: 1.1e7 }), ['price AMOUNT_INVALID']],
    [
      'more than 18 decimals',
      buy({ quantity: 1e-19, price: 5e-324 }),
      ['quantity PRECISION_EXCEEDED', 'price PRECISION_EXCEEDED'],
    ],
    ['an unknown type', buy({ type: 3 as Type }), ['type TYPE_UNKNOWN']],
    ['a negative type', buy({ type: -1 as Type }), ['type TYPE_UNKNOWN']],
    ['an empty symbol', buy({ symbol: '' }), ['symbol SYMBOL_INVALID']],
    ['NUL in a symbol', buy({ symbol: 'AA\0PL' }), ['symbol SYMBOL_INVALID']],
    ['a symbol of 4 KB', buy({ symbol: 'A'.repeat(4_096) }), ['symbol SYMBOL_INVALID']],
    ['__proto__', buy({ symbol: '__proto__' }), ['symbol SYMBOL_INVALID']],
    [
      'a transfer of nothing',
      buy({ type: Type.TRANSFER, quantity: -0 }),
      ['quantity QUANTITY_INVALID'],
    ],
    [
      'a transfer in below nothing',
      buy({ type: Type.TRANSFER, price: -1 }),
      ['price PRICE_INVALID'],
    ],
    [
      'a transfer out at NaN',
      buy({ type: Type.TRANSFER, quantity: -1, price: Number.NaN }),
      ['price NOT_FINITE'],
    ],
    [
      'more than a day ahead in seconds',
      buy({ timestamp: tooLateSeconds }),
      ['timestamp TIMESTAMP_OUT_OF_RANGE'],
    ],
    [
      'in milliseconds',
      buy({ timestamp: tooLateSeconds * 1_000n }),
      ['timestamp TIMESTAMP_OUT_OF_RANGE'],
    ],
    [
      'in microseconds',
      buy({ timestamp: tooLateSeconds * 1_000_000n }),
      ['timestamp TIMESTAMP_OUT_OF_RANGE'],
    ],
    [
      'in nanoseconds',
      buy({ timestamp: tooLateSeconds * 1_000_000_000n }),
      ['timestamp TIMESTAMP_OUT_OF_RANGE'],
    ],
    [
      'the year 5000 in seconds',
      buy({ timestamp: 95_617_584_000n }),
      ['timestamp TIMESTAMP_OUT_OF_RANGE'],
    ],
    ['a negative time', buy({ timestamp: -1n }), ['timestamp TIMESTAMP_OUT_OF_RANGE']],
    ['the least time', buy({ timestamp: -(2n ** 63n) }), ['timestamp TIMESTAMP_OUT_OF_RANGE']],
    ['the greatest time', buy({ timestamp: 2n ** 63n - 1n }), ['timestamp TIMESTAMP_OUT_OF_RANGE']],
  ]

  it.each(cases)('%s', async (_, transaction, violations) => {
    const userId = newUser()
    const failure = await failureOf(
      fixture.client.update(
        { userId, transactions: [buy(), transaction, buy()] },
        { 'idempotency-key': 'bad' },
      ),
    )
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.violations).toEqual(
      violations.map((violation) => `transactions[1].${violation}`),
    )
    expect(failure.info).toMatchObject({
      domain: 'portfolio.v1',
      reason: violations[0]!.split(' ')[1],
      metadata: { violations: String(violations.length) },
    })
    expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
  })

  it('names all fields of all transactions, and the metadata with them', async () => {
    const failure = await failureOf(
      fixture.client.update(
        {
          userId: '',
          transactions: [
            buy({ symbol: '', type: 9 as Type, quantity: Number.NaN, timestamp: -1n }),
            buy({ price: -1 }),
          ],
        },
        {
          'if-match': 'W/"1"',
          'portfolio-validate-only': 'yes',
          'portfolio-reporting-currency': 'eur',
        },
      ),
    )
    expect(failure.violations).toEqual([
      'if-match ETAG_INVALID',
      'portfolio-validate-only METADATA_INVALID',
      'portfolio-reporting-currency CURRENCY_INVALID',
      'user_id USER_ID_REQUIRED',
      'transactions[0].symbol SYMBOL_INVALID',
      'transactions[0].type TYPE_UNKNOWN',
      'transactions[0].quantity NOT_FINITE',
      'transactions[0].timestamp TIMESTAMP_OUT_OF_RANGE',
      'transactions[1].price PRICE_INVALID',
    ])
    expect(failure.reason).toBe('ETAG_INVALID')
  })

  it.each([
    ['is missing', '', 'USER_ID_REQUIRED'],
    ['has a control character', 'a\u0007b', 'USER_ID_INVALID'],
    ['has 129 characters', 'x'.repeat(129), 'USER_ID_INVALID'],
  ])('a user_id that %s', async (_, userId, reason) => {
    const failure = await failureOf(fixture.client.update({ userId, transactions: [buy()] }))
    expect(failure.violations).toEqual([`user_id ${reason}`])
  })

  it('no transactions', async () => {
    const failure = await failureOf(fixture.client.update({ userId: newUser() }))
    expect(failure.violations).toEqual(['transactions TRANSACTIONS_REQUIRED'])
  })

  it('1,001 transactions, told with actual and maximum; 1,000 are taken', async () => {
    const userId = newUser()
    const transactions = Array.from({ length: 1_001 }, () => buy({ price: 0 }))
    const failure = await failureOf(fixture.client.update({ userId, transactions }))
    expect(failure.violations).toEqual(['transactions TOO_MANY_TRANSACTIONS'])
    expect(failure.info?.metadata).toMatchObject({ actual: '1001', maximum: '1000' })
    expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
    const most = Array.from({ length: 1_000 }, () => buy())
    const { message } = await fixture.client.update({ userId, transactions: most })
    expect(message.updatedPortfolio?.assets[0]?.quantity).toBe(10_000)
  })

  it('shows as many of 4,000 violations as any client takes, and their number', async () => {
    const wrong = buy({ symbol: '', type: 9 as Type, quantity: 0, timestamp: -1n })
    const transactions = Array.from({ length: 1_000 }, () => wrong)
    const failure = await failureOf(fixture.client.update({ userId: newUser(), transactions }))
    expect(failure.violations.length).toBeGreaterThan(40)
    expect(failure.violations.slice(0, 5)).toEqual([
      'transactions[0].symbol SYMBOL_INVALID',
      'transactions[0].type TYPE_UNKNOWN',
      'transactions[0].quantity QUANTITY_INVALID',
      'transactions[0].timestamp TIMESTAMP_OUT_OF_RANGE',
      'transactions[1].symbol SYMBOL_INVALID',
    ])
    expect(failure.info?.metadata['violations']).toBe('4000')
    // In base64; 8 KiB with everything else.
    expect(failure.detailsLength).toBeLessThan(7_000)
  })

  it.each([
    ['a lone surrogate in user_id', [0x0a, 3, 0xed, 0xa0, 0x80]],
    ['a lone surrogate in a symbol', [0x0a, 1, 0x61, 0x12, 5, 0x0a, 3, 0xed, 0xa0, 0x80]],
    ['an overlong NUL', [0x0a, 2, 0xc0, 0x80]],
    ['half a message', [0x0a, 200, 1, 0x61]],
    ['an endless varint', [0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ['field number 0', [0x02, 1, 0x61]],
    ['a group that does not end', [0x1b, 0x08, 1]],
  ])('%s is no message', async (_, bytes) => {
    const failure = await failureOf(fixture.client.update(Buffer.from(bytes)))
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_REQUEST' })
    expect(failure.requestInfo?.requestId).toBe(failure.requestId)
  })

  it.each(['', 'x'.repeat(129)])('the idempotency key %j', async (key) => {
    const userId = newUser()
    const request = { userId, transactions: [buy()] }
    const failure = await failureOf(fixture.client.update(request, { 'idempotency-key': key }))
    expect(failure.violations).toEqual(['idempotency-key IDEMPOTENCY_KEY_INVALID'])
    expect(await rowCounts(fixture.database.raw, userId)).toEqual(NO_ROWS)
  })

  it('more than 8 KiB of metadata, told with actual and maximum', async () => {
    const request = { userId: newUser(), transactions: [buy()] }
    const failure = await failureOf(fixture.client.update(request, { padding: 'x'.repeat(8_192) }))
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'METADATA_INVALID' })
    expect(failure.info?.metadata['maximum']).toBe('8192')
  })
})
