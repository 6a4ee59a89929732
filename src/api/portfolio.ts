import type { Metadata } from '@grpc/grpc-js'
import { answerPortfolio, type GetPortfolioQuery } from '../app/portfolio/get-portfolio.ts'
import type { PortfolioView } from '../app/portfolio/portfolio-view.ts'
import { RecentAnswers } from '../app/portfolio/recent-answers.ts'
import {
  updatePortfolio,
  type UpdateCommand,
  type UpdatePortfolioPorts,
} from '../app/portfolio/update-portfolio.ts'
import type { WatchPorts } from '../app/portfolio/watch-portfolio.ts'
import type { Violation } from '../domain/errors.ts'
import { isCurrencyCode } from '../domain/market-data/symbol.ts'
import { parseEtag } from '../domain/portfolio/state.ts'
import type { Instant } from '../domain/time.ts'
import {
  type GetPortfolioRequest,
  PortfolioService,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { PortfolioUpdateRequest } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import type { HandlersOf } from './call.ts'
import { instantOf } from './instant.ts'
import { keyOf } from './idempotency-key.ts'
import {
  addWarnings,
  answerHeaders,
  readReportingCurrency,
  readUpdateHeaders,
} from './portfolio-headers.ts'
import { portfolioLogHandlers } from './portfolio-log.ts'
import { portfolioSettingsHandlers } from './portfolio-settings.ts'
import { presentSummary, presentViewFacts } from './portfolio-view.ts'
import { PortfolioViewBytes } from './portfolio-view-bytes.ts'
import { portfolioWatchHandlers } from './portfolio-watch.ts'
import { readInstant, readTransactions, readUserId, TRANSACTIONS_MAX } from './portfolio-request.ts'
import {
  CURRENCY_PROBLEM,
  ETAG_PROBLEM,
  INSTANT_PROBLEM,
  type Problem,
  readMoment,
  readOptional,
  refusalOf,
  TIMESTAMP_PROBLEM,
} from './violations.ts'

/** The RPCs of PortfolioService: parse, use case, present. */
export function portfolioHandlers(
  ports: UpdatePortfolioPorts & WatchPorts,
): HandlersOf<typeof PortfolioService> {
  const viewBytes = new PortfolioViewBytes()
  const answers = {
    recent: new RecentAnswers<Buffer>(),
    write: (view: PortfolioView) => viewBytes.of(view),
  }
  return {
    ...portfolioLogHandlers(ports),
    ...portfolioSettingsHandlers(ports),
    ...portfolioWatchHandlers(ports),

    async updatePortfolio(request, metadata, call) {
      const command = readUpdate(request, metadata, ports.clock.now())
      const { answer, replayed } = await updatePortfolio(ports, command, call)
      const headers = answerHeaders(answer)
      if (replayed) headers.set('idempotency-replayed', 'true')
      addWarnings(headers, answer.warnings)
      const updatedPortfolio = presentSummary(answer.summary)
      return { message: { success: true, updatedPortfolio }, headers }
    },

    async getPortfolio(request, metadata, call) {
      const query = readQuery(request, metadata, ports.clock.now())
      const { facts, answer } = await answerPortfolio(ports, query, call, answers)
      const headers = answerHeaders(facts)
      return answer === undefined
        ? { message: presentViewFacts(facts), headers }
        : { bytes: answer, headers }
    },
  }
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readUpdate(
  request: PortfolioUpdateRequest,
  metadata: Metadata,
  now: Instant,
): UpdateCommand {
  const violations: Violation[] = []
  const { idempotencyKey, ...headers } = readUpdateHeaders(metadata, violations)
  const userId = readUserId(request.userId, violations)
  const drafts = readTransactions(request, now, violations)
  if (violations.length > 0) {
    const count = { actual: request.transactions.length, maximum: TRANSACTIONS_MAX }
    throw refusalOf(violations, count)
  }
  return {
    userId,
    drafts,
    key: keyOf(idempotencyKey, PortfolioService.method.updatePortfolio, request),
    ...headers,
  }
}

/** @throws PortfolioError with everything that is wrong with the request. */
function readQuery(
  request: GetPortfolioRequest,
  metadata: Metadata,
  now: Instant,
): GetPortfolioQuery {
  const violations: Violation[] = []
  const invalid = (field: string, problem: Problem) => (): void => {
    violations.push({ field, ...problem })
  }
  const headerCurrency = readReportingCurrency(metadata, violations)
  const query = {
    userId: readUserId(request.userId, violations),
    at: readMoment(readInstant(request.timestamp, now), invalid('timestamp', TIMESTAMP_PROBLEM)),
    recordedUntil: readMoment(
      request.asKnownAt && instantOf(request.asKnownAt, now),
      invalid('as_known_at', INSTANT_PROBLEM),
    ),
    reportingCurrency: readOptional(
      request.reportingCurrency,
      (text) => (isCurrencyCode(text) ? text : undefined),
      invalid('reporting_currency', CURRENCY_PROBLEM),
    ),
    ifNoneMatch: readOptional(
      request.ifNoneMatch,
      (text) => parseEtag(text) && text.replaceAll('"', ''),
      invalid('if_none_match', ETAG_PROBLEM),
    ),
    versionMin: readOptional(
      request.minEtag,
      (text) => parseEtag(text)?.version,
      invalid('min_etag', ETAG_PROBLEM),
    ),
  }
  if (violations.length > 0) throw refusalOf(violations)
  return { ...query, reportingCurrency: query.reportingCurrency ?? headerCurrency }
}
