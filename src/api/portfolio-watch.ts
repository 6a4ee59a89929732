import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type WatchEvent,
  watchPortfolio,
  type WatchPorts,
  type WatchQuery,
} from '../app/portfolio/watch-portfolio.ts'
import type { CommittedChange } from '../app/ports.ts'
import { type Decimal, parseDecimal } from '../domain/decimal.ts'
import type { Violation } from '../domain/errors.ts'
import type {
  PortfolioService,
  WatchPortfolioRequest,
  WatchPortfolioResponseSchema,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { HandlersOf, StreamContext } from './call.ts'
import { timestampOf } from './instant.ts'
import { readUserId } from './portfolio-request.ts'
import { presentSummary, presentView } from './portfolio-view.ts'
import { ResumeTokens } from './resume-token.ts'
import { countProblem, readOptional, refusalOf } from './violations.ts'

/** Of one stream. */
const USERS_MAX = 100

type Response = MessageInitShape<typeof WatchPortfolioResponseSchema>
type WatchHandlers = Pick<HandlersOf<typeof PortfolioService>, 'watchPortfolio'>

/** Changes as they are committed: parse, use case, present. */
export function portfolioWatchHandlers(ports: WatchPorts): WatchHandlers {
  return {
    watchPortfolio: (request, _metadata, call) => {
      const { query, tokens } = readWatch(request)
      return present(ports, query, tokens, call)
    },
  }
}

async function* present(
  ports: WatchPorts,
  query: WatchQuery,
  tokens: ResumeTokens,
  call: StreamContext,
): AsyncGenerator<Response> {
  for await (const { event, ...place } of watchPortfolio(ports, query, call)) {
    yield { ...presentEvent(event), resumeToken: tokens.write(place) }
  }
}

/** @throws PortfolioError with everything that is wrong with the request. */
export function readWatch(request: WatchPortfolioRequest): {
  query: WatchQuery
  tokens: ResumeTokens
} {
  const violations: Violation[] = []
  const count = { actual: request.userIds.length, maximum: USERS_MAX }
  const reasons = { none: 'USER_ID_REQUIRED', tooMany: 'TOO_MANY_USERS' } as const
  const problem = countProblem(reasons, count)
  if (problem !== undefined) violations.push({ field: 'user_ids', ...problem })
  for (const [index, userId] of request.userIds.slice(0, USERS_MAX).entries()) {
    const found: Violation[] = []
    readUserId(userId, found)
    for (const { reason, description } of found) {
      violations.push({ field: `user_ids[${index}]`, reason, description })
    }
  }
  const userIds = [...new Set(request.userIds)]
  const tokens = new ResumeTokens(userIds)
  const minMove = readOptional(request.minMove, parseFraction, () =>
    violations.push({
      field: 'min_move',
      reason: 'MIN_MOVE_INVALID',
      description: 'must be a decimal of at least 0, such as 0.01',
    }),
  )
  const place = readOptional(
    request.resumeToken,
    (text) => tokens.read(text),
    () =>
      violations.push({
        field: 'resume_token',
        reason: 'RESUME_TOKEN_INVALID',
        description: 'must be the resume_token of a stream of the same users',
      }),
  )
  if (violations.length > 0) throw refusalOf(violations, count)
  const { versions = new Map<string, number>(), actions } = place ?? {}
  return { query: { userIds, minMove, versions, actions }, tokens }
}

function parseFraction(text: string): Decimal | undefined {
  const value = parseDecimal(text)
  return value?.isNegative() === false ? value : undefined
}

function presentEvent(event: WatchEvent): Response {
  switch (event.kind) {
    case 'snapshot': {
      const { userId, view } = event
      return { userId, event: { case: 'snapshot', value: presentView(view) } }
    }
    case 'change': {
      const { userId, change } = event
      return { userId, event: { case: 'change', value: presentChange(change) } }
    }
    case 'repriced': {
      const { userId, summary } = event
      return { userId, event: { case: 'repriced', value: presentSummary(summary) } }
    }
    case 'heartbeat':
      return { event: { case: 'heartbeat', value: { sentAt: timestampOf(event.sentAt) } } }
  }
}

function presentChange({ version, etag, firstSequence, lastSequence }: CommittedChange) {
  const transactionIds = Array.from({ length: lastSequence - firstSequence + 1 }, (_, index) =>
    String(firstSequence + index),
  )
  return { version: BigInt(version), etag, transactionIds }
}
