import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import {
  MarketDataService,
  type QuoteSchema,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { failureOf } from '../support/client.ts'
import { moment } from '../support/portfolio-log.ts'
import { useService } from '../support/service.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()
const { listQuotes } = MarketDataService.method

type Sent = MessageInitShape<typeof QuoteSchema>

function on(day: string, price: string, facts: Sent = {}): Sent {
  return { price, source: 'exchange', pricedAt: moment(`${day}T20:00:00Z`), ...facts }
}

async function ingest(symbol: string, ...quotes: readonly Sent[]) {
  const { message } = await fixture.client.ingest({
    quotes: quotes.map((quote) => Object.assign({ symbol }, quote)),
  })
  return message
}

async function list(request: MessageInitShape<typeof listQuotes.input>) {
  const { message } = await fixture.client.unary(listQuotes, request)
  return message
}

async function pricesOf(request: MessageInitShape<typeof listQuotes.input>) {
  return (await list(request)).quotes.map(({ price }) => price).join(' ')
}

describe('ListQuotes', () => {
  it('gives the history in order of time, a corrected quote as it is known now', async () => {
    await ingest('HISTORY', on('2024-03-05', '11'), on('2024-03-04', '10'))
    await ingest('HISTORY', on('2024-03-06', '12'), on('2024-03-05', '11.5'))
    expect(await pricesOf({ symbol: 'history' })).toBe('10 11.5 12')
    const period = { startDate: '2024-03-05', endDate: '2024-03-05' }
    expect(await pricesOf({ symbol: 'HISTORY', period })).toBe('11.5')
    expect(await pricesOf({ symbol: 'UNHEARD' })).toBe('')
  })

  it('pages through all of them once, whatever comes in meanwhile', async () => {
    const sources = ['A', 'B', '', 'a "source" with spaces']
    await ingest('PAGED', ...sources.map((source) => on('2024-03-04', '10', { source })))
    const shown: string[] = []
    let pageToken = ''
    do {
      const page = await list({ symbol: 'PAGED', pageSize: 1, pageToken })
      shown.push(...page.quotes.map(({ source }) => source))
      pageToken = page.nextPageToken
      await ingest('PAGED', on('2024-03-01', '10'))
    } while (pageToken !== '')
    expect(shown.toSorted()).toEqual(sources.toSorted())
  })

  it('names every field that is wrong', async () => {
    const bad = { symbol: '!', period: { startDate: 'x', endDate: '2024-02-30' }, pageSize: 1_001 }
    expect((await failureOf(list({ ...bad, pageToken: '!' }))).violations).toEqual([
      'symbol SYMBOL_INVALID',
      'period.start_date DATE_INVALID',
      'period.end_date DATE_INVALID',
      'page_size PAGE_INVALID',
      'page_token PAGE_INVALID',
    ])
    await ingest('TOKEN', on('2024-03-04', '10'), on('2024-03-05', '10'))
    const { nextPageToken } = await list({ symbol: 'TOKEN', pageSize: 1 })
    const other = list({ symbol: 'TOKEN', quarantinedOnly: true, pageToken: nextPageToken })
    expect((await failureOf(other)).violations).toEqual(['page_token PAGE_INVALID'])
  })
})

describe('the quarantine', () => {
  it('lists an outlier, which values nobody until another quote confirms it', async () => {
    const userId = newUser()
    await ingest('JUMP', on('2024-03-04', '100'))
    const { message } = await fixture.client.update({
      userId,
      transactions: [{ symbol: 'JUMP', quantity: 1, price: 100, timestamp: 1_700_000_000n }],
    })
    expect(message.updatedPortfolio!.totalValue).toBe(100)
    expect(await ingest('JUMP', on('2024-03-05', '1000'))).toMatchObject({
      accepted: 0n,
      quarantined: 1n,
      examples: [{ index: 0n, symbol: 'JUMP', reason: 'OUTLIER' }],
    })
    expect((await fixture.client.get({ userId })).message.portfolio!.totalValue).toBe(100)
    const timestamp = moment('2024-03-05T21:00:00Z').seconds
    const past = await fixture.client.get({ userId, timestamp })
    expect(past.message.portfolio!.totalValue).toBe(100)
    expect(await pricesOf({ symbol: 'JUMP' })).toBe('100')
    expect(await pricesOf({ symbol: 'JUMP', quarantinedOnly: true })).toBe('1000')

    expect(await ingest('JUMP', on('2024-03-06', '1010'))).toMatchObject({ accepted: 1n })
    expect((await fixture.client.get({ userId })).message.portfolio!.totalValue).toBe(1010)
    const again = await fixture.client.get({ userId, timestamp })
    expect(again.message.portfolio!.totalValue).toBe(1000)
    expect(await pricesOf({ symbol: 'JUMP' })).toBe('100 1000 1010')
    expect(await pricesOf({ symbol: 'JUMP', quarantinedOnly: true })).toBe('')
  })

  it('measures backdated quotes against the history of their time', async () => {
    await ingest('LATE', on('2020-01-02', '10'), on('2024-03-04', '500'))
    expect(await ingest('LATE', on('2020-01-03', '11'))).toMatchObject({ accepted: 1n })
    expect(await ingest('LATE', on('2020-01-06', '500'))).toMatchObject({ quarantined: 1n })
  })

  it('lists what is no price as it was sent, and never values by it', async () => {
    const bad = ['0', '-1', 'NaN', '1e308', '']
    await ingest('NOPRICE', ...bad.map((price, day) => on(`2024-03-0${day + 1}`, price)))
    expect(await pricesOf({ symbol: 'NOPRICE', quarantinedOnly: true })).toBe(bad.join(' '))
    expect(await pricesOf({ symbol: 'NOPRICE' })).toBe('')
    // Of one moment and source too: each was counted, and each is to be looked at.
    await ingest('NOPRICES', ...bad.map((price) => on('2024-03-01', price)))
    expect(await pricesOf({ symbol: 'NOPRICES', quarantinedOnly: true })).toBe(bad.join(' '))
    expect((await fixture.client.batchGet({ symbols: ['NOPRICE'] })).message.quotes).toEqual([])
  })
})
