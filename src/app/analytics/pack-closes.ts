import type { AnalyticsStore } from '../analytics-ports.ts'
import type { Clock, Leases } from '../ports.ts'

/** Longer than the time between passes, and than packing some instruments takes. */
const LEASE_MICROSECONDS = 180_000_000

/** One pass that packs the closes of ended months, by one replica at a time; `holder` names this one. */
export async function packCloses(
  ports: {
    readonly clock: Clock
    readonly store: Pick<AnalyticsStore, 'packCloses'>
    readonly leases: Leases
  },
  holder: string,
): Promise<void> {
  const { clock, store, leases } = ports
  for (;;) {
    const now = clock.now()
    if (!(await leases.claim('pack-closes', holder, now, now + LEASE_MICROSECONDS))) return
    if ((await store.packCloses(now)) === 0) return
  }
}
