import type { LotsQuery, LotView } from '../app/portfolio/list-lots.ts'
import type { ListTransactionsQuery, TransactionPage } from '../app/portfolio/list-transactions.ts'
import type { LedgerOrder } from '../app/ports.ts'
import type { Violation } from '../domain/errors.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import { type LotMethod, lotMethods } from '../domain/portfolio/lot-methods.ts'
import type { TransactionType } from '../domain/portfolio/transaction-types.ts'
import { isPlainText } from '../domain/text.ts'
import type { Instant } from '../domain/time.ts'
import { LotMethod as SentMethod } from '../../gen/portfolio/v1/common_pb.ts'
import {
  type ListLotsRequest,
  type ListTransactionsRequest,
  ListTransactionsRequest_Order as SentOrder,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { instantOf } from './instant.ts'
import { PAGE_PROBLEM, readDay, readSize, readSymbols } from './pages.ts'
import { readUserId } from './portfolio-request.ts'
import { readType } from './transaction-request.ts'
import {
  INSTANT_PROBLEM,
  type Problem,
  readMoment,
  refusalOf,
  SYMBOL_PROBLEM,
} from './violations.ts'

const FILTER_VALUES_MAX = 1_000
const TEXT_LENGTH_MAX = 128

const ORDER_PROBLEM: Problem = { reason: 'PAGE_INVALID', description: 'must be an order we know' }
const TEXT_PROBLEM: Problem = {
  reason: 'PAGE_INVALID',
  description: `must be at most ${TEXT_LENGTH_MAX} characters without control characters`,
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readTransactionsPage(
  request: ListTransactionsRequest,
  now: Instant,
): ListTransactionsQuery {
  const violations: Violation[] = []
  const refuse = (field: string, problem: Problem): void => {
    violations.push({ field, ...problem })
  }
  readUserId(request.userId, violations)
  const order = ORDERS.get(request.order) ?? 'EFFECTIVE_DESC'
  const place = request.pageToken === '' ? undefined : readToken(request.pageToken, order)
  if (request.pageToken !== '' && place === undefined) refuse('page_token', PAGE_PROBLEM)
  const query = {
    order,
    size: readSize(request.pageSize, violations),
    after: place && { effectiveAt: place.effectiveAt, sequence: place.sequence },
    sequenceUntil: place?.sequenceUntil,
    startDay: readDay('period.start_date', request.period?.startDate, violations),
    endDay: readDay('period.end_date', request.period?.endDate, violations),
    recordedUntil: readMoment(request.asKnownAt && instantOf(request.asKnownAt, now), () =>
      refuse('as_known_at', INSTANT_PROBLEM),
    ),
    instrumentIds: readSymbols(request.symbols, violations),
    types: readTypes(request.types, violations),
    accountIds: request.accountIds,
    externalIds: request.externalIds,
    idempotencyKey: request.idempotencyKey === '' ? undefined : request.idempotencyKey,
    includeReversed: request.includeReversed,
  }
  checkFilters(request, violations)
  if (violations.length > 0) throw refusalOf(violations)
  return query
}

function checkFilters(request: ListTransactionsRequest, violations: Violation[]): void {
  const { types, accountIds, externalIds, idempotencyKey } = request
  if (!ORDERS.has(request.order)) violations.push({ field: 'order', ...ORDER_PROBLEM })
  const filters = { types, account_ids: accountIds, external_ids: externalIds }
  for (const [field, values] of Object.entries(filters)) {
    if (values.length <= FILTER_VALUES_MAX) continue
    const description = `at most ${FILTER_VALUES_MAX}, ${values.length} sent`
    violations.push({ field, reason: 'PAGE_INVALID', description })
  }
  const texts = { account_ids: accountIds, external_ids: externalIds }
  for (const [field, values] of Object.entries({ ...texts, idempotency_key: [idempotencyKey] })) {
    if (!values.every((text) => isPlainText(text, TEXT_LENGTH_MAX))) {
      violations.push({ field, ...TEXT_PROBLEM })
    }
  }
}

const ORDERS: ReadonlyMap<SentOrder, LedgerOrder> = new Map<SentOrder, LedgerOrder>([
  [SentOrder.UNSPECIFIED, 'EFFECTIVE_DESC'],
  [SentOrder.EFFECTIVE_ASC, 'EFFECTIVE_ASC'],
  [SentOrder.RECORDED_ASC, 'RECORDED_ASC'],
])

function readTypes(types: readonly number[], violations: Violation[]): readonly TransactionType[] {
  return types.flatMap((number, index) => {
    const type = readType(number)
    if (type !== undefined) return [type]
    const description = 'must be a type that can be recorded'
    violations.push({ field: `types[${index}]`, reason: 'TYPE_UNKNOWN', description })
    return []
  })
}

interface Place {
  readonly effectiveAt: Instant
  readonly sequence: number
  readonly sequenceUntil: number
}

/** Opaque to clients: the place after the last entry shown, and how much of the log the listing knows. */
export function transactionsToken(
  order: LedgerOrder,
  { after, sequenceUntil }: NonNullable<TransactionPage['next']>,
): string {
  const parts = [order, after?.effectiveAt, after?.sequence, sequenceUntil]
  return Buffer.from(parts.join(' ')).toString('base64url')
}

function readToken(token: string, order: LedgerOrder): Place | undefined {
  const match = TOKEN.exec(Buffer.from(token, 'base64url').toString())
  if (match === null || match[1] !== order) return undefined
  const [effectiveAt = 0, sequence = 0, sequenceUntil = 0] = match.slice(2).map(Number)
  return { effectiveAt, sequence, sequenceUntil }
}

const TOKEN = /^([A-Z_]+) (-?\d{1,16}) (\d{1,15}) (\d{1,15})$/

interface LotsPlace {
  readonly size: number
  readonly after: string
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readLotsPage(
  request: ListLotsRequest,
  now: Instant,
): LotsPlace & { readonly query: LotsQuery } {
  const violations: Violation[] = []
  const userId = readUserId(request.userId, violations)
  const symbol = request.symbol === '' ? undefined : canonicalSymbol(request.symbol)
  if (request.symbol !== '' && symbol === undefined) {
    violations.push({ field: 'symbol', ...SYMBOL_PROBLEM })
  }
  const { effectiveAt, asKnownAt } = request.temporal ?? {}
  const query = {
    userId,
    symbol,
    at: readMoment(effectiveAt && instantOf(effectiveAt, now), () =>
      violations.push({ field: 'temporal.effective_at', ...INSTANT_PROBLEM }),
    ),
    recordedUntil: readMoment(asKnownAt && instantOf(asKnownAt, now), () =>
      violations.push({ field: 'temporal.as_known_at', ...INSTANT_PROBLEM }),
    ),
    includeClosed: request.includeClosed,
    method: readMethod(request.method, 'method', violations),
  }
  const size = readSize(request.pageSize, violations)
  if (violations.length > 0) throw refusalOf(violations)
  return { query, size, after: request.pageToken }
}

const METHOD_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(SentMethod).map(([name, number]) => [number, name]),
)

/** The method's name in the core, which is the contract's; undefined = not said. */
export function readMethod(
  method: number,
  field: string,
  violations: Violation[],
): LotMethod | undefined {
  if (method === SentMethod.UNSPECIFIED) return undefined
  const name = METHOD_NAMES.get(method)
  if (name !== undefined && Object.hasOwn(lotMethods, name)) return name as LotMethod
  const description = 'must be a lot method that is offered'
  violations.push({ field, reason: 'SETTINGS_INVALID', description })
  return undefined
}

/** A page of lots; a token names the lot after which its page begins. */
export function lotsPage(
  lots: readonly LotView[],
  { size, after }: LotsPlace,
): { readonly lots: readonly LotView[]; readonly nextPageToken: string } {
  const start = after === '' ? 0 : lots.findIndex((lot) => tokenOf(lot) === after) + 1
  if (after !== '' && start === 0) throw refusalOf([{ field: 'page_token', ...PAGE_PROBLEM }])
  const page = lots.slice(start, start + size)
  const last = page.at(-1)
  const hasNext = start + size < lots.length && last !== undefined
  return { lots: page, nextPageToken: hasNext ? tokenOf(last) : '' }
}

function tokenOf(lot: LotView): string {
  return Buffer.from(`${lot.instrumentId} ${lot.lotId} ${lot.accountId}`).toString('base64url')
}
