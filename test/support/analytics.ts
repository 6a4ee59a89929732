import type { MessageInitShape } from '@bufbuild/protobuf'
import { AnalyticsService } from '../../gen/portfolio/v1/analytics_service_pb.ts'
import type { ApiClient } from './client.ts'
import { moment } from './portfolio-log.ts'

const { analyzePortfolios, compareBenchmarks, getPerformance } = AnalyticsService.method

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
