import type { RiskFreeRates } from '../../domain/analytics/risk-free-rates.ts'
import type { AnalysisPool, AnalyticsStore } from '../analytics-ports.ts'
import type { ActionTable, Clock, InstrumentTable, PortfolioStore } from '../ports.ts'
import type { LedgerCache } from './ledger-cache.ts'
import type { ResidentPrices } from './resident-prices.ts'

export interface AnalyticsPorts {
  readonly clock: Clock
  readonly store: AnalyticsStore
  readonly instruments: InstrumentTable
  readonly actions: ActionTable
  /** What no numbers tell. */
  readonly portfolios: Pick<PortfolioStore, 'ledger'>
  readonly pool: AnalysisPool
  readonly prices: ResidentPrices
  readonly ledgers: LedgerCache
  readonly riskFree: RiskFreeRates
}
