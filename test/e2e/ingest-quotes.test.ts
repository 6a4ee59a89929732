import { expect, it } from '@jest/globals'
import {
  MarketDataService,
  type Quote_Kind,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { useService } from '../support/service.ts'
import { waitUntil } from '../support/store.ts'

const fixture = useService()

it('keeps the usable quotes of a stream, and names the others in the order sent', async () => {
  const soon = { seconds: BigInt(Math.floor(Date.now() / 1_000)) + 90_000n }
  const { message } = await fixture.client.ingest(
    {
      quotes: [
        { symbol: 'good', price: '1.50' },
        { symbol: 'BAD SYMBOL', price: '1' },
        { symbol: 'NEGATIVE', price: '-1' },
      ],
    },
    { quotes: [] },
    {
      quotes: [
        { symbol: 'FUTURE', price: '1', pricedAt: soon },
        { symbol: 'YEAR1699', price: '1', pricedAt: { seconds: -8_520_336_001n } },
        { symbol: 'VOD', price: '123', currencyCode: 'GBX' },
        { symbol: 'KIND', price: '1', kind: 77 as Quote_Kind },
        { symbol: 'NUMBER', price: 'NaN' },
      ],
    },
  )
  expect(message).toMatchObject({
    accepted: 2n,
    quarantined: 6n,
    examples: [
      { index: 1n, symbol: 'BAD SYMBOL', reason: 'SYMBOL_INVALID' },
      { index: 2n, symbol: 'NEGATIVE', reason: 'PRICE_INVALID' },
      { index: 3n, symbol: 'FUTURE', reason: 'TIMESTAMP_OUT_OF_RANGE' },
      { index: 4n, symbol: 'YEAR1699', reason: 'TIMESTAMP_OUT_OF_RANGE' },
      { index: 6n, symbol: 'KIND', reason: 'KIND_UNKNOWN' },
      { index: 7n, symbol: 'NUMBER', reason: 'PRICE_INVALID' },
    ],
  })
  const { message: kept } = await fixture.client.batchGet({ symbols: ['GOOD', 'VOD', 'FUTURE'] })
  expect(kept).toMatchObject({
    quotes: [
      { symbol: 'GOOD', price: '1.5', currencyCode: '' },
      { symbol: 'VOD', price: '1.23', currencyCode: 'GBP' },
    ],
    missingSymbols: ['FUTURE'],
  })
})

it('answers an empty stream', async () => {
  const { message } = await fixture.client.ingest()
  expect(message).toMatchObject({ accepted: 0n, quarantined: 0n, examples: [] })
})

it('takes 1,000 quotes a message and refuses 1,001, keeping what came before', async () => {
  const quotes = Array.from({ length: 1_001 }, (_, index) => ({ symbol: `Q${index}`, price: '1' }))
  const failure = await failureOf(fixture.client.ingest({ quotes: quotes.slice(1) }, { quotes }))
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'TOO_MANY_QUOTES' })
  expect(failure.info?.metadata).toMatchObject({ actual: '1001', maximum: '1000' })
  const { message } = await fixture.client.batchGet({ symbols: ['Q0', 'Q1'] })
  expect(message.missingSymbols).toEqual(['Q0'])
})

it('refuses bytes that are no message', async () => {
  const stream = fixture.client.openStream(MarketDataService.method.ingestQuotes)
  stream.send(Buffer.from([0x0a, 5, 0x0a, 3, 0xed, 0xa0, 0x80]))
  const failure = await failureOf(stream.answer)
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_REQUEST' })
})

it('keeps what a client sent before it left', async () => {
  const stream = fixture.client.openStream(MarketDataService.method.ingestQuotes)
  stream.send({ quotes: [{ symbol: 'LEFT', price: '3' }] })
  await waitUntil(async () => {
    const { message } = await fixture.client.batchGet({ symbols: ['LEFT'] })
    return message.quotes.length === 1
  })
  stream.call.cancel()
  expect(await failureOf(stream.answer)).toMatchObject({ code: 'CANCELLED' })
  expect(fixture.service.log.filter((line) => line.includes('a call failed'))).toEqual([])
})

it('reaches the other replicas', async () => {
  const replica = await fixture.start()
  await fixture.client.ingest({ quotes: [{ symbol: 'FAR', price: '7' }] })
  const { client } = replica
  const isThere = async (): Promise<boolean> =>
    (await client.batchGet({ symbols: ['FAR'] })).message.quotes.length > 0
  await waitUntil(isThere)
  const { message } = await client.batchGet({ symbols: ['FAR'] })
  expect(message.quotes).toMatchObject([{ symbol: 'FAR', price: '7' }])
})
