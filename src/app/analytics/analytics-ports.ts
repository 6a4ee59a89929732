import type { AnalysisPool, AnalyticsStore } from '../analytics-ports.ts'
import type { ActionTable, Clock, InstrumentTable } from '../ports.ts'
import type { LedgerCache } from './ledger-cache.ts'
import type { ResidentPrices } from './resident-prices.ts'

export interface AnalyticsPorts {
  readonly clock: Clock
  readonly store: AnalyticsStore
  readonly instruments: InstrumentTable
  readonly actions: ActionTable
  readonly pool: AnalysisPool
  readonly prices: ResidentPrices
  readonly ledgers: LedgerCache
  /** Per year, as a fraction. */
  readonly riskFreeRate: number
}
