import { describe, expect, it } from '@jest/globals'
import { PortfolioUpdateRequest_PortfolioTransaction_TransactionType as Type } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'
import { ledgerRows, rowCounts } from '../support/store.ts'
import { buy, newUser } from '../support/transactions.ts'

const fixture = useService()

async function ledgerOf(userId: string) {
  return ledgerRows(fixture.database.raw, userId)
}

describe('a good request', () => {
  it('answers the summary after it, with etag, version and quality in the headers', async () => {
    const userId = newUser()
    await fixture.client.update({ userId, transactions: [buy()] })
    const { message, headers, warnings } = await fixture.client.update(
      { userId, transactions: [buy({ type: Type.SELL, quantity: 4, price: 120 })] },
      { 'x-request-id': 'trade 7' },
    )
    expect(message.success).toBe(true)
    expect(message.updatedPortfolio).toMatchObject({
      totalValue: 720,
      totalProfitLoss: 200,
      performancePercentage: 20,
      assets: [{ symbol: 'AAPL', quantity: 6, currentValue: 720, profitLoss: 200 }],
    })
    expect(headers).toMatchObject({
      'portfolio-etag': expect.stringMatching(/^2-[0-9a-f]{16}$/),
      'portfolio-version': '2',
      'portfolio-data-quality': 'stale',
      'portfolio-priced-at': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/),
      'portfolio-warning-count': '1',
      'x-request-id': 'trade 7',
    })
    expect(warnings).toEqual(['0:UNKNOWN_INSTRUMENT'])
    expect(headers).not.toHaveProperty('idempotency-replayed')
    expect((await ledgerOf(userId)).map((row) => row.request_id)).toContain('trade 7')
  })

  it('makes a request id where the client has none that is plain text', async () => {
    const request = { userId: newUser(), transactions: [buy()] }
    const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const { headers } = await fixture.client.update(request)
    expect(headers['x-request-id']).toEqual(uuid)
    const long = await fixture.client.update(request, { 'x-request-id': 'x'.repeat(129) })
    expect(long.headers['x-request-id']).toEqual(uuid)
  })

  it('carries transfers by the sign of their quantity', async () => {
    const userId = newUser()
    const { message, warnings } = await fixture.client.update({
      userId,
      transactions: [
        buy({ type: Type.TRANSFER, quantity: 5, price: 80 }),
        // Its price is not read.
        buy({ type: Type.TRANSFER, quantity: -2, price: -7 }),
        buy({ type: Type.TRANSFER, symbol: 'IBM', quantity: 1, price: -0 }),
      ],
    })
    expect(message.updatedPortfolio?.assets).toMatchObject([
      { symbol: 'AAPL', quantity: 3 },
      { symbol: 'IBM', quantity: 1 },
    ])
    expect(warnings).toContain('2:BASIS_UNKNOWN')
  })

  it('takes every unit of time for the same instant (V17)', async () => {
    const userId = newUser()
    const times = [1_700_000_000n, 1_700_000_000_000n, 1_700_000_000_000_000n]
    await fixture.client.update({
      userId,
      transactions: [...times, 1_700_000_000_000_000_000n].map((timestamp) => buy({ timestamp })),
    })
    const { rows } = await fixture.database.raw.query(
      'select distinct effective_at at time zone $2 as at from ledger where user_id = $1',
      [userId, 'UTC'],
    )
    expect(rows).toEqual([{ at: new Date('2023-11-14T22:13:20Z') }])
  })

  it('shows the first 16 warnings and their number', async () => {
    const transactions = Array.from({ length: 40 }, (_, index) => buy({ symbol: `X${index}` }))
    const { headers, warnings } = await fixture.client.update({ userId: newUser(), transactions })
    expect(warnings).toHaveLength(16)
    expect(headers['portfolio-warning-count']).toBe('40')
  })
})

describe('what the state refuses', () => {
  it('a sale of more than is held, with the moment', async () => {
    const userId = newUser()
    await fixture.client.update({
      userId,
      transactions: [buy({ timestamp: 100n }), buy({ type: Type.SELL, timestamp: 500n })],
    })
    const failure = await failureOf(
      fixture.client.update({
        userId,
        transactions: [
          buy({ symbol: 'IBM' }),
          buy({ type: Type.SELL, quantity: 1, timestamp: 300n }),
        ],
      }),
    )
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'INSUFFICIENT_QUANTITY' })
    expect(failure.info?.metadata).toEqual({
      symbol: 'AAPL',
      index: '1',
      held: '9',
      needed: '10',
      at: '1970-01-01T00:08:20Z',
      violations: '1',
    })
    expect(failure.precondition?.violations).toMatchObject([
      { type: 'INSUFFICIENT_QUANTITY', subject: 'transactions[1]' },
    ])
    expect(failure.badRequest).toBeUndefined()
    expect(await ledgerOf(userId)).toHaveLength(2)
  })

  it('a write on an etag that is no longer the newest', async () => {
    const userId = newUser()
    const request = { userId, transactions: [buy()] }
    const first = await fixture.client.update(request)
    const etag = first.headers['portfolio-etag']!
    const second = await fixture.client.update(request, { 'if-match': `"${etag}"` })
    expect(second.headers['portfolio-version']).toBe('2')
    const failure = await failureOf(fixture.client.update(request, { 'if-match': etag }))
    expect(failure).toMatchObject({ code: 'ABORTED', reason: 'ETAG_MISMATCH' })
    expect(failure.info?.metadata).toEqual({ etag: second.headers['portfolio-etag'] })
    expect(await ledgerOf(userId)).toHaveLength(2)
  })
})

describe('portfolio-validate-only', () => {
  it('answers as if and writes nothing', async () => {
    const userId = newUser()
    const request = { userId, transactions: [buy()] }
    const { message, headers } = await fixture.client.update(request, {
      'portfolio-validate-only': 'true',
      'idempotency-key': 'dry',
    })
    expect(message.updatedPortfolio?.totalValue).toBe(1_000)
    expect(headers['portfolio-version']).toBe('0')
    const { ledger, request_key } = await rowCounts(fixture.database.raw, userId)
    expect({ ledger, request_key }).toEqual({ ledger: 0, request_key: 0 })
    expect(await failureOf(fixture.client.get({ userId }))).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('refuses what would be refused', async () => {
    const request = { userId: newUser(), transactions: [buy({ type: Type.SELL })] }
    const headers = { 'portfolio-validate-only': 'true' }
    const failure = await failureOf(fixture.client.update(request, headers))
    expect(failure.reason).toBe('INSUFFICIENT_QUANTITY')
  })
})

describe('idempotency-key', () => {
  it('applies 50 equal requests at once a single time (V14)', async () => {
    const userId = newUser()
    const request = { userId, transactions: [buy(), buy({ symbol: 'IBM' })] }
    const headers = { 'idempotency-key': 'order 1' }
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => fixture.client.update(request, headers)),
    )
    expect(await ledgerOf(userId)).toHaveLength(2)
    const [first] = answers
    for (const answer of answers) {
      expect(answer.message).toEqual(first!.message)
      expect(answer.headers['portfolio-etag']).toBe(first!.headers['portfolio-etag'])
      expect(answer.warnings).toEqual(first!.warnings)
    }
    const replays = answers.filter(
      ({ headers: { 'idempotency-replayed': text } }) => text === 'true',
    )
    expect(replays).toHaveLength(49)
  })

  it('refuses another content under the same key, and never shows the first (V14)', async () => {
    const userId = newUser()
    const headers = { 'idempotency-key': 'order 2' }
    await fixture.client.update({ userId, transactions: [buy()] }, headers)
    const failure = await failureOf(
      fixture.client.update({ userId, transactions: [buy({ quantity: 11 })] }, headers),
    )
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'IDEMPOTENCY_KEY_REUSED' })
    expect(JSON.stringify(failure.info)).not.toContain('AAPL')
    expect(await ledgerOf(userId)).toHaveLength(1)
  })

  it('knows a request by its content, not by its bytes', async () => {
    const userId = newUser()
    const headers = { 'idempotency-key': 'order 3' }
    const text = Buffer.from(userId)
    const transaction = Buffer.from([
      0x12, 22, 0x0a, 2, 0x58, 0x31, 0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x21, 0, 0, 0, 0, 0, 0,
      0xf0, 0x3f,
    ])
    const user = Buffer.concat([Buffer.from([0x0a, text.length]), text])
    const unknownField = Buffer.from([0x48, 1])
    await fixture.client.update(Buffer.concat([user, transaction]), headers)
    const again = await fixture.client.update(
      Buffer.concat([unknownField, transaction, user]),
      headers,
    )
    expect(again.headers['idempotency-replayed']).toBe('true')
  })

  it('replays before it looks at if-match, and does not store refusals', async () => {
    const userId = newUser()
    const headers = { 'idempotency-key': 'order 4' }
    const sale = { userId, transactions: [buy({ type: Type.SELL })] }
    expect(await failureOf(fixture.client.update(sale, headers))).toMatchObject({
      reason: 'INSUFFICIENT_QUANTITY',
    })
    const bought = await fixture.client.update({ userId, transactions: [buy()] })
    const ifMatch = { ...headers, 'if-match': bought.headers['portfolio-etag']! }
    await fixture.client.update(sale, ifMatch)
    const replay = await fixture.client.update(sale, ifMatch)
    expect(replay.headers['idempotency-replayed']).toBe('true')
    expect(await ledgerOf(userId)).toHaveLength(2)
  })

  it('without a key equal requests are two (V15)', async () => {
    const userId = newUser()
    const twin = buy({ timestamp: 100n })
    const twins = { userId, transactions: [twin, twin] }
    const first = await fixture.client.update(twins)
    expect(first.warnings).toContain('1:POSSIBLE_DUPLICATE')
    const second = await fixture.client.update(twins)
    expect(second.warnings).toEqual(
      expect.arrayContaining(['0:POSSIBLE_DUPLICATE', '1:POSSIBLE_DUPLICATE']),
    )
    expect(second.message.updatedPortfolio?.assets[0]?.quantity).toBe(40)
    expect(await ledgerOf(userId)).toHaveLength(4)
  })
})
