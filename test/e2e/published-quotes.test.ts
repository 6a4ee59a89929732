import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { findTestRedis } from '../support/redis.ts'
import { type RunningService, useService } from '../support/service.ts'
import { waitUntil } from '../support/store.ts'

const fixture = useService()
let redis: Awaited<ReturnType<typeof findTestRedis>>
beforeAll(async () => {
  redis = await findTestRedis()
})
afterAll(() => redis.close())

async function priceOf({ client }: RunningService): Promise<string | undefined> {
  const { message } = await client.batchGet({ symbols: ['PUSHED'] })
  return message.quotes[0]?.price
}

it('reach every replica through Redis within a second, without waiting for a poll', async () => {
  // Nobody would find it in the time of this test.
  const seldom = { REDIS_URL: redis.url, QUOTE_REFRESH_MS: '3600000' }
  const here = await fixture.start(seldom)
  const there = await fixture.start(seldom)
  let price = 100
  // The first ones may be lost while both sides connect.
  await waitUntil(async () => {
    price += 1
    await here.client.ingest({ quotes: [{ symbol: 'PUSHED', price: `${price}` }] })
    return (await priceOf(there)) !== undefined
  })
  await here.client.ingest({ quotes: [{ symbol: 'PUSHED', price: '99' }] })
  const sentMs = performance.now()
  await waitUntil(async () => (await priceOf(there)) === '99')
  expect(performance.now() - sentMs).toBeLessThan(1_000)

  await here.client.unary(MarketDataService.method.upsertInstruments, {
    instruments: [{ symbol: 'PUSHED', assetClass: AssetClass.ETF }],
  })
  await waitUntil(async () => {
    const { listInstruments } = MarketDataService.method
    const { message } = await there.client.unary(listInstruments, { symbols: ['PUSHED'] })
    return message.instruments.length === 1
  })
})
