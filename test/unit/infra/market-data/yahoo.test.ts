import { describe, expect, it } from '@jest/globals'
import {
  openYahooClient,
  type YahooClient,
  yahooProvider,
} from '../../../../src/infra/market-data/providers/yahoo.ts'

const { signal } = new AbortController()

/** Recorded on 2021-02-08; of the some seventy fields of each a few. */
const RECORDED = [
  {
    language: 'en-US',
    quoteType: 'EQUITY',
    quoteSourceName: 'Nasdaq Real Time Price',
    currency: 'USD',
    exchange: 'NMS',
    exchangeTimezoneName: 'America/New_York',
    regularMarketTime: 1_612_558_802,
    regularMarketPrice: 136.76,
    regularMarketVolume: 75_693_830,
    marketState: 'PREPRE',
    symbol: 'AAPL',
  },
  {
    language: 'en-US',
    quoteType: 'EQUITY',
    quoteSourceName: 'Delayed Quote',
    currency: 'GBp',
    exchange: 'LSE',
    exchangeDataDelayedBy: 20,
    // As the package makes a date of it.
    regularMarketTime: new Date('2021-02-05T16:35:01Z'),
    regularMarketPrice: 2808,
    symbol: 'OCDO.L',
  },
  {
    quoteType: 'CURRENCY',
    currency: 'USD',
    regularMarketTime: 1_612_558_802,
    regularMarketPrice: 1.2045,
    symbol: 'EURUSD=X',
  },
]

function recorded(answer: unknown) {
  const asked: unknown[] = []
  const client: YahooClient = {
    quote: (...call) => {
      asked.push(call)
      return Promise.resolve(answer)
    },
  }
  return { asked, provider: yahooProvider(client) }
}

describe('yahooProvider', () => {
  it('asks once for all, by its own names of pairs, and reads what comes', async () => {
    const { asked, provider } = recorded(RECORDED)
    const quotes = await provider.fetch(['AAPL', 'OCDO.L', 'EUR/USD', 'NONE'], signal)
    expect(asked).toMatchObject([
      [['AAPL', 'OCDO.L', 'EURUSD=X', 'NONE'], {}, { validateResult: false }],
    ])
    const facts = { source: 'yahoo', splitAdjusted: false, pricedAt: 1_612_558_802_000_000 }
    const london = { ...facts, pricedAt: 1_612_542_901_000_000 }
    expect(quotes).toEqual([
      { ...facts, symbol: 'AAPL', price: '136.76', currencyCode: 'USD', kind: 2 },
      { ...london, symbol: 'OCDO.L', price: '2808', currencyCode: 'GBp', kind: 2 },
      { ...facts, symbol: 'EUR/USD', price: '1.2045', currencyCode: 'USD', kind: 6 },
    ])
  })

  it('passes odd prices on to be refused, and quotes without one by', async () => {
    const { provider } = recorded([
      { symbol: 'A', regularMarketPrice: Number.NaN },
      { symbol: 'B', regularMarketPrice: 1e308 },
      { symbol: 'C' },
      { symbol: 'D', regularMarketPrice: '12' },
      null,
      { symbol: 'UNASKED', regularMarketPrice: 1 },
    ])
    const quotes = await provider.fetch(['A', 'B', 'C', 'D'], signal)
    expect(quotes.map(({ symbol, price }) => `${symbol} ${price}`)).toEqual(['A NaN', 'B 1e+308'])
  })

  it.each([undefined, null, {}, 'Too Many Requests'])('fails on %j', async (answer) => {
    await expect(recorded(answer).provider.fetch(['AAPL'], signal)).rejects.toThrow('Yahoo')
  })
})

it('opens the package, which asks nobody before it is asked', async () => {
  expect(await openYahooClient()).toMatchObject({ quote: expect.any(Function) as unknown })
})
