import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { Clock, Leases, QuoteStore } from '../ports.ts'

/** Longer than the time between passes: the replica that has the lease keeps it. */
const LEASE_MICROSECONDS = MICROSECONDS_PER_DAY / 8

/** One pass that forgets what was quarantined long ago, by one replica at a time; `holder` names this one. */
export async function expireQuarantine(
  ports: { readonly clock: Clock; readonly quoteStore: QuoteStore; readonly leases: Leases },
  retentionDays: number,
  holder: string,
): Promise<void> {
  const now = ports.clock.now()
  if (await ports.leases.claim('expire-quarantine', holder, now, now + LEASE_MICROSECONDS)) {
    await ports.quoteStore.expireHeld(now - retentionDays * MICROSECONDS_PER_DAY)
  }
}
