import { describe, expect, it } from '@jest/globals'
import { create } from '@bufbuild/protobuf'
import { IngestQuotesResponseSchema } from '../../../gen/portfolio/v1/market_data_service_pb.ts'
import { GetPortfolioResponseSchema } from '../../../gen/portfolio/v1/portfolio_service_pb.ts'
import { playFile } from '../../../samples/player.ts'
import type { ServiceClient } from '../../../samples/service-client.ts'

/** Remembers what it was sent, and keys as the service does. */
function recordingClient() {
  const keys: string[] = []
  const sizes: number[] = []
  const client: ServiceClient = {
    waitUntilServing: () => Promise.resolve(),
    updatePortfolio(request, key) {
      const replayed = keys.includes(key)
      keys.push(key)
      sizes.push(request.transactions.length)
      return Promise.resolve(replayed)
    },
    ingestQuotes(messages) {
      const accepted = [...messages].reduce((sum, { quotes }) => sum + quotes.length, 0)
      return Promise.resolve(create(IngestQuotesResponseSchema, { accepted: BigInt(accepted) }))
    },
    getPortfolio: () => Promise.resolve(create(GetPortfolioResponseSchema)),
    close: () => undefined,
  }
  return { client, keys, sizes }
}

const row = 'BUY,IBM,1,100,2000-01-31T21:00:00Z'
const csv = ['type,symbol,quantity,price,executed_at', ...Array<string>(450).fill(row), ''].join(
  '\n',
)
const closes = [{ symbol: 'IBM', date: '2000-01-31', price: '100.52' }]

const silent = () => ({ advance: () => undefined, end: () => undefined })

function play(client: ServiceClient, text: string, userId: string) {
  return playFile(client, { csv: text, closes, userId, showProgress: silent })
}

describe('playFile', () => {
  it('sends the rows in requests of at most 200, each under its own key', async () => {
    const { client, keys, sizes } = recordingClient()
    const played = await play(client, csv, 'sample')
    expect(sizes).toEqual([200, 200, 50])
    expect(new Set(keys).size).toBe(3)
    expect(keys.every((key) => /^[\x21-\x7e]{1,128}$/.test(key))).toBe(true)
    expect(played).toMatchObject({ transactions: 450, batches: 3, replayedBatches: 0 })
    expect(played.quotes.accepted).toBe(1n)
  })

  it('repeats the keys of an earlier run, but not those of another user or another file', async () => {
    const { client } = recordingClient()
    const replayed = async (text: string, userId: string) =>
      (await play(client, text, userId)).replayedBatches
    await replayed(csv, 'sample')
    await expect(replayed(csv, 'sample')).resolves.toBe(3)
    await expect(replayed(csv, 'another')).resolves.toBe(0)
    await expect(replayed(`${csv}${row}\n`, 'sample')).resolves.toBe(0)
  })
})
