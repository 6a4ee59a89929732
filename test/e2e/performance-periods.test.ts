import { describe, expect, it } from '@jest/globals'
import { GetPerformanceRequest_Interval as Interval } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { DataQuality_Completeness as Completeness } from '../../gen/portfolio/v1/common_pb.ts'
import { Quote_Kind as QuoteKind } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { atClose, ingestCloses, performance } from '../support/analytics.ts'
import { failureOf } from '../support/client.ts'
import { moment, portfolioLog } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()

/** What one unit of the first costs in the second, at noon of each day. */
async function ingestRates(pair: string, rates: Readonly<Record<string, string>>): Promise<void> {
  const quotes = Object.entries(rates).map(([day, price]) => ({
    symbol: pair,
    price,
    source: 'bank',
    kind: QuoteKind.FX,
    pricedAt: moment(`${day}T12:00:00Z`),
  }))
  await fixture.client.ingest({ quotes })
}

describe('GetPerformance in another currency', () => {
  it('sees the first rate of a pair that it missed before', async () => {
    const { client } = fixture
    const userId = newUser()
    await portfolioLog(client).changeSettings({ userId, settings: { baseCurrency: 'SEK' } })
    await ingestCloses(client, 'RATED', { '2023-06-29': 100 }, 'USD')
    const bought = { symbol: 'RATED', quantity: 10, price: 1_000, timestamp: atClose('2023-06-29') }
    await client.update({ userId, transactions: [bought] })
    const asked = { userId, periods: [{ endDate: '2023-06-30' }] }
    const [without] = await performance(client, asked)
    expect(without?.quality?.issues).toMatchObject([{ symbol: 'RATED', reason: 'FX_MISSING' }])
    await ingestRates('USD/SEK', { '2023-06-28': '11' })
    const [found] = await performance(client, asked)
    expect(found?.quality?.issues).toEqual([])
    expect(found?.summary?.endValue).toBe('11000')
  })
})

describe('each period of a call', () => {
  it('has the figures that it has alone, on days without a market too', async () => {
    const { client } = fixture
    const userId = newUser()
    await portfolioLog(client).changeSettings({ userId, settings: { baseCurrency: 'CHF' } })
    const closes = { '2023-06-29': 100, '2023-06-30': 101, '2023-07-03': 102, '2023-07-05': 103 }
    await ingestCloses(client, 'ABROAD', closes, 'USD')
    const rates = { '2023-06-29': '0.9', '2023-07-02': '0.8', '2023-07-04': '0.75' }
    await ingestRates('USD/CHF', rates)
    const bought = { symbol: 'ABROAD', quantity: 10, price: 90, timestamp: atClose('2023-06-29') }
    await client.update({ userId, transactions: [bought] })
    const periods = [
      { startDate: '2023-06-30', endDate: '2023-07-02' },
      { startDate: '2023-07-03', endDate: '2023-07-04' },
      { endDate: '2023-07-05' },
    ]
    const together = await performance(client, { userId, periods })
    for (const [at, period] of periods.entries()) {
      const [alone] = await performance(client, { userId, periods: [period] })
      expect(together[at]?.summary).toEqual(alone?.summary)
    }
    expect(together.map(({ summary }) => Number(summary?.endValue))).toEqual([808, 765, 772.5])
    const [daily] = await performance(client, {
      userId,
      periods: [{ endDate: '2023-07-05' }],
      interval: Interval.DAY,
    })
    for (const { date, value } of daily?.series ?? []) {
      const timestamp = BigInt(Date.parse(`${date}T23:59:59Z`) / 1_000)
      const { message } = await client.get({ userId, timestamp })
      expect([date, message.portfolio?.totalValue]).toEqual([date, Number(value)])
    }
    expect(daily?.series.map(({ date }) => date)).toEqual([
      '2023-06-29',
      '2023-06-30',
      '2023-07-02',
      '2023-07-03',
      '2023-07-04',
      '2023-07-05',
    ])
  })

  it('has the concentration and the data quality of its own end', async () => {
    const { client } = fixture
    const userId = newUser()
    for (const symbol of ['KEPT', 'SOLD']) await ingestCloses(client, symbol, { '2023-06-29': 10 })
    const facts = { quantity: 10, price: 10, timestamp: atClose('2023-06-29') }
    await client.update({
      userId,
      transactions: [
        { ...facts, symbol: 'KEPT' },
        { ...facts, symbol: 'SOLD' },
        { ...facts, symbol: 'SOLD', type: 1, timestamp: atClose('2023-07-03') },
      ],
    })
    const periods = [{ endDate: '2023-06-28' }, { endDate: '2023-06-30' }, {}]
    const reports = await performance(client, { userId, periods })
    expect(reports.map(({ risk }) => risk?.concentrationHhi)).toEqual(['', '0.5', '1'])
    const qualities = reports.map(({ quality }) => quality?.completeness)
    expect(qualities).toEqual([Completeness.COMPLETE, Completeness.COMPLETE, Completeness.STALE])
  })

  it('refuses periods that begin after the last day, which the time zone of the portfolio tells', async () => {
    const { client } = fixture
    const userId = newUser()
    const temporal = { effectiveAt: moment('2024-01-04T20:00:00Z') }
    const asked = (...starts: string[]) =>
      performance(client, { userId, temporal, periods: starts.map((startDate) => ({ startDate })) })
    await portfolioLog(client).changeSettings({ userId, settings: { timeZone: 'Asia/Tokyo' } })
    expect(await asked('2024-01-05', '2024-01-04')).toHaveLength(2)
    const later = await failureOf(asked('2024-01-06', '2024-01-05', '2999-01-01'))
    expect(later).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'PERIOD_INVALID' })
    expect(later.violations).toEqual([
      'periods[0].start_date PERIOD_INVALID',
      'periods[2].start_date PERIOD_INVALID',
    ])
    await portfolioLog(client).changeSettings({ userId, settings: { timeZone: 'UTC' } })
    expect((await failureOf(asked('2024-01-05'))).reason).toBe('PERIOD_INVALID')
    // Without a valuation date it is today.
    const future = { startDate: '2999-01-01', endDate: '2999-01-02' }
    const now = await failureOf(performance(client, { userId, periods: [future] }))
    expect(now.violations).toEqual(['periods[0].start_date PERIOD_INVALID'])
  })
})
