import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AnalyticsPorts } from '../app/analytics/analytics-ports.ts'
import { tearSheet } from '../app/analytics/tear-sheet.ts'
import type { CallContext } from '../app/ports.ts'
import { readFacts } from './call.ts'
import { addCallRoute, type HttpCall } from './http-call.ts'
import { PLAIN } from './http-portfolio.ts'
import { readReport } from './report-request.ts'
import type { Edge } from './served-call.ts'
import { PAGE_POLICY, tearSheetPage } from './tear-sheet/page.ts'

export const REPORT_PATH = '/report'

/** Answers the page of a report for the parameters of a request. @throws PortfolioError. */
export type ReportHandler = (query: unknown, call: CallContext) => Promise<string>

/** The report of a portfolio: parse, use case, present. */
export function reportHandler(ports: AnalyticsPorts): ReportHandler {
  return async (query, call) => tearSheetPage(await tearSheet(ports, readReport(query), call))
}

/** Serves `GET /report`. */
export function serveReport(app: FastifyInstance, handler: ReportHandler, edge: Edge): void {
  addCallRoute(app, readFacts('http/report'), edge, {
    ...PLAIN,
    url: REPORT_PATH,
    httpMethods: ['GET', 'HEAD'],
    serve: (call, request) => get(handler, call, request),
  })
}

async function get(handler: ReportHandler, call: HttpCall, request: FastifyRequest): Promise<void> {
  const page = await handler(request.query, call)
  if (call.hasEnded) return
  void call
    .complete()
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', `${PAGE_POLICY}; frame-ancestors 'none'`)
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'private, no-store')
    .send(page)
}
