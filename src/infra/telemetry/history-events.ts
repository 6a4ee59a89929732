import type { Meter } from '@opentelemetry/api'
import type { HistoryTelemetry } from '../../app/history-store.ts'
import type { Logger } from './logger.ts'

/** The kept history; what is left to do is told by the replica that keeps it, the others say 0. */
export function createHistoryEvents(meter: Meter, logger: Logger): HistoryTelemetry {
  const leased = meter.createGauge('portfolio_history_lease_held', {
    description: '1 on the replica that keeps the valuations of past days',
  })
  const rows = meter.createCounter('portfolio_history_rows_total', {
    description: 'Valuations of past days that were written',
  })
  const users = meter.createGauge('portfolio_history_users_behind', {
    description: 'Portfolios whose kept valuations are behind',
  })
  const days = meter.createGauge('portfolio_history_days_behind', {
    description: 'Days that are missing or outdated, of the portfolio that has most',
  })
  const failures = meter.createCounter('portfolio_history_failures_total', {
    description: 'Portfolios whose valuations could not be kept, by why; each is tried again later',
  })
  return {
    historyLeased: (isHeld) => leased.record(isHeld ? 1 : 0),
    historyKept: (written) => {
      if (written > 0) rows.add(written)
    },
    historyLag: (behind, missing) => {
      users.record(behind)
      days.record(missing)
    },
    historyFailed: (userId, reason, error) => {
      failures.add(1, { reason })
      logger.warn({ userId, reason, err: error }, 'the history of a portfolio could not be kept')
    },
  }
}
