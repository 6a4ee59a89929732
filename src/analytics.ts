import { analyticsHandlers } from './api/analytics.ts'
import type { LastGood } from './app/analytics/analyze-portfolios.ts'
import {
  type HistoryPorts,
  HistoryKeeper,
  type HistoryTerms,
} from './app/analytics/keep-history.ts'
import { LedgerCache } from './app/analytics/ledger-cache.ts'
import { ResidentPrices } from './app/analytics/resident-prices.ts'
import type { AnalyticsStore } from './app/analytics-ports.ts'
import type { ActionTable, Clock, InstrumentTable, Telemetry } from './app/ports.ts'
import type { Config } from './config.ts'
import { openAnalysisPool } from './infra/workers/analysis-pool.ts'
import { cpuLimit } from './infra/workers/cpu-limit.ts'

/** Some kilobytes each. */
const LAST_GOOD_MAX = 10_000

type KeepingPorts = Pick<
  HistoryPorts,
  'historyStore' | 'fencedLeases' | 'instrumentStore' | 'actionStore' | 'telemetry'
>

/** The part of the composition root that analyses: threads, closes in memory, and the handlers over them. */
export function openAnalytics(
  config: Pick<Config, 'analysisThreads' | 'riskFreeRate'>,
  ports: {
    readonly clock: Clock
    readonly telemetry: Telemetry
    readonly store: AnalyticsStore
    readonly instruments: InstrumentTable
    readonly actions: ActionTable
    readonly worker: URL | undefined
  },
) {
  const { worker, telemetry } = ports
  const pool = openAnalysisPool({
    threads: config.analysisThreads ?? cpuLimit(),
    ...(worker && { entry: worker }),
    onFailure: (error) => telemetry.backgroundFailed('analysis-pool', error),
  })
  const prices = new ResidentPrices(ports)
  const shared = { ...ports, pool, prices }
  const handlers = analyticsHandlers({
    ...shared,
    ledgers: new LedgerCache(),
    riskFreeRate: config.riskFreeRate,
    lastGood: lastGood(),
  })
  return {
    handlers,
    historyKeeper: (keeping: KeepingPorts, terms: HistoryTerms) =>
      new HistoryKeeper({ ...shared, ...keeping }, terms),
    markStale: () => prices.markStale(),
    refresh: () => prices.refresh(),
    close: () => pool.close(),
  }
}

function lastGood(): LastGood {
  const kept = new Map<string, Parameters<LastGood['set']>[1]>()
  return {
    get: (key) => kept.get(key),
    set(key, analysis) {
      kept.delete(key)
      kept.set(key, analysis)
      const [oldest] = kept.keys()
      if (kept.size > LAST_GOOD_MAX && oldest !== undefined) kept.delete(oldest)
    },
  }
}
