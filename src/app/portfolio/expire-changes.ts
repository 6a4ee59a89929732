import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { ChangeLog, Clock, Leases } from '../ports.ts'

/** How long a stream that was left can be gone on with. */
const CHANGE_AGE_MAX_MICROSECONDS = MICROSECONDS_PER_DAY
/** Longer than the time between passes: the replica that has the lease keeps it. */
const LEASE_MS = 180_000

/** One pass that forgets old changes, by one replica at a time; `holder` names this one. */
export async function expireChanges(
  ports: { readonly clock: Clock; readonly changeLog: ChangeLog; readonly leases: Leases },
  holder: string,
): Promise<void> {
  const { clock, changeLog, leases } = ports
  if ((await leases.claim('expire-changes', holder, LEASE_MS)) === undefined) return
  await changeLog.expire(clock.now() - CHANGE_AGE_MAX_MICROSECONDS)
}
