import { expect, it } from '@jest/globals'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { bought, moment, portfolioLog, type SentTransaction } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()

function on(symbol: string, day: string): SentTransaction {
  return bought({ symbol, quantity: '1', effectiveAt: moment(`${day}T12:00:00Z`) })
}

it('knows a renamed instrument by its symbols of each day, and shows the present one', async () => {
  await fixture.client.unary(MarketDataService.method.upsertInstruments, {
    instruments: [
      {
        instrumentId: 'META-1',
        symbol: 'META',
        assetClass: AssetClass.EQUITY,
        isin: 'US30303M1027',
        symbolHistory: [{ symbol: 'FB', fromDate: '2012-05-18', toDate: '2022-06-08' }],
      },
    ],
  })
  const userId = newUser()
  const log = portfolioLog(fixture.client)
  await log.record({
    userId,
    transactions: [
      on('FB', '2022-06-08'),
      on('META', '2022-06-09'),
      on('US30303M1027', '2023-01-03'),
      on('FB', '2023-01-03'),
    ],
  })
  const { message } = await fixture.client.get({ userId })
  const held = message.portfolio!.assets.map(({ symbol, quantity }) => `${quantity} ${symbol}`)
  expect(held).toEqual(['1 FB', '3 META'])
  const { issues } = message.detail!.quality!
  expect(issues.map(({ symbol, reason }) => `${symbol} ${reason}`)).toEqual([
    'FB PRICE_STALE',
    'META PRICE_STALE',
  ])
  const listed = await log.list({ userId, symbols: ['META'] })
  expect(listed.message.transactions.map(({ symbol }) => symbol)).toEqual(['META', 'META', 'META'])
  const { message: lots } = await log.lots({ userId, symbol: 'META' })
  expect(lots.lots.map(({ symbol }) => symbol)).toEqual(['META', 'META', 'META'])
  await fixture.client.ingest({ quotes: [{ symbol: 'US30303M1027', price: '500' }] })
  const quotes = await fixture.client.batchGet({ symbols: ['META', 'FB'] })
  expect(quotes.message).toMatchObject({
    quotes: [{ symbol: 'META', price: '500' }],
    missingSymbols: ['FB'],
  })
})
