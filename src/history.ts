import { randomUUID } from 'node:crypto'
import type { openAnalytics } from './analytics.ts'
import type { HistoryTelemetry } from './app/history-store.ts'
import type { Telemetry } from './app/ports.ts'
import type { StartPass } from './background-pass.ts'
import type { Config } from './config.ts'
import type { Postgres } from './infra/postgres/postgres.ts'
import type { Opened } from './opened.ts'

/**
 * The replica that has the lease keeps it from pass to pass; one that dies loses it after so much longer. A job that
 * hangs, 10 s, and what follows it until the next sign of life fit in.
 */
const LEASE_SLACK_MS = 15_000

/** Keeps the valuations of past days from now on, until it is closed; one replica at a time does it. */
export function startHistory(
  { historyRefreshMs: intervalMs }: Pick<Config, 'historyRefreshMs'>,
  ports: {
    readonly analytics: ReturnType<typeof openAnalytics>
    readonly postgres: Postgres
    readonly telemetry: HistoryTelemetry & Pick<Telemetry, 'backgroundFailed'>
    readonly startPass: StartPass
    readonly opened: Opened
  },
): void {
  if (intervalMs === undefined) return
  const { analytics, postgres, telemetry, startPass, opened } = ports
  const keeper = analytics.historyKeeper(
    { ...postgres, telemetry },
    { holder: randomUUID(), leaseMs: intervalMs + LEASE_SLACK_MS },
  )
  // In reverse: the pass ends, and then somebody else may go on; at the latest when the lease ends.
  opened.add(() =>
    keeper
      .release()
      .catch((error: unknown) => telemetry.backgroundFailed('valuation-history', error)),
  )
  const passes = startPass('valuation-history', intervalMs, async (signal) => {
    if (await keeper.pass(signal)) passes.wake()
  })
}
