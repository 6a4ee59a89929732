import { describe, expect, it } from '@jest/globals'
import {
  RecordTransactionsResponse_Disposition as Disposition,
  Transaction_Status as Status,
  TransactionType as Type,
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
import { ledgerRows } from '../support/store.ts'

const fixture = useService()

let users = 0
const log = () => portfolioLog(fixture.client)
const ledgerOf = (userId: string) => ledgerRows(fixture.database.raw, userId)

/** A user with these transactions. */
async function userWith(...transactions: readonly SentTransaction[]): Promise<string> {
  const userId = `reverser-${(users += 1)}`
  await log().record({ userId, transactions: [...transactions] })
  return userId
}

describe('ReverseTransaction', () => {
  it('cancels, and answers the record that did it and the portfolio after it', async () => {
    const userId = await userWith(bought(), bought({ price: '120', fee: '1' }))
    const { message, headers } = await log().reverse({
      userId,
      transactionId: '2',
      reason: 'typed in twice',
    })
    expect(message.reversal).toMatchObject({
      transactionId: '3',
      sequence: 3n,
      type: Type.BUY,
      symbol: 'ACME',
      reversesTransactionId: '2',
      status: Status.ACTIVE,
    })
    expect(message.replacement).toBeUndefined()
    expect(message.portfolio).toMatchObject({ version: 2n, costBasis: '1000' })
    expect(headers['portfolio-etag']).toBe(message.etag)
    expect(await ledgerOf(userId)).toHaveLength(3)
  })

  it('corrects: both in one version', async () => {
    const userId = await userWith(bought({ externalId: 'fill', source: 'broker' }))
    const { message } = await log().reverse({
      userId,
      transactionId: '1',
      replacement: bought({ quantity: '9', externalId: 'fill', source: 'broker' }),
    })
    expect(message.replacement).toMatchObject({
      transactionId: '3',
      quantity: '9',
      externalId: 'fill',
      reversesTransactionId: '',
    })
    expect(message.portfolio).toMatchObject({ version: 2n, costBasis: '900' })
    const { message: listed } = await log().list({ userId, includeReversed: true })
    const facts = listed.transactions.map(
      ({ transactionId, status, reversedByTransactionId: by, reversesTransactionId: of }) =>
        `${transactionId} ${status === Status.REVERSED ? 'REVERSED' : 'ACTIVE'} by ${by} of ${of}`,
    )
    expect(facts.toSorted()).toEqual([
      '1 REVERSED by 2 of ',
      '2 ACTIVE by  of 1',
      '3 ACTIVE by  of ',
    ])
  })

  it('leaves as known before it what was known', async () => {
    const userId = await userWith(bought({ effectiveAt: moment('2024-01-01T00:00:00Z') }))
    const { message: listed } = await log().list({ userId })
    const asKnownAt = listed.transactions[0]!.recordedAt!
    await log().reverse({ userId, transactionId: '1' })
    const before = await fixture.client.get({ userId, asKnownAt })
    expect(before.message.detail?.costBasis).toBe('1000')
    const after = await fixture.client.get({ userId })
    expect(after.message.detail).toMatchObject({ costBasis: '0', positions: [] })
  })

  it('of a foreign deposit takes back what it brought', async () => {
    const userId = await userWith(
      { type: Type.DEPOSIT, grossAmount: '100', currencyCode: 'EUR', fxRate: '1.1' },
      { type: Type.DEPOSIT, grossAmount: '7' },
    )
    const { message } = await log().reverse({ userId, transactionId: '1' })
    expect(message.portfolio).toMatchObject({ cashValue: '7', quality: { issues: [] } })
  })

  it('refuses what later transactions need, and names the moment', async () => {
    const userId = await userWith(
      bought({ effectiveAt: moment('2024-01-01T00:00:00Z') }),
      sold({ effectiveAt: moment('2024-01-02T00:00:00Z') }),
    )
    const failure = await failureOf(log().reverse({ userId, transactionId: '1' }))
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'INSUFFICIENT_QUANTITY' })
    expect(failure.precondition?.violations).toMatchObject([{ subject: 'transaction_id' }])
    expect(failure.info?.metadata).toMatchObject({ needed: '5', at: '2024-01-02T00:00:00Z' })
    expect(await ledgerOf(userId)).toHaveLength(2)
  })

  it('refuses a second time, a reversal, and what is not there', async () => {
    const userId = await userWith(bought(), bought())
    await log().reverse({ userId, transactionId: '1' })
    const outcomes = await Promise.all(
      ['1', '3', '99', '0'].map((transactionId) =>
        failureOf(log().reverse({ userId, transactionId })),
      ),
    )
    expect(outcomes.map(({ code, reason }) => `${code} ${reason}`)).toEqual([
      'FAILED_PRECONDITION ALREADY_REVERSED',
      'NOT_FOUND TRANSACTION_NOT_FOUND',
      'NOT_FOUND TRANSACTION_NOT_FOUND',
      'NOT_FOUND TRANSACTION_NOT_FOUND',
    ])
    expect(await ledgerOf(userId)).toHaveLength(3)
  })

  it('does not reach the transactions of another user', async () => {
    await userWith(bought())
    const failure = await failureOf(log().reverse({ userId: 'nobody', transactionId: '1' }))
    expect(failure.code).toBe('NOT_FOUND')
    expect(await ledgerOf('nobody')).toEqual([])
  })
})

describe('bad input', () => {
  it('is named all at once', async () => {
    const failure = await failureOf(
      log().reverse({
        userId: 'a\nb',
        transactionId: 'one',
        reason: '\u0000',
        etag: '?',
        requestId: 'x'.repeat(129),
        replacement: bought({ symbol: '', quantity: '-1' }),
      }),
    )
    expect(failure.violations.toSorted()).toEqual([
      'etag ETAG_INVALID',
      'reason LABELS_INVALID',
      'replacement.quantity QUANTITY_INVALID',
      'replacement.symbol SYMBOL_INVALID',
      'request_id IDEMPOTENCY_KEY_INVALID',
      'transaction_id TRANSACTION_NOT_FOUND',
      'user_id USER_ID_INVALID',
    ])
  })

  it.each(['', '-1', '1.0', '1e3', ' 1', '12345678901234567'])(
    'the transaction_id %j is the client’s mistake',
    async (transactionId) => {
      const userId = await userWith(bought())
      const failure = await failureOf(log().reverse({ userId, transactionId }))
      expect(failure).toMatchObject({
        violations: ['transaction_id TRANSACTION_NOT_FOUND'],
        code: 'NOT_FOUND',
      })
    },
  )

  it('in the replacement that only the portfolio can tell is blamed on it', async () => {
    const userId = await userWith(bought())
    const failure = await failureOf(
      log().reverse({ userId, transactionId: '1', replacement: sold() }),
    )
    expect(failure.precondition?.violations).toMatchObject([
      { type: 'INSUFFICIENT_QUANTITY', subject: 'replacement' },
    ])
  })
})

describe('request_id, etag and validate_only', () => {
  it('a replay answers what was written, and writes no more', async () => {
    const userId = await userWith(bought())
    const request = { userId, transactionId: '1', replacement: bought(), requestId: 'r' }
    const first = await log().reverse(request)
    const again = await log().reverse(request)
    expect(again.message).toEqual(first.message)
    expect(again.headers['idempotency-replayed']).toBe('true')
    const failure = await failureOf(log().reverse({ ...request, reason: 'another' }))
    expect(failure.reason).toBe('IDEMPOTENCY_KEY_REUSED')
    expect(await ledgerOf(userId)).toHaveLength(3)
  })

  it('the etag guards it', async () => {
    const userId = await userWith(bought())
    const { message } = await log().record({ userId, transactions: [bought()] })
    await log().record({ userId, transactions: [bought()] })
    const failure = await failureOf(
      log().reverse({ userId, transactionId: '1', etag: message.etag }),
    )
    expect(failure).toMatchObject({ code: 'ABORTED', reason: 'ETAG_MISMATCH' })
    expect(await ledgerOf(userId)).toHaveLength(3)
  })

  it('a dry run shows the portfolio as it would be', async () => {
    const userId = await userWith(bought())
    const { message } = await log().reverse({ userId, transactionId: '1', validateOnly: true })
    expect(message.portfolio).toMatchObject({ costBasis: '0' })
    expect(message.reversal).toBeUndefined()
    expect(await ledgerOf(userId)).toHaveLength(1)
  })

  it('an id that passed to the replacement replays with its content', async () => {
    const userId = await userWith(bought({ externalId: 'x' }))
    const replacement = bought({ externalId: 'x', price: '99' })
    await log().reverse({ userId, transactionId: '1', replacement })
    const { message } = await log().record({ userId, transactions: [replacement] })
    expect(message.outcomes).toMatchObject([
      { transactionId: '3', disposition: Disposition.REPLAYED },
    ])
  })
})
