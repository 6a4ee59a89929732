import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { ChangeLog, Clock, Leases } from '../ports.ts'

/** How long a stream that was left can be gone on with. */
const CHANGE_AGE_MAX_MICROSECONDS = MICROSECONDS_PER_DAY
/** Longer than the time between passes: the replica that has the lease keeps it. */
const LEASE_MICROSECONDS = 180_000_000

/** One pass that forgets old changes, by one replica at a time; `holder` names this one. */
export async function expireChanges(
  ports: { readonly clock: Clock; readonly changeLog: ChangeLog; readonly leases: Leases },
  holder: string,
): Promise<void> {
  const now = ports.clock.now()
  if (await ports.leases.claim('expire-changes', holder, now, now + LEASE_MICROSECONDS)) {
    await ports.changeLog.expire(now - CHANGE_AGE_MAX_MICROSECONDS)
  }
}
