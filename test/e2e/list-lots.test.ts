import { beforeAll, describe, expect, it } from '@jest/globals'
import { LotMethod } from '../../gen/portfolio/v1/common_pb.ts'
import { Quote_Kind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { TransactionType as Type } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
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

let users = 0
const log = () => portfolioLog(fixture.client)

async function userWith(...transactions: readonly SentTransaction[]): Promise<string> {
  const userId = `holder-${(users += 1)}`
  await log().record({ userId, transactions: [...transactions] })
  return userId
}

/** "id open for basis" of each lot. */
async function lotsOf(request: Parameters<ReturnType<typeof log>['lots']>[0]) {
  const { message } = await log().lots(request)
  return message.lots.map(
    ({ lotId, quantityOpen, costBasis }) => `${lotId} ${quantityOpen} for ${costBasis}`,
  )
}

const on = (day: string, facts: SentTransaction = {}) =>
  bought({ effectiveAt: moment(`${day}T12:00:00Z`), ...facts })

beforeAll(async () => {
  await fixture.client.ingest({
    quotes: [
      { symbol: 'ACME', price: '120', pricedAt: moment('2024-06-03T00:00:00Z') },
      { symbol: 'ACME', price: '110', pricedAt: moment('2024-02-01T00:00:00Z') },
      { symbol: 'SAP', price: '50', currencyCode: 'EUR', pricedAt: moment('2024-06-03T00:00:00Z') },
      {
        symbol: 'EUR/USD',
        price: '1.5',
        kind: Quote_Kind.FX,
        pricedAt: moment('2024-06-03T00:00:00Z'),
      },
    ],
  })
})

describe('ListLots', () => {
  it('shows each open lot with all that is known of it', async () => {
    const userId = await userWith(
      on('2022-03-01', { accountId: 'A', fee: '10' }),
      sold({ accountId: 'A', quantity: '4', effectiveAt: moment('2024-01-01T00:00:00Z') }),
      { type: Type.TRANSFER_IN, symbol: 'GIFT', quantity: '3' },
    )
    const { message } = await log().lots({ userId })
    const [known, unknown] = message.lots
    expect(known).toMatchObject({
      lotId: '1.0',
      symbol: 'ACME',
      accountId: 'A',
      acquiredDate: '2022-03-01',
      quantityAcquired: '10',
      quantityOpen: '6',
      costBasis: '606',
      adjustedBasis: '606',
      marketValue: '720',
      unrealizedGain: '114',
      longTerm: true,
      longTermOn: '2023-03-02',
      openedByTransactionId: '1',
      basisComplete: true,
    })
    expect(unknown).toMatchObject({
      symbol: 'GIFT',
      costBasis: '',
      marketValue: '',
      unrealizedGain: '',
      longTerm: false,
      basisComplete: false,
    })
    expect(message.nextPageToken).toBe('')
  })

  it('adds up to the positions, in the base currency', async () => {
    const euro = { symbol: 'SAP', currencyCode: 'EUR', fxRate: '1.2' }
    const userId = await userWith(bought(euro), bought({ ...euro, fxRate: '1.4' }), bought())
    const { message } = await log().lots({ userId })
    const { message: read } = await fixture.client.get({ userId })
    for (const position of read.detail!.positions) {
      const lots = message.lots.filter(({ symbol }) => symbol === position.symbol)
      const total = (field: 'costBasis' | 'marketValue' | 'unrealizedGain') =>
        String(lots.map((lot) => Number(lot[field])).reduce((left, right) => left + right, 0))
      expect(total('costBasis')).toBe(position.costBasis)
      expect(total('marketValue')).toBe(position.value)
      expect(total('unrealizedGain')).toBe(position.profitLoss!.unrealized)
      expect(lots).toHaveLength(position.lotCount)
    }
  })

  it('tells the first long-term day of a leap day', async () => {
    const userId = await userWith(on('2024-02-29'), on('2023-02-28'))
    const { message } = await log().lots({ userId })
    const days = message.lots.map(({ acquiredDate, longTermOn }) => [acquiredDate, longTermOn])
    expect(days).toEqual([
      ['2023-02-28', '2024-03-01'],
      ['2024-02-29', '2025-03-01'],
    ])
    const at = async (text: string) => {
      const temporal = { effectiveAt: moment(text) }
      const { message: then } = await log().lots({ userId, temporal })
      return then.lots.map(({ longTerm }) => longTerm)
    }
    expect(await at('2025-02-28T23:59:59Z')).toEqual([true, false])
    expect(await at('2025-03-01T00:00:00Z')).toEqual([true, true])
  })

  it('counts days in the time zone of the portfolio', async () => {
    const userId = 'new yorker'
    await log().changeSettings({ userId, settings: { timeZone: 'America/New_York' } })
    const effectiveAt = moment('2024-03-01T04:59:59Z')
    await log().record({ userId, transactions: [bought({ effectiveAt })] })
    const { message } = await log().lots({ userId })
    expect(message.lots).toMatchObject([{ acquiredDate: '2024-02-29', longTermOn: '2025-03-01' }])
  })

  it('shows the day that was sent for a carried lot', async () => {
    const userId = await userWith({
      type: Type.TRANSFER_IN,
      symbol: 'ACME',
      quantity: '2',
      transfer: { carriedLots: [{ acquiredDate: '2020-02-29', quantity: '2', costBasis: '5' }] },
    })
    const { message } = await log().lots({ userId })
    expect(message.lots).toMatchObject([
      { lotId: '1.0', acquiredDate: '2020-02-29', costBasis: '5', longTermOn: '2021-03-01' },
    ])
  })

  it('recomputes under another method, and leaves the setting alone', async () => {
    const userId = await userWith(
      on('2024-01-01'),
      on('2024-01-02', { price: '130' }),
      sold({ quantity: '12', effectiveAt: moment('2024-01-03T00:00:00Z') }),
    )
    expect(await lotsOf({ userId })).toEqual(['2.0 8 for 1040'])
    expect(await lotsOf({ userId, method: LotMethod.HIFO })).toEqual(['1.0 8 for 800'])
    expect(await lotsOf({ userId, method: LotMethod.AVERAGE_COST })).toEqual(['2.0 8 for 920'])
    expect(await lotsOf({ userId })).toEqual(['2.0 8 for 1040'])
    const failure = await failureOf(log().lots({ userId, method: LotMethod.SPECIFIC_ID }))
    expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'LOTS_REQUIRED' })
  })

  it('shows closed lots when they are asked for', async () => {
    const userId = await userWith(
      on('2024-01-01'),
      on('2024-01-02'),
      sold({ quantity: '12', effectiveAt: moment('2024-01-03T00:00:00Z') }),
    )
    expect(await lotsOf({ userId, includeClosed: true })).toEqual(['1.0 0 for 0', '2.0 8 for 800'])
  })

  it('lowers the basis by a return of capital, and shows a short lot negative', async () => {
    const userId = 'short'
    await log().changeSettings({ userId, settings: { allowShort: true } })
    await log().record({
      userId,
      transactions: [
        on('2024-01-01'),
        {
          type: Type.RETURN_OF_CAPITAL,
          symbol: 'ACME',
          grossAmount: '50',
          effectiveAt: moment('2024-01-02'),
        },
        { ...on('2024-01-01', { symbol: 'SAP', quantity: '2' }), type: Type.SHORT_SELL },
      ],
    })
    expect(await lotsOf({ userId })).toEqual(['1.0 10 for 950', '3.0 -2 for -200'])
    const { message } = await log().lots({ userId, symbol: 'sap' })
    expect(message.lots).toMatchObject([{ marketValue: '-150', unrealizedGain: '50' }])
  })

  it('shows a past day with its prices, and what was known of it', async () => {
    const userId = await userWith(on('2024-01-01'), on('2024-03-01'))
    const effectiveAt = moment('2024-02-15T00:00:00Z')
    const { message } = await log().lots({ userId, temporal: { effectiveAt } })
    expect(message.lots).toMatchObject([{ lotId: '1.0', marketValue: '1100' }])
    const { message: listed } = await log().list({ userId })
    const asKnownAt = listed.transactions[0]!.recordedAt!
    await log().reverse({ userId, transactionId: '1' })
    expect(await lotsOf({ userId })).toEqual(['2.0 10 for 1000'])
    expect(await lotsOf({ userId, temporal: { asKnownAt } })).toHaveLength(2)
  })

  it('pages through all lots, by symbol and in order of acquisition', async () => {
    const userId = await userWith(
      on('2024-01-03', { accountId: 'B' }),
      on('2024-01-01', { accountId: 'A' }),
      on('2024-01-02', { symbol: 'AAA' }),
      on('2024-01-01', { symbol: 'ZZZ' }),
    )
    for (const pageSize of [1, 2, 3, 4, 1_000]) {
      const ids: string[] = []
      let pageToken = ''
      do {
        const { message } = await log().lots({ userId, pageSize, pageToken })
        expect(message.lots.length).toBeLessThanOrEqual(pageSize)
        ids.push(...message.lots.map(({ lotId }) => lotId))
        pageToken = message.nextPageToken
      } while (pageToken !== '')
      expect(ids).toEqual(['3.0', '2.0', '1.0', '4.0'])
    }
    expect(await lotsOf({ userId, symbol: 'acme' })).toHaveLength(2)
    expect(await lotsOf({ userId, symbol: 'NONE' })).toEqual([])
  })

  it('goes on after a lot that was sold meanwhile, or says that it cannot', async () => {
    const userId = await userWith(on('2024-01-01'), on('2024-01-02'), on('2024-01-03'))
    const { message } = await log().lots({ userId, pageSize: 1 })
    await log().record({ userId, transactions: [sold({ quantity: '10' })] })
    const failure = await failureOf(
      log().lots({ userId, pageSize: 1, pageToken: message.nextPageToken }),
    )
    expect(failure.violations).toEqual(['page_token PAGE_INVALID'])
  })

  it('is not found for nobody', async () => {
    const failure = await failureOf(log().lots({ userId: 'nobody' }))
    expect(failure).toMatchObject({ code: 'NOT_FOUND', reason: 'PORTFOLIO_NOT_FOUND' })
  })
})

describe('bad input', () => {
  it('is named all at once', async () => {
    const failure = await failureOf(
      log().lots({
        userId: '',
        symbol: '?',
        pageSize: 1_001,
        method: 77 as LotMethod,
        temporal: { effectiveAt: { seconds: 10n ** 12n }, asKnownAt: { nanos: -1 } },
      }),
    )
    expect(failure.violations).toEqual([
      'user_id USER_ID_REQUIRED',
      'symbol SYMBOL_INVALID',
      'temporal.effective_at TIMESTAMP_OUT_OF_RANGE',
      'temporal.as_known_at TIMESTAMP_OUT_OF_RANGE',
      'method SETTINGS_INVALID',
      'page_size PAGE_INVALID',
    ])
  })

  it('may be a token of no lot', async () => {
    const userId = await userWith(bought())
    const failure = await failureOf(log().lots({ userId, pageToken: 'QUNNRQ' }))
    expect(failure.violations).toEqual(['page_token PAGE_INVALID'])
  })
})
