import type { AnalyticsStore } from '../analytics-store.ts'
import type { Clock, Leases } from '../ports.ts'

/** Longer than the time between passes, and than packing some instruments takes. */
const LEASE_MS = 180_000

/**
 * One pass that packs the closes of ended months, by one replica at a time; `holder` names this one. With a new month
 * there is much to pack: it ends early, some instruments at a time, when the signal says so.
 */
export async function packCloses(
  ports: {
    readonly clock: Clock
    readonly store: Pick<AnalyticsStore, 'packCloses'>
    readonly leases: Leases
  },
  holder: string,
  signal: AbortSignal,
): Promise<void> {
  const { clock, store, leases } = ports
  while (!signal.aborted) {
    if ((await leases.claim('pack-closes', holder, LEASE_MS)) === undefined) return
    if ((await store.packCloses(clock.now())) === 0) return
  }
}
