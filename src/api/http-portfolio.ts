import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseEtag } from '../domain/portfolio/state.ts'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { type HandlersOf, unaryFacts } from './call.ts'
import { addCallRoute, type HttpCall } from './http-call.ts'
import { sendStatus } from './http-failure.ts'
import { messageJson, readBody, readQueryFields } from './http-json.ts'
import type { Edge } from './served-call.ts'

export const PORTFOLIO_PATH = '/portfolio'

const { updatePortfolio, getPortfolio } = PortfolioService.method

type Handlers = HandlersOf<typeof PortfolioService>

/** What routes of plain HTTP have in common. */
export const PLAIN = {
  system: 'http',
  // No header of plain HTTP says how long a client waits.
  clientMs: () => Infinity,
  sendFailure: sendStatus,
} as const

/** Serves `POST /portfolio` and `GET /portfolio` as the specification writes them. */
export function servePortfolio(app: FastifyInstance, handlers: Handlers, edge: Edge): void {
  addCallRoute(app, unaryFacts(updatePortfolio), edge, {
    ...PLAIN,
    url: PORTFOLIO_PATH,
    httpMethods: ['POST'],
    serve: (call, request) => post(handlers, call, request),
  })
  addCallRoute(app, unaryFacts(getPortfolio), edge, {
    ...PLAIN,
    url: PORTFOLIO_PATH,
    httpMethods: ['GET', 'HEAD'],
    serve: (call, request) => get(handlers, call, request),
  })
}

async function post(handlers: Handlers, call: HttpCall, { body }: FastifyRequest): Promise<void> {
  const message = readBody(updatePortfolio.input, body)
  const answer = await call.run(updatePortfolio, handlers.updatePortfolio, message)
  if (call.hasEnded) return
  const json = messageJson(updatePortfolio.output, answer)
  void call.complete().header('content-type', 'application/json').send(json)
}

async function get(handlers: Handlers, call: HttpCall, request: FastifyRequest): Promise<void> {
  const message = readQueryFields(getPortfolio.input, request.query)
  const known = message.ifNoneMatch === '' ? knownEtag(request.headers['if-none-match']) : undefined
  if (known !== undefined) message.ifNoneMatch = known
  const answer = await call.run(getPortfolio, handlers.getPortfolio, message)
  if (call.hasEnded) return
  const isKnown = known !== undefined && answer.notModified === true
  const json = isKnown ? undefined : messageJson(getPortfolio.output, answer)
  const reply = call
    .complete()
    .header('etag', `"${answer.etag}"`)
    .header('cache-control', 'private, no-cache')
    .header('vary', 'portfolio-reporting-currency')
  if (isKnown) void reply.code(304).send()
  else void reply.header('content-type', 'application/json').send(json)
}

/** The etag of a conditional request. One that is none of ours, or one of several, is answered in full. */
function knownEtag(header: string | undefined): string | undefined {
  const etag = header?.trim().replace(/^W\//, '')
  return etag !== undefined && parseEtag(etag) !== undefined ? etag : undefined
}
