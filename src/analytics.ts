import { randomUUID } from 'node:crypto'
import { analyticsHandlers } from './api/analytics.ts'
import { reportHandler } from './api/http-report.ts'
import type { LastGood } from './app/analytics/analyze-portfolios.ts'
import {
  type HistoryPorts,
  HistoryKeeper,
  type HistoryTerms,
} from './app/analytics/keep-history.ts'
import { LedgerCache } from './app/analytics/ledger-cache.ts'
import { packCloses } from './app/analytics/pack-closes.ts'
import { ResidentPrices } from './app/analytics/resident-prices.ts'
import type { ActionTable, Clock, InstrumentTable, Telemetry } from './app/ports.ts'
import type { StartPass } from './background-pass.ts'
import type { Config } from './config.ts'
import type { Postgres } from './infra/postgres/postgres.ts'
import { openAnalysisPool } from './infra/workers/analysis-pool.ts'
import { cpuLimit } from './infra/workers/cpu-limit.ts'

/** Some kilobytes each. */
const LAST_GOOD_MAX = 10_000
/** Closes are packed a month at a time, and again when one of before comes in. */
const PACKING_MS = 60_000

type KeepingPorts = Pick<
  HistoryPorts,
  'historyStore' | 'instrumentStore' | 'actionStore' | 'telemetry'
>

/** The part of the composition root that analyses: threads, closes in memory, and the handlers over them. */
export function openAnalytics(
  config: Pick<Config, 'analysisThreads' | 'quoteRefreshMs' | 'riskFree'>,
  ports: {
    readonly clock: Clock
    readonly postgres: Pick<Postgres, 'analyticsStore' | 'portfolios' | 'leases' | 'quoteStore'>
    readonly telemetry: Telemetry
    readonly instruments: InstrumentTable
    readonly actions: ActionTable
    readonly worker: URL | undefined
    readonly startPass: StartPass
  },
) {
  const { worker, telemetry, startPass, postgres } = ports
  const context = { ...ports, ...postgres, store: postgres.analyticsStore }
  const pool = openAnalysisPool({
    threads: config.analysisThreads ?? cpuLimit(),
    ...(worker && { entry: worker }),
    onFailure: (error) => telemetry.backgroundFailed('analysis-pool', error),
  })
  const prices = new ResidentPrices(context)
  const shared = { ...context, pool, prices }
  const analyzing = {
    ...shared,
    ledgers: new LedgerCache(),
    riskFree: config.riskFree,
    lastGood: lastGood(),
  }
  startPass('close-refresh', config.quoteRefreshMs, () => prices.refresh())
  const replica = randomUUID()
  startPass('close-packing', PACKING_MS, (signal) => packCloses(context, replica, signal))
  return {
    handlers: { analytics: analyticsHandlers(analyzing), report: reportHandler(analyzing) },
    historyKeeper: (keeping: KeepingPorts, terms: HistoryTerms) =>
      new HistoryKeeper({ ...shared, ...keeping }, terms),
    markStale: () => prices.markStale(),
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
