import type { ListQuotesQuery } from '../app/market-data/list-quotes.ts'
import type { QuotePlace } from '../app/ports.ts'
import { invalidRequest, type Violation } from '../domain/errors.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import type { ListQuotesRequest } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { readDay, readPlace, readSize, tokenOfPlace } from './pages.ts'
import { SYMBOL_PROBLEM } from './violations.ts'

/** Kind of listing, the two instants, the source: the last is any text. */
const PLACE = /^([qh]) (-?\d{1,16}) (-?\d{1,16}) (.{0,64})$/u

/** @throws PortfolioError with everything that is wrong with the request. */
export function readQuotesPage(request: ListQuotesRequest): ListQuotesQuery {
  const violations: Violation[] = []
  const symbol = canonicalSymbol(request.symbol)
  if (symbol === undefined) violations.push({ field: 'symbol', ...SYMBOL_PROBLEM })
  const { period, quarantinedOnly } = request
  const query = {
    symbol: symbol ?? '',
    startDay: readDay('period.start_date', period?.startDate, violations),
    endDay: readDay('period.end_date', period?.endDate, violations),
    quarantinedOnly,
    size: readSize(request.pageSize, violations),
    after: readAfter(request.pageToken, listingOf(quarantinedOnly), violations),
  }
  if (violations.length > 0) throw invalidRequest(violations)
  return query
}

function readAfter(
  token: string,
  listing: string,
  violations: Violation[],
): QuotePlace | undefined {
  const match = readPlace(token, PLACE, violations)
  if (match === undefined) return undefined
  const [, of, pricedAt, recordedAt, source = ''] = match
  if (of !== listing) readPlace('of another listing', PLACE, violations)
  return { pricedAt: Number(pricedAt), recordedAt: Number(recordedAt), source }
}

function listingOf(quarantinedOnly: boolean): string {
  return quarantinedOnly ? 'h' : 'q'
}

/** Opaque to clients: the place after the last quote shown. */
export function quotesToken(quarantinedOnly: boolean, next: QuotePlace | undefined): string {
  if (next === undefined) return ''
  return tokenOfPlace(listingOf(quarantinedOnly), next.pricedAt, next.recordedAt, next.source)
}
