import type { MessageInitShape } from '@bufbuild/protobuf'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { AssetClass } from '../../gen/portfolio/v1/common_pb.ts'
import {
  type InstrumentSchema,
  MarketDataService,
  Quote_Kind as Kind,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { TransactionType as Type } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { bought, moment, portfolioLog, type SentTransaction } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()
const EARLY = moment('2024-05-06T12:00:00Z')

const INSTRUMENTS: readonly MessageInitShape<typeof InstrumentSchema>[] = [
  { symbol: 'EQ.L', assetClass: AssetClass.EQUITY, exchangeMic: 'XLON', currencyCode: 'GBX' },
  { symbol: 'ETF.US', assetClass: AssetClass.ETF, exchangeMic: 'XNYS', currencyCode: 'USD' },
  { symbol: 'FUND.EU', assetClass: AssetClass.MUTUAL_FUND, currencyCode: 'EUR' },
  { symbol: 'BOND.DE', assetClass: AssetClass.FIXED_INCOME, currencyCode: 'EUR' },
  { symbol: 'BTC-USD', assetClass: AssetClass.CRYPTO, currencyCode: 'USD' },
  { symbol: 'XAU', assetClass: AssetClass.COMMODITY, currencyCode: 'USD' },
  { symbol: 'CHF.CASH', assetClass: AssetClass.CASH, currencyCode: 'CHF' },
  { symbol: 'OPT', assetClass: AssetClass.OPTION, currencyCode: 'USD', multiplier: '100' },
  { symbol: 'FUT', assetClass: AssetClass.FUTURE, currencyCode: 'EUR', multiplier: '25' },
  { symbol: 'HOUSE', assetClass: AssetClass.REAL_ESTATE, currencyCode: 'CHF' },
  { symbol: 'PE', assetClass: AssetClass.ALTERNATIVE, currencyCode: 'USD' },
]

beforeAll(async () => {
  await fixture.client.unary(MarketDataService.method.upsertInstruments, {
    instruments: [...INSTRUMENTS],
  })
  const rates = [
    ['EUR/USD', '1.2', '1.25'],
    ['GBP/USD', '1.4', '1.5'],
    // Francs in dollars by way of the euro: 1 / 0.8 x 1.2 = 1.5 then, 1 / 0.8 x 1.25 = 1.5625 now.
    ['EUR/CHF', '0.8', '0.8'],
  ] as const
  await fixture.client.ingest(
    {
      quotes: rates.map(([symbol, price]) => ({
        symbol,
        price,
        kind: Kind.FX,
        pricedAt: moment('2024-05-06T08:00:00Z'),
      })),
    },
    { quotes: rates.map(([symbol, , price]) => ({ symbol, price, kind: Kind.FX })) },
    {
      quotes: [
        { symbol: 'EQ.L', price: '600', currencyCode: 'GBX' },
        { symbol: 'ETF.US', price: '110' },
        { symbol: 'FUND.EU', price: '22', kind: Kind.NAV },
        { symbol: 'BOND.DE', price: '99' },
        { symbol: 'BTC-USD', price: '50000' },
        { symbol: 'XAU', price: '2000' },
        { symbol: 'OPT', price: '4' },
        { symbol: 'FUT', price: '104' },
        { symbol: 'HOUSE', price: '420000', kind: Kind.MANUAL },
        { symbol: 'PE', price: '55', kind: Kind.MANUAL },
      ],
    },
  )
})

function buying(symbol: string, quantity: string, price: string): SentTransaction {
  return bought({ symbol, quantity, price, effectiveAt: EARLY })
}

const PURCHASES: readonly SentTransaction[] = [
  buying('EQ.L', '100', '500'),
  buying('ETF.US', '10', '100'),
  buying('FUND.EU', '50', '20'),
  buying('BOND.DE', '10000', '98'),
  buying('BTC-USD', '0.5', '40000'),
  buying('XAU', '2', '1900'),
  buying('CHF.CASH', '1000', '1'),
  buying('OPT', '3', '2.5'),
  buying('FUT', '2', '100'),
  buying('HOUSE', '1', '400000'),
  buying('PE', '100', '50'),
  { type: Type.COUPON, symbol: 'BOND.DE', grossAmount: '250', effectiveAt: EARLY },
]

/** Buys one of each and gives the portfolio in a currency. */
async function portfolioIn(reportingCurrency: string) {
  const userId = newUser()
  await portfolioLog(fixture.client).record({ userId, transactions: [...PURCHASES] })
  return (await fixture.client.get({ userId, reportingCurrency })).message
}

describe('one position in each asset class, in four currencies', () => {
  it('is worth in dollars what can be worked out by hand', async () => {
    const { portfolio, detail } = await portfolioIn('USD')
    const rows = detail!.positions.map((position) => [
      position.symbol,
      position.currencyCode,
      position.multiplier,
      position.price,
      position.marketValue,
      position.costBasis,
      position.value,
      position.profitLoss!.unrealized,
    ])
    expect(rows).toEqual([
      // 10,000 nominal at 98 % cost EUR 9,800, at 1.20 USD 11,760; at 99 % and 1.25 they are worth 12,375.
      ['BOND.DE', 'EUR', '1', '99', '9900', '11760', '12375', '615'],
      ['BTC-USD', 'USD', '1', '50000', '25000', '20000', '25000', '5000'],
      ['CHF.CASH', 'CHF', '1', '1', '1000', '1500', '1562.5', '62.5'],
      // 500 pence are 5 pounds.
      ['EQ.L', 'GBP', '1', '6', '600', '700', '900', '200'],
      ['ETF.US', 'USD', '1', '110', '1100', '1000', '1100', '100'],
      ['FUND.EU', 'EUR', '1', '22', '1100', '1200', '1375', '175'],
      // Two contracts of 25 at 104.
      ['FUT', 'EUR', '25', '104', '5200', '6000', '6500', '500'],
      ['HOUSE', 'CHF', '1', '420000', '420000', '600000', '656250', '56250'],
      ['OPT', 'USD', '100', '4', '1200', '750', '1200', '450'],
      ['PE', 'USD', '1', '55', '5500', '5000', '5500', '500'],
      ['XAU', 'USD', '1', '2000', '4000', '3800', '4000', '200'],
    ])
    // Money is worth itself at any time.
    expect(detail!.positions[2]!.pricedAt).toBeUndefined()
    // What the rates made of the cost: 9,800 x 0.05, 1,000 x 0.0625, 500 x 0.1, 1,000 x 0.05, 5,000 x 0.05 and
    // 400,000 x 0.0625.
    const effects = detail!.positions.map(({ profitLoss }) => profitLoss!.currencyEffect)
    expect(effects.join(' ')).toBe('490 0 62.5 50 0 50 250 25000 0 0 0')
    expect(detail!.profitLoss!.currencyEffect).toBe('25902.5')
    // The coupon of EUR 250 was USD 300.
    expect(detail).toMatchObject({
      totalValue: '715762.5',
      costBasis: '651710',
      profitLoss: { unrealized: '64052.5', income: '300', realized: '0', total: '64352.5' },
    })
    expect(detail!.quality!.issues).toEqual([])
    expect(portfolio).toMatchObject({ totalValue: 715762.5, totalProfitLoss: 64352.5 })
    const classes = new Map(INSTRUMENTS.map(({ symbol, assetClass }) => [symbol, assetClass]))
    for (const { symbol, assetClass } of detail!.positions) {
      expect([symbol, assetClass]).toEqual([symbol, classes.get(symbol)])
    }
  })

  it('is worth in euros four fifths of it', async () => {
    const { portfolio, detail } = await portfolioIn('EUR')
    expect(detail).toMatchObject({
      reportingCurrency: 'EUR',
      totalValue: '572610',
      costBasis: '521368',
      profitLoss: { unrealized: '51242', income: '240', total: '51482', currencyEffect: '20722' },
    })
    const values = detail!.positions.map(({ symbol, value }) => `${symbol} ${value}`)
    expect(values).toEqual([
      'BOND.DE 9900',
      'BTC-USD 20000',
      'CHF.CASH 1250',
      'EQ.L 720',
      'ETF.US 880',
      'FUND.EU 1100',
      'FUT 5200',
      'HOUSE 525000',
      'OPT 960',
      'PE 4400',
      'XAU 3200',
    ])
    expect(portfolio).toMatchObject({ totalValue: 572610, totalProfitLoss: 51482 })
  })
})

describe('a realised result and an event of each class', () => {
  it.each<[string, string, readonly SentTransaction[], string]>([
    // 50 shares at GBP 7 and 1.40: 490 - 350.
    ['EQ.L', '50 at 700', [{ type: Type.DIVIDEND, grossAmount: '1000' }], '140 14'],
    ['ETF.US', '4 at 120', [{ type: Type.DIVIDEND, grossAmount: '3' }], '80 3'],
    // 20 units from 20 to 25 euros are EUR 100, USD 120.
    ['FUND.EU', '20 at 25', [{ type: Type.DIVIDEND, grossAmount: '5' }], '120 6'],
    // 2,000 nominal from 98 to 101 %: EUR 60, USD 72.
    ['BOND.DE', '2000 at 101', [{ type: Type.COUPON, grossAmount: '100' }], '72 120'],
    [
      'BTC-USD',
      '0.1 at 45000',
      [{ type: Type.STAKING_REWARD, quantity: '0.000000000000000001', price: '50000' }],
      '500 0.00000000000005',
    ],
    ['XAU', '1 at 1950', [{ type: Type.FEE, grossAmount: '2' }], '50 0'],
    ['CHF.CASH', '400 at 1', [{ type: Type.INTEREST, grossAmount: '10' }], '0 15'],
    // One contract from 2.5 to 3.25 gains 75; the two that expire lose 500.
    ['OPT', '1 at 3.25', [{ type: Type.OPTION_EXPIRY, quantity: '2' }], '-425 0'],
    // One contract of 25 from 100 to 106: EUR 150, USD 180.
    ['FUT', '1 at 106', [{ type: Type.FEE, grossAmount: '1' }], '180 0'],
    ['HOUSE', '0.25 at 440000', [{ type: Type.INTEREST, grossAmount: '1000' }], '15000 1500'],
    // 50 of its 5,000 dollars come back: they lower the basis, and the sale of 10 gains 10 x (60 - 49.5).
    ['PE', '10 at 60', [{ type: Type.RETURN_OF_CAPITAL, grossAmount: '50' }], '105 0'],
  ])('%s: %s', async (symbol, sold, events, expected) => {
    const userId = newUser()
    const [quantity = '', price = ''] = sold.split(' at ')
    const purchase = PURCHASES.find((one) => one.symbol === symbol)!
    const sale = { ...purchase, type: Type.SELL, quantity, price }
    const { message } = await portfolioLog(fixture.client).record({
      userId,
      transactions: [
        purchase,
        ...events.map((event) => ({ symbol, effectiveAt: EARLY, ...event })),
        sale,
      ],
    })
    const { realized, income } = message.portfolio!.profitLoss!
    expect(`${realized} ${income}`).toBe(expected)
  })
})

describe('the decimals of a quantity', () => {
  it.each([
    ['EQ.L', '0.000000001', '0.0000000001'],
    ['FUND.EU', '0.000000001', '0.0000000001'],
    ['BOND.DE', '0.000001', '0.0000001'],
    ['CHF.CASH', '0.00000001', '0.000000001'],
    ['OPT', '1', '0.5'],
    ['FUT', '1', '1.5'],
    ['HOUSE', '0.000001', '0.0000001'],
    ['PE', '0.00000001', '0.000000001'],
  ])('%s takes %s, not %s', async (symbol, good, bad) => {
    const userId = newUser()
    const log = portfolioLog(fixture.client)
    const failure = await failureOf(
      log.record({
        userId,
        transactions: [buying(symbol, good, '1'), buying(symbol, bad, '1')],
      }),
    )
    expect(failure.violations).toEqual(['transactions[1].quantity PRECISION_EXCEEDED'])
    const plain = fixture.client.update({
      userId,
      transactions: [{ symbol, quantity: Number(bad), price: 1 }],
    })
    expect((await failureOf(plain)).violations).toEqual([
      'transactions[0].quantity PRECISION_EXCEEDED',
    ])
    await log.record({ userId, transactions: [buying(symbol, good, '1')] })
  })

  it('crypto takes all 18', async () => {
    const userId = newUser()
    await portfolioLog(fixture.client).record({
      userId,
      transactions: [buying('BTC-USD', '1.000000000000000001', '1')],
    })
    const { message } = await fixture.client.get({ userId })
    expect(message.detail!.positions[0]!.quantity).toBe('1.000000000000000001')
  })
})

describe('UpdatePortfolio of a known instrument', () => {
  it('takes prices in its currency and unit, at the rate of the day', async () => {
    const userId = newUser()
    const { message } = await fixture.client.update({
      userId,
      transactions: [
        { symbol: 'EQ.L', quantity: 100, price: 500, timestamp: EARLY.seconds },
        { symbol: 'BOND.DE', quantity: 1000, price: 98, timestamp: EARLY.seconds },
      ],
    })
    expect(message.updatedPortfolio).toMatchObject({
      totalValue: 2137.5,
      // 900 - 700 and 1,237.50 - 1,176.
      totalProfitLoss: 261.5,
    })
  })

  it('refuses what no rate is known for, and writes nothing', async () => {
    const userId = newUser()
    const failure = await failureOf(
      fixture.client.update({
        userId,
        transactions: [{ symbol: 'EQ.L', quantity: 1, price: 500, timestamp: 1_000_000n }],
      }),
    )
    expect(failure.reason).toBe('FX_RATE_REQUIRED')
    expect((await failureOf(fixture.client.get({ userId }))).reason).toBe('PORTFOLIO_NOT_FOUND')
  })

  it('warns of symbols that nobody knows, and takes them', async () => {
    const { warnings } = await fixture.client.update({
      userId: newUser(),
      transactions: [
        { symbol: 'ETF.US', quantity: 1, price: 100 },
        { symbol: 'NOBODY', quantity: 1, price: 1 },
      ],
    })
    expect(warnings).toEqual(['1:UNKNOWN_INSTRUMENT'])
  })
})
