import type { MessageInitShape } from '@bufbuild/protobuf'
import { AnalyticsService } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import type { ApiClient } from './client.ts'
import { moment } from './portfolio-log.ts'

const { analyzePortfolios, compareBenchmarks, getPerformance } = AnalyticsService.method

/** Each waits for half a second at most. */
const ASKED_MAX = 20

/** A close for each day, at 21:00 UTC. */
export async function ingestCloses(
  client: ApiClient,
  symbol: string,
  closes: Readonly<Record<string, string | number>>,
  currencyCode = '',
): Promise<void> {
  const quotes = Object.entries(closes).map(([day, price]) => ({
    symbol,
    price: String(price),
    currencyCode,
    source: 'exchange',
    pricedAt: moment(`${day}T21:00:00Z`),
  }))
  for (let from = 0; from < quotes.length; from += 1_000) {
    await client.ingest({ quotes: quotes.slice(from, from + 1_000) })
  }
}

/** Seconds of a day at 21:00 UTC, as the specification's timestamp. */
export function atClose(day: string): bigint {
  return BigInt(Date.parse(`${day}T21:00:00Z`) / 1_000)
}

export async function analyze(
  client: ApiClient,
  request: MessageInitShape<typeof analyzePortfolios.input>,
  options: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
) {
  return (await client.unary(analyzePortfolios, request, {}, options)).message
}

/** Asks again, as the contract says, until nothing is incomplete: threads that read TypeScript start slowly. */
export async function analyzeAll(
  client: ApiClient,
  request: MessageInitShape<typeof analyzePortfolios.input>,
) {
  for (let asked = 1; ; asked += 1) {
    const answer = await analyze(client, request)
    if (answer.incompleteUserIds.length === 0 || asked === ASKED_MAX) return answer
  }
}

export async function performance(
  client: ApiClient,
  request: MessageInitShape<typeof getPerformance.input>,
  options: { readonly deadlineMs?: number } = {},
) {
  return (await client.unary(getPerformance, request, {}, options)).message.reports
}

export async function compare(
  client: ApiClient,
  request: MessageInitShape<typeof compareBenchmarks.input>,
) {
  return (await client.unary(compareBenchmarks, request)).message.comparisons
}
