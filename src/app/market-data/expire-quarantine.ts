import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { Clock, Leases, QuoteStore } from '../ports.ts'

/** Longer than the time between passes: the replica that has the lease keeps it. */
const LEASE_MS = 3 * 3_600_000

/** One pass that forgets what was quarantined long ago, by one replica at a time; `holder` names this one. */
export async function expireQuarantine(
  ports: { readonly clock: Clock; readonly quoteStore: QuoteStore; readonly leases: Leases },
  retentionDays: number,
  holder: string,
): Promise<void> {
  const { clock, quoteStore, leases } = ports
  if ((await leases.claim('expire-quarantine', holder, LEASE_MS)) === undefined) return
  await quoteStore.expireHeld(clock.now() - retentionDays * MICROSECONDS_PER_DAY)
}
