import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PortfolioView, ViewFacts } from '../app/portfolio/portfolio-view.ts'
import { detailOf } from '../domain/portfolio/detail.ts'
import { type Summary, summaryOf } from '../domain/portfolio/summary.ts'
import type { GetPortfolioResponseSchema } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { PortfolioUpdateResponse_PortfolioSummarySchema as SummarySchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { timestampOf } from './instant.ts'
import { type DetailFacts, presentDetail } from './portfolio-detail.ts'

export function presentView(
  view: PortfolioView,
): MessageInitShape<typeof GetPortfolioResponseSchema> {
  const detail = detailOf(view.valuation, view.effects)
  return {
    ...presentViewFacts(view),
    portfolio: presentSummary(summaryOf(view.valuation)),
    detail: presentDetail(detail, detailFactsOf(view)),
  }
}

/** All that an answer says when nothing was modified. */
export function presentViewFacts(view: ViewFacts) {
  return {
    etag: view.etag,
    notModified: view.notModified,
    servedFromCache: view.cached,
    computedAt: timestampOf(view.computedAt),
    expiresAt: timestampOf(view.expiresAt),
  }
}

export function detailFactsOf(view: PortfolioView): DetailFacts {
  const { userId, version, at = view.computedAt, recordedUntil } = view
  return { userId, version, at, recordedUntil }
}

export function presentSummary(summary: Summary): MessageInitShape<typeof SummarySchema> {
  return {
    totalValue: summary.totalValue,
    totalProfitLoss: summary.totalProfitLoss,
    performancePercentage: summary.performancePercentage,
    assets: [...summary.assets],
  }
}
