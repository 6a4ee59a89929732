import { beforeAll, expect, it } from '@jest/globals'
import { LotMethod } from '../../gen/portfolio/v1/common_pb.ts'
import { Quote_Kind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { TransactionType as Type } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { bought, moment, portfolioLog, sold } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'

const fixture = useService()
const log = () => portfolioLog(fixture.client)
const rate = (price: string, day: string) => ({
  symbol: 'EUR/USD',
  price,
  kind: Quote_Kind.FX,
  pricedAt: moment(`${day}T00:00:00Z`),
})
const seconds = (text: string): bigint => moment(text).seconds

beforeAll(async () => {
  await fixture.client.ingest({ quotes: [rate('1.25', '2024-01-01'), rate('1.5', '2024-02-01')] })
})

it('values the cash of a past day at the rate of that day', async () => {
  const userId = 'cash'
  const euro = { type: Type.DEPOSIT, grossAmount: '100', currencyCode: 'EUR', fxRate: '1.2' }
  await log().record({
    userId,
    transactions: [{ ...euro, effectiveAt: moment('2024-01-10T00:00:00Z') }],
  })
  const on = async (day: string) => {
    const { message } = await fixture.client.get({ userId, timestamp: seconds(`${day}T00:00:00Z`) })
    return message.detail!.cashValue
  }
  expect(await on('2024-01-09')).toBe('0')
  expect(await on('2024-01-11')).toBe('125')
  expect(await on('2024-02-02')).toBe('150')
})

it('tells by its etag that the cash is worth something else', async () => {
  const userId = 'etag'
  const yen = { type: Type.DEPOSIT, grossAmount: '1000', currencyCode: 'JPY', fxRate: '0.007' }
  await log().record({ userId, transactions: [yen] })
  const quote = { ...rate('0.007', '2024-01-01'), symbol: 'JPY/USD' }
  await fixture.client.ingest({ quotes: [quote] })
  const first = await fixture.client.get({ userId })
  expect(first.message.detail?.totalValue).toBe('7')
  await fixture.client.ingest({
    quotes: [{ ...quote, price: '0.008', pricedAt: moment('2024-02-01T00:00:00Z') }],
  })
  const { message } = await fixture.client.get({ userId, ifNoneMatch: first.message.etag })
  expect(message.notModified).toBe(false)
  expect(message.portfolio?.totalValue).toBe(8)
})

it('shows what was known when shorts were allowed, though they are not any more', async () => {
  const userId = 'once short'
  await log().changeSettings({ userId, settings: { allowShort: true } })
  await log().record({
    userId,
    transactions: [sold({ effectiveAt: moment('2024-01-05T00:00:00Z') })],
  })
  const { message: listed } = await log().list({ userId })
  const asKnownAt = listed.transactions[0]!.recordedAt!
  await log().record({
    userId,
    transactions: [bought({ effectiveAt: moment('2024-01-01T00:00:00Z') })],
  })
  await log().changeSettings({ userId, settings: {} })
  const { message } = await fixture.client.get({ userId, asKnownAt })
  expect(message.detail?.positions).toMatchObject([{ quantity: '-5', costBasis: '-750' }])
})

it('shows a sale that named no lots, and was taken back before lots had to be named', async () => {
  const userId = 'once unnamed'
  await log().record({ userId, transactions: [bought(), bought(), sold()] })
  const { message: listed } = await log().list({ userId })
  const sale = listed.transactions.find(({ type }) => type === Type.SELL)!
  await log().reverse({ userId, transactionId: sale.transactionId })
  await log().changeSettings({ userId, settings: { lotMethod: LotMethod.SPECIFIC_ID } })
  const { message } = await fixture.client.get({ userId, asKnownAt: sale.recordedAt! })
  expect(message.detail?.positions).toMatchObject([{ quantity: '15' }])
  const { message: now } = await fixture.client.get({ userId })
  expect(now.detail?.positions).toMatchObject([{ quantity: '20' }])
})

it('refuses to show a sale that named a lot which the present method has closed', async () => {
  const userId = 'once named'
  await log().changeSettings({ userId, settings: { lotMethod: LotMethod.LIFO } })
  await log().record({ userId, transactions: [bought(), bought(), sold({ quantity: '10' })] })
  const lots = [{ lotId: '1.0', quantity: '10' }]
  const named = await log().record({ userId, transactions: [sold({ quantity: '10', lots })] })
  const { transactionId } = named.message.outcomes[0]!
  const { message: listed } = await log().list({ userId })
  const sale = listed.transactions.find((each) => each.transactionId === transactionId)!
  await log().reverse({ userId, transactionId })
  await log().changeSettings({ userId, settings: { lotMethod: LotMethod.FIFO } })
  const failure = await failureOf(fixture.client.get({ userId, asKnownAt: sale.recordedAt! }))
  expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'LOT_NOT_OPEN' })
})

it('answers a replay whose answer is not kept any more with what the key wrote', async () => {
  const userId = 'late'
  const request = { userId, transactions: [bought(), bought()], requestId: 'late' }
  const first = await log().record(request)
  await log().reverse({ userId, transactionId: '2', requestId: 'late too' })
  await fixture.database.raw.query(`update request_key set answer = null where user_id = 'late'`)
  const { message } = await log().record(request)
  expect(message.replayed).toBe(true)
  expect(message.outcomes.map(({ transactionId }) => transactionId)).toEqual(
    first.message.outcomes.map(({ transactionId }) => transactionId),
  )
  const again = await log().reverse({ userId, transactionId: '2', requestId: 'late too' })
  expect(again.message.reversal).toMatchObject({
    transactionId: '3',
    reversesTransactionId: '2',
  })
  const { message: listed } = await log().list({ userId, includeReversed: true })
  expect(listed.transactions).toHaveLength(3)
})

it('counts tracked cash in the specification’s total as well (decision 19)', async () => {
  const userId = 'total'
  await log().record({ userId, transactions: [{ type: Type.DEPOSIT, grossAmount: '100' }] })
  const { message } = await fixture.client.update({
    userId,
    transactions: [{ symbol: 'NEW', quantity: 2, price: 10 }],
  })
  expect(message.updatedPortfolio).toMatchObject({
    totalValue: 100,
    totalProfitLoss: 0,
    assets: [{ symbol: 'NEW', currentValue: 20 }],
  })
})
