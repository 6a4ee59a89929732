import type { Meter } from '@opentelemetry/api'
import type { CacheTelemetry, ProviderTelemetry, Telemetry } from '../../app/ports.ts'
import type { HistoryTelemetry } from '../../app/history-store.ts'
import { createHistoryEvents } from './history-events.ts'
import type { Logger } from './logger.ts'

const RPC_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120,
]
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** Everything that is counted and measured. Labels are few-valued: no ids, no symbols, no users. */
export function createEvents(
  meter: Meter,
  logger: Logger,
): Omit<Telemetry, 'startCall'> & CacheTelemetry & ProviderTelemetry & HistoryTelemetry {
  const calls = meter.createHistogram('portfolio_rpc_duration_seconds', {
    description: 'Time from the arrival of a call to its answer; its count is that of the calls',
    advice: { explicitBucketBoundaries: RPC_SECONDS },
  })
  const commits = meter.createHistogram('portfolio_commit_duration_seconds', {
    description: 'Time of a database transaction that committed a batch of requests',
    advice: { explicitBucketBoundaries: COMMIT_SECONDS },
  })
  const batchSizes = meter.createHistogram('portfolio_commit_batch_size', {
    description: 'Requests that shared a database transaction',
    advice: { explicitBucketBoundaries: BATCH_SIZES },
  })
  const batchFailures = meter.createCounter('portfolio_commit_failures_total', {
    description: 'Database transactions that failed, by what was done about it',
  })
  const quotes = meter.createCounter('portfolio_quotes_total', {
    description: 'Quotes received, by what became of them',
  })
  const backgroundFailures = meter.createCounter('portfolio_background_failures_total', {
    description: 'Background passes that failed; each is tried again at its next time',
  })
  return {
    ...createCacheEvents(meter, logger),
    ...createProviderEvents(meter, logger),
    ...createHistoryEvents(meter, logger),
    callEnded: (method, code, durationMs) => {
      calls.record(durationMs / 1_000, { method, code })
    },
    batchCommitted: (size, durationMs) => {
      commits.record(durationMs / 1_000)
      batchSizes.record(size)
    },
    batchFailed: (reason) => {
      batchFailures.add(1, { reason })
    },
    quotesIngested: (accepted, quarantined) => {
      if (accepted > 0) quotes.add(accepted, { outcome: 'accepted' })
      if (quarantined > 0) quotes.add(quarantined, { outcome: 'quarantined' })
    },
    backgroundFailed: (pass, error) => {
      backgroundFailures.add(1, { pass })
      logger.warn({ pass, err: error }, 'a background pass failed')
    },
  }
}

function createCacheEvents(meter: Meter, logger: Logger): CacheTelemetry {
  const stateReads = meter.createCounter('portfolio_state_reads_total', {
    description: 'Portfolios read, by where their positions came from',
  })
  const failures = meter.createCounter('portfolio_shared_cache_failures_total', {
    description: 'Failures of the cache that replicas share, by what was asked of it',
  })
  return {
    stateRead: (source) => {
      stateReads.add(1, { source })
    },
    sharedCacheFailed: (operation, reason) => {
      failures.add(1, { operation })
      logger.debug({ operation, reason }, 'the shared cache failed')
    },
    sharedCacheLost: (reason) => {
      logger.warn({ reason }, 'the shared cache does not answer: reads pass it by')
    },
    sharedCacheAvailable: () => {
      logger.info('the shared cache answers')
    },
  }
}

function createProviderEvents(meter: Meter, logger: Logger): ProviderTelemetry {
  const requests = meter.createCounter('portfolio_provider_requests_total', {
    description: 'Requests to providers of prices, by what became of them',
  })
  return {
    providerAnswered: (provider) => {
      requests.add(1, { provider, outcome: 'answered' })
    },
    providerFailed: (provider, error) => {
      requests.add(1, { provider, outcome: 'failed' })
      logger.debug({ provider, err: error }, 'a provider of prices failed')
    },
    providerLost: (provider) => {
      logger.warn({ provider }, 'a provider of prices does not answer: it is passed by')
    },
    providerAvailable: (provider) => {
      logger.info({ provider }, 'a provider of prices answers')
    },
  }
}
