import { beforeAll, describe, expect, it } from '@jest/globals'
import {
  ListTransactionsRequest_Order as Order,
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

const fixture = useService()

const USER = 'lister'
const log = () => portfolioLog(fixture.client)
type Query = Omit<Parameters<ReturnType<typeof log>['list']>[0], '$typeName'>

/** The ids of all pages. */
async function idsOf(query: Query): Promise<readonly string[]> {
  const ids: string[] = []
  let pageToken = ''
  do {
    const { message } = await log().list({ userId: USER, ...query, pageToken })
    ids.push(...message.transactions.map(({ transactionId }) => transactionId))
    pageToken = message.nextPageToken
  } while (pageToken !== '')
  return ids
}

const on = (day: string, facts: SentTransaction = {}) =>
  bought({ effectiveAt: moment(`${day}T12:00:00Z`), ...facts })

beforeAll(async () => {
  await log().record(
    {
      userId: USER,
      transactions: [
        on('2024-01-05', { externalId: 'a', source: 'one', accountId: 'A' }),
        on('2024-01-03', { symbol: 'beta' }),
        {
          type: Type.DIVIDEND,
          symbol: 'ACME',
          grossAmount: '4',
          effectiveAt: moment('2024-01-04'),
        },
      ],
    },
    { 'idempotency-key': 'first' },
  )
  await log().record({
    userId: USER,
    transactions: [on('2024-01-01', { externalId: 'b' }), sold({ accountId: 'A' })],
    requestId: 'second',
  })
  await log().reverse({ userId: USER, transactionId: '4', replacement: on('2024-01-02') })
})

describe('ListTransactions', () => {
  it('shows a transaction as it was sent, and what the log adds', async () => {
    const userId = 'shown'
    const sent: SentTransaction = bought({
      externalId: 'x',
      source: 'broker',
      accountId: 'A',
      currencyCode: 'EUR',
      fxRate: '1.2',
      fee: '0.5',
      tax: '0.25',
      settlementDate: '2024-02-29',
      labels: { desk: 'north', strategy: '' },
      effectiveAt: moment('2024-02-27T01:02:03.456Z'),
    })
    const carriedLots = [
      { acquiredDate: '2020-02-29', quantity: '1', costBasis: '7' },
      { acquiredDate: '2021-01-01', quantity: '2', costBasis: '0' },
    ]
    const transfer = { external: true, counterpartyUserId: 'other', carriedLots }
    await log().record({
      userId,
      transactions: [
        sent,
        { type: Type.TRANSFER_IN, symbol: 'B', quantity: '3', transfer },
        {
          type: Type.FX_CONVERSION,
          grossAmount: '5',
          counterCurrencyCode: 'EUR',
          counterAmount: '4',
        },
        {
          type: Type.TRANSFER_OUT,
          symbol: 'B',
          quantity: '1',
          lots: [{ lotId: '2.1', quantity: '1' }],
        },
      ],
    })
    const { message } = await log().list({ userId, order: Order.RECORDED_ASC })
    const { recordedAt, ...first } = message.transactions[0]!
    expect(first).toMatchObject({
      ...sent,
      transactionId: '1',
      instrumentId: 'ACME',
      sequence: 1n,
      status: Status.ACTIVE,
      grossAmount: '',
    })
    expect(Number(recordedAt!.seconds)).toBeGreaterThan(1_700_000_000)
    expect(message.transactions.slice(1)).toMatchObject([
      {
        price: '0',
        currencyCode: 'USD',
        fxRate: '1',
        transfer: { ...transfer, basisUnknown: false },
      },
      {
        symbol: '',
        quantity: '',
        price: '',
        grossAmount: '5',
        counterCurrencyCode: 'EUR',
        counterAmount: '4',
      },
      { lots: [{ lotId: '2.1', quantity: '1' }] },
    ])
  })

  it('shows the newest effective first, without what was taken back', async () => {
    expect(await idsOf({})).toEqual(['5', '1', '3', '2', '7'])
  })

  it.each([
    [Order.EFFECTIVE_ASC, ['7', '2', '3', '1', '5']],
    [Order.RECORDED_ASC, ['1', '2', '3', '5', '7']],
    [Order.UNSPECIFIED, ['5', '1', '3', '2', '7']],
  ])('orders by %s, in pages of any size', async (order, ids) => {
    for (const pageSize of [1, 2, 3, 5, 1_000]) {
      expect(await idsOf({ order, pageSize })).toEqual(ids)
    }
  })

  it('shows what was taken back when that is asked for', async () => {
    const query = { includeReversed: true, order: Order.RECORDED_ASC }
    expect(await idsOf(query)).toEqual(['1', '2', '3', '4', '5', '6', '7'])
  })

  it.each<[string, Query, readonly string[]]>([
    ['symbols', { symbols: ['Beta', 'GAMMA'] }, ['2']],
    ['types', { types: [Type.DIVIDEND, Type.SELL] }, ['5', '3']],
    ['accounts', { accountIds: ['A'] }, ['5', '1']],
    ['external ids', { externalIds: ['a', 'none'] }, ['1']],
    ['the key of its request', { idempotencyKey: 'first' }, ['1', '3', '2']],
    ['the request_id', { idempotencyKey: 'second', includeReversed: true }, ['5', '4']],
    ['a key that wrote nothing', { idempotencyKey: 'lost' }, []],
    ['a period', { period: { startDate: '2024-01-03', endDate: '2024-01-04' } }, ['3', '2']],
    ['an open period', { period: { endDate: '2024-01-03' } }, ['2', '7']],
    ['a period and a symbol', { period: { startDate: '2024-01-03' }, symbols: ['BETA'] }, ['2']],
  ])('chooses by %s', async (_, query, ids) => {
    expect(await idsOf(query)).toEqual(ids)
    expect(await idsOf({ ...query, pageSize: 1 })).toEqual(ids)
  })

  it('as known before a reversal shows what was known', async () => {
    const { message } = await log().list({ userId: USER, includeReversed: true })
    const asKnownAt = message.transactions.find(
      ({ transactionId }) => transactionId === '4',
    )!.recordedAt!
    expect(await idsOf({ asKnownAt, order: Order.RECORDED_ASC })).toEqual(['1', '2', '3', '4', '5'])
  })

  it('does not shift while others write', async () => {
    const userId = 'moving'
    await log().record({
      userId,
      transactions: ['01', '03', '05'].map((day) => on(`2024-01-${day}`)),
    })
    const first = await log().list({ userId, pageSize: 1 })
    await log().record({
      userId,
      transactions: ['02', '04', '06'].map((day) => on(`2024-01-${day}`)),
    })
    await log().reverse({ userId, transactionId: '1' })
    const { message } = await log().list({
      userId,
      pageSize: 10,
      pageToken: first.message.nextPageToken,
    })
    expect(message.transactions.map(({ transactionId }) => transactionId)).toEqual(['2', '1'])
    expect(message.nextPageToken).toBe('')
  })

  it('counts days in the time zone of the portfolio', async () => {
    const userId = 'tokyo'
    await log().changeSettings({ userId, settings: { timeZone: 'Asia/Tokyo' } })
    await log().record({
      userId,
      transactions: ['2024-02-28T14:59:59Z', '2024-02-28T15:00:00Z', '2024-02-29T15:00:00Z'].map(
        (text) => bought({ effectiveAt: moment(text) }),
      ),
    })
    const period = { startDate: '2024-02-29', endDate: '2024-02-29' }
    const { message } = await log().list({ userId, period })
    expect(message.transactions.map(({ transactionId }) => transactionId)).toEqual(['2'])
  })

  it('is empty for a portfolio without transactions, and not found for nobody', async () => {
    await log().changeSettings({ userId: 'empty', settings: {} })
    const { message } = await log().list({ userId: 'empty' })
    expect(message).toMatchObject({ transactions: [], nextPageToken: '' })
    expect(await failureOf(log().list({ userId: 'nobody' }))).toMatchObject({
      code: 'NOT_FOUND',
      reason: 'PORTFOLIO_NOT_FOUND',
    })
  })

  it('shows 100 where no size is asked for', async () => {
    const userId = 'many'
    await log().record({ userId, transactions: Array.from({ length: 101 }, () => bought()) })
    const { message } = await log().list({ userId })
    expect(message.transactions).toHaveLength(100)
    expect(message.nextPageToken).not.toBe('')
  })
})

describe('bad input', () => {
  it('is named all at once', async () => {
    const failure = await failureOf(
      log().list({
        userId: '',
        pageSize: -1,
        pageToken: 'x',
        period: { startDate: '2024-1-1', endDate: '2023-02-29' },
        symbols: ['ACME', '?'],
        types: [Type.BUY, Type.SPLIT, Type.UNSPECIFIED],
        asKnownAt: { seconds: 10n ** 12n },
      }),
    )
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.violations.toSorted()).toEqual([
      'as_known_at TIMESTAMP_OUT_OF_RANGE',
      'page_size PAGE_INVALID',
      'page_token PAGE_INVALID',
      'period.end_date DATE_INVALID',
      'period.start_date DATE_INVALID',
      'symbols[1] SYMBOL_INVALID',
      'types[1] TYPE_UNKNOWN',
      'types[2] TYPE_UNKNOWN',
      'user_id USER_ID_REQUIRED',
    ])
  })

  it('may be a page of more than 1,000, or a filter of more than 1,000', async () => {
    const failure = await failureOf(
      log().list({
        userId: USER,
        pageSize: 1_001,
        accountIds: Array.from({ length: 1_001 }, (_, index) => `${index}`),
      }),
    )
    expect(failure.violations).toEqual(['page_size PAGE_INVALID', 'account_ids PAGE_INVALID'])
  })

  it('may be an order that nobody knows', async () => {
    const failure = await failureOf(log().list({ userId: USER, order: 9 as Order }))
    expect(failure.violations).toEqual(['order PAGE_INVALID'])
  })

  it('may be the token of another order', async () => {
    const { message } = await log().list({ userId: USER, pageSize: 1 })
    const request = { userId: USER, pageToken: message.nextPageToken, order: Order.RECORDED_ASC }
    expect((await failureOf(log().list(request))).violations).toEqual(['page_token PAGE_INVALID'])
  })

  it('may be text that nobody could have recorded', async () => {
    const filters = [
      { accountIds: ['\u0000'] },
      { externalIds: ['\u0000'] },
      { idempotencyKey: '\u0000' },
    ]
    for (const filter of filters) {
      const failure = await failureOf(log().list({ userId: USER, ...filter }))
      expect(failure.violations).toEqual([
        expect.stringMatching(/(account_ids|external_ids|idempotency_key) PAGE_INVALID/),
      ])
    }
  })
})
