import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Metadata } from '@grpc/grpc-js'
import { listLots, type LotView } from '../app/portfolio/list-lots.ts'
import { listTransactions } from '../app/portfolio/list-transactions.ts'
import { type RecordCommand, recordTransactions } from '../app/portfolio/record-transactions.ts'
import type { RecordAnswer } from '../app/portfolio/recorded-answer.ts'
import { reverseTransaction, type ReverseCommand } from '../app/portfolio/reverse-transaction.ts'
import type { UpdatePortfolioPorts } from '../app/portfolio/update-portfolio.ts'
import type { Violation } from '../domain/errors.ts'
import { parseEtag } from '../domain/portfolio/state.ts'
import { isPlainText } from '../domain/text.ts'
import type { Instant } from '../domain/time.ts'
import {
  type LotSchema,
  type PortfolioDetailSchema,
  PortfolioService,
  type RecordTransactionsRequest,
  RecordTransactionsRequest_DuplicatePolicy as DuplicatePolicy,
  RecordTransactionsResponse_Disposition as Disposition,
  type RecordTransactionsResponse_OutcomeSchema as OutcomeSchema,
  type ReverseTransactionRequest,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { HandlersOf } from './call.ts'
import { keyOf } from './idempotency-key.ts'
import { presentDetail, presentQuality } from './portfolio-detail.ts'
import { answerHeaders, readIfMatch, readRequestKey } from './portfolio-headers.ts'
import {
  lotsPage,
  readLotsPage,
  readTransactionsPage,
  transactionsToken,
} from './portfolio-pages.ts'
import { readUserId, TRANSACTIONS_MAX } from './portfolio-request.ts'
import { readTransaction } from './transaction-request.ts'
import { presentMatch, presentTransaction } from './transaction-view.ts'
import { countProblem, ETAG_PROBLEM, readOptional, refusalOf } from './violations.ts'

type LogHandlers = Pick<
  HandlersOf<typeof PortfolioService>,
  'recordTransactions' | 'reverseTransaction' | 'listTransactions' | 'listLots'
>

const METHODS = PortfolioService.method

/** The rich write and what it wrote: parse, use case, present. */
export function portfolioLogHandlers(ports: UpdatePortfolioPorts): LogHandlers {
  const { instruments } = ports.quotes
  return {
    async recordTransactions(request, metadata, call) {
      const command = readRecord(request, metadata, ports.clock.now())
      const { answer, replayed } = await recordTransactions(ports, command, call)
      return {
        message: {
          portfolio: detailOfAnswer(request.userId, answer),
          outcomes: answer.outcomes.map((outcome) => presentOutcome(outcome, answer)),
          etag: answer.etag,
          replayed,
        },
        headers: headersOf(answer, replayed),
      }
    },

    async reverseTransaction(request, metadata, call) {
      const command = readReverse(request, metadata, ports.clock.now())
      const { answer, replayed, written } = await reverseTransaction(ports, command, call)
      const facts = { reversedBy: undefined, baseCurrency: answer.baseCurrency, instruments }
      const [reversal, replacement] = written.map((entry) => presentTransaction(entry, facts))
      return {
        message: {
          portfolio: detailOfAnswer(request.userId, answer),
          etag: answer.etag,
          ...(reversal && { reversal }),
          ...(replacement && { replacement }),
        },
        headers: headersOf(answer, replayed),
      }
    },

    async listTransactions(request, _metadata, call) {
      const query = readTransactionsPage(request, ports.clock.now())
      const page = await listTransactions(ports, request.userId, query, call)
      return {
        message: {
          transactions: page.entries.map(({ entry, reversedBy }) =>
            presentTransaction(entry, {
              reversedBy,
              baseCurrency: page.baseCurrency,
              instruments,
            }),
          ),
          nextPageToken: page.next === undefined ? '' : transactionsToken(query.order, page.next),
        },
      }
    },

    async listLots(request, _metadata, call) {
      const { query, ...place } = readLotsPage(request, ports.clock.now())
      const listing = await listLots(ports, query, call)
      const { lots, nextPageToken } = lotsPage(listing.lots, place)
      const quality = presentQuality(listing, listing.at)
      return { message: { lots: lots.map(presentLot), nextPageToken, quality } }
    },
  }
}

function readRecord(
  request: RecordTransactionsRequest,
  metadata: Metadata,
  now: Instant,
): RecordCommand {
  const violations: Violation[] = []
  const key = readRequestKey(request.requestId, metadata, violations)
  const ifMatch = readEtag(request.etag, metadata, violations)
  const userId = readUserId(request.userId, violations)
  const reasons = { none: 'TRANSACTIONS_REQUIRED', tooMany: 'TOO_MANY_TRANSACTIONS' } as const
  const count = { actual: request.transactions.length, maximum: TRANSACTIONS_MAX }
  const problem = countProblem(reasons, count)
  if (problem !== undefined) violations.push({ field: 'transactions', ...problem })
  const drafts = request.transactions
    .slice(0, TRANSACTIONS_MAX)
    .map((sent, index) => readTransaction(sent, now, `transactions[${index}]`, violations))
  if (!DUPLICATE_POLICIES.has(request.duplicatePolicy)) {
    const description = 'must be a policy of the contract'
    violations.push({ field: 'duplicate_policy', reason: 'SETTINGS_INVALID', description })
  }
  if (violations.length > 0) throw refusalOf(violations, count)
  return {
    userId,
    drafts,
    key: keyOf(key, METHODS.recordTransactions, request),
    ifMatch,
    validateOnly: request.validateOnly,
    skipRecorded: request.duplicatePolicy === DuplicatePolicy.SKIP,
  }
}

function readReverse(
  request: ReverseTransactionRequest,
  metadata: Metadata,
  now: Instant,
): ReverseCommand {
  const violations: Violation[] = []
  const key = readRequestKey(request.requestId, metadata, violations)
  const ifMatch = readEtag(request.etag, metadata, violations)
  const userId = readUserId(request.userId, violations)
  if (!TRANSACTION_ID.test(request.transactionId)) {
    const description = 'must be a transaction_id of this service'
    violations.push({ field: 'transaction_id', reason: 'TRANSACTION_NOT_FOUND', description })
  }
  if (!isPlainText(request.reason, REASON_LENGTH_MAX)) {
    const description = `must be at most ${REASON_LENGTH_MAX} characters without control characters`
    violations.push({ field: 'reason', reason: 'LABELS_INVALID', description })
  }
  const replacement =
    request.replacement && readTransaction(request.replacement, now, 'replacement', violations)
  if (violations.length > 0) throw refusalOf(violations)
  return {
    userId,
    sequence: Number(request.transactionId),
    reason: request.reason,
    replacement,
    key: keyOf(key, METHODS.reverseTransaction, request),
    ifMatch,
    validateOnly: request.validateOnly,
  }
}

const DUPLICATE_POLICIES: ReadonlySet<number> = new Set(Object.values(DuplicatePolicy))
const TRANSACTION_ID = /^\d{1,15}$/
const REASON_LENGTH_MAX = 500

/** The etag of the message, else of the header. */
function readEtag(etag: string, metadata: Metadata, violations: Violation[]): string | undefined {
  const header = readIfMatch(metadata, violations)
  const own = readOptional(
    etag,
    (text) => parseEtag(text)?.etag,
    () => violations.push({ field: 'etag', ...ETAG_PROBLEM }),
  )
  return own ?? header
}

function detailOfAnswer(
  userId: string,
  { detail, version, computedAt }: RecordAnswer,
): MessageInitShape<typeof PortfolioDetailSchema> {
  return presentDetail(detail, { userId, version, at: computedAt, recordedUntil: undefined })
}

function headersOf(
  { detail, etag, version }: RecordAnswer,
  replayed: boolean,
): Map<string, string | readonly string[]> {
  const headers = answerHeaders({ etag, version, ...detail.quality })
  if (replayed) headers.set('idempotency-replayed', 'true')
  return headers
}

function presentOutcome(
  outcome: RecordAnswer['outcomes'][number],
  { timeZone, baseCurrency }: RecordAnswer,
): MessageInitShape<typeof OutcomeSchema> {
  return {
    transactionId: outcome.sequence === 0 ? '' : String(outcome.sequence),
    disposition: Disposition[outcome.disposition],
    lotMatches: outcome.matches.map((match) => presentMatch(match, timeZone, baseCurrency)),
    warnings: [...outcome.warnings],
  }
}

function presentLot(lot: LotView): MessageInitShape<typeof LotSchema> {
  return {
    lotId: lot.lotId,
    symbol: lot.symbol,
    accountId: lot.accountId,
    acquiredDate: lot.acquiredDay,
    quantityAcquired: lot.quantityAcquired,
    quantityOpen: lot.quantityOpen,
    costBasis: lot.basis,
    adjustedBasis: lot.basis,
    marketValue: lot.marketValue,
    unrealizedGain: lot.unrealizedGain,
    longTerm: lot.longTerm,
    longTermOn: lot.longTermOn,
    openedByTransactionId: String(lot.openedSequence),
    basisComplete: lot.basis !== '',
  }
}
