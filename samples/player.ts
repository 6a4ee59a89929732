import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { createHash } from 'node:crypto'
import {
  type IngestQuotesRequest,
  IngestQuotesRequestSchema,
  type IngestQuotesResponse,
  Quote_Kind,
} from '../gen/portfolio/v1/market_data_service_pb.ts'
import type { GetPortfolioResponse } from '../gen/portfolio/v1/portfolio_service_pb.ts'
import { PortfolioUpdateRequestSchema } from '../gen/portfolio/v1/portfolio_update_pb.ts'
import { type Close, closingTime } from './market-prices.ts'
import type { Progress } from '../src/cli/progress.ts'
import type { ServiceClient } from './service-client.ts'
import { parseTransactions } from './transactions-file.ts'

/** What a run of the file did. */
export interface Played {
  readonly transactions: number
  readonly batches: number
  /** Of `batches` those that had been applied by an earlier run already. */
  readonly replayedBatches: number
  readonly quotes: IngestQuotesResponse
  readonly portfolio: GetPortfolioResponse
}

const TRANSACTIONS_PER_REQUEST = 200
const QUOTES_PER_MESSAGE = 200
const QUOTE_SOURCE = 'vega-datasets'

/** What to play for whom. */
export interface Play {
  /** Text of a file of transactions. */
  readonly csv: string
  readonly closes: readonly Close[]
  readonly userId: string
  /** Called once for each of the things that take a while. */
  readonly showProgress: (name: string, total: number) => Progress
}

/** Sends the prices, then the file's transactions as `userId`'s, then asks for the portfolio. */
export async function playFile(
  client: ServiceClient,
  { csv, closes, userId, showProgress }: Play,
): Promise<Played> {
  const transactions = parseTransactions(csv)
  const quotes = await showing(showProgress('prices', closes.length), (progress) =>
    client.ingestQuotes(quoteMessages(closes, progress)),
  )
  const batches = inChunks(transactions, TRANSACTIONS_PER_REQUEST)
  const replayedBatches = await showing(
    showProgress('transactions', transactions.length),
    async (progress) => {
      let replayed = 0
      for (const [index, batch] of batches.entries()) {
        const request = create(PortfolioUpdateRequestSchema, { userId, transactions: batch })
        if (await client.updatePortfolio(request, batchKey(userId, csv, index))) replayed += 1
        progress.advance(batch.length)
      }
      return replayed
    },
  )
  const portfolio = await client.getPortfolio(userId)
  return {
    transactions: transactions.length,
    batches: batches.length,
    replayedBatches,
    quotes,
    portfolio,
  }
}

/** The same for the same part of the same file of the same user: a second run applies nothing twice. */
export function batchKey(userId: string, csv: string, index: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([userId, csv]))
    .digest('hex')
  return `sample-${digest.slice(0, 32)}-${index}`
}

/** The closes as quotes. The shares' are already adjusted for splits, so nothing may adjust them again. */
function* quoteMessages(
  closes: readonly Close[],
  progress: Progress,
): Iterable<IngestQuotesRequest> {
  for (const chunk of inChunks(closes, QUOTES_PER_MESSAGE)) {
    const quotes = chunk.map(({ symbol, date, price }) => ({
      symbol,
      price,
      currencyCode: 'USD',
      pricedAt: timestampFromDate(closingTime(date)),
      source: QUOTE_SOURCE,
      kind: Quote_Kind.CLOSE,
      splitAdjusted: true,
    }))
    yield create(IngestQuotesRequestSchema, { quotes })
    progress.advance(chunk.length)
  }
}

async function showing<Result>(
  progress: Progress,
  work: (progress: Progress) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(progress)
  } finally {
    progress.end()
  }
}

function inChunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
