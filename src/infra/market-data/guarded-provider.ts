import {
  circuitBreaker,
  ConsecutiveBreaker,
  handleAll,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel'
import type { ProviderTelemetry, QuoteProvider } from '../../app/ports.ts'

export interface GuardTimes {
  /** A provider that takes longer has failed. */
  readonly timeoutMs: number
  /** How long it rests before it is tried once more. */
  readonly restMs: number
}

const FAILURES_MAX = 5
export const GUARD_TIMES: GuardTimes = { timeoutMs: 2_000, restMs: 2_000 }

/** What a provider does with the end of its time: `signal` says that nobody waits any more. */
export interface OpenProvider {
  readonly name: string
  fetch(symbols: readonly string[], signal: AbortSignal): ReturnType<QuoteProvider['fetch']>
  close?(): void
}

/**
 * A provider that is given up after its time and, after failing five times in a row, is left alone for a while; then
 * one request tries it. What was not sent for that reason fails at once.
 */
export function guardedProvider(
  provider: OpenProvider,
  telemetry: ProviderTelemetry,
  { timeoutMs, restMs }: GuardTimes = GUARD_TIMES,
): QuoteProvider {
  const breaker = circuitBreaker(handleAll, {
    breaker: new ConsecutiveBreaker(FAILURES_MAX),
    halfOpenAfter: restMs,
  })
  breaker.onBreak(() => telemetry.providerLost(provider.name))
  breaker.onReset(() => telemetry.providerAvailable(provider.name))
  // Outside the provider's own hands: one that passes the signal by is given up too.
  const policy = wrap(breaker, timeout(timeoutMs, TimeoutStrategy.Aggressive))
  return {
    name: provider.name,
    fetch: (symbols) => policy.execute(({ signal }) => provider.fetch(symbols, signal)),
  }
}
