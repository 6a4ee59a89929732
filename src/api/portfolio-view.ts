import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PortfolioView } from '../app/portfolio/portfolio-view.ts'
import { detailOf } from '../domain/portfolio/detail.ts'
import { type Summary, summaryOf } from '../domain/portfolio/summary.ts'
import type { GetPortfolioResponseSchema } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { PortfolioUpdateResponse_PortfolioSummarySchema as SummarySchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { timestampOf } from './instant.ts'
import { presentDetail } from './portfolio-detail.ts'

export function presentView(
  view: PortfolioView,
): MessageInitShape<typeof GetPortfolioResponseSchema> {
  const message: MessageInitShape<typeof GetPortfolioResponseSchema> = {
    etag: view.etag,
    notModified: view.notModified,
    servedFromCache: view.cached,
    computedAt: timestampOf(view.computedAt),
    expiresAt: timestampOf(view.expiresAt),
  }
  if (!view.notModified) {
    message.portfolio = presentSummary(summaryOf(view.valuation))
    const { userId, version, recordedUntil } = view
    const at = view.at ?? view.computedAt
    const facts = { userId, version, at, recordedUntil }
    message.detail = presentDetail(detailOf(view.valuation, view.effects), facts)
  }
  return message
}

export function presentSummary(summary: Summary): MessageInitShape<typeof SummarySchema> {
  return {
    totalValue: summary.totalValue,
    totalProfitLoss: summary.totalProfitLoss,
    performancePercentage: summary.performancePercentage,
    assets: [...summary.assets],
  }
}
