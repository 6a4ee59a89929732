import { randomUUID } from 'node:crypto'
import { expireQuarantine } from './app/market-data/expire-quarantine.ts'
import { expireChanges } from './app/portfolio/expire-changes.ts'
import type { Clock } from './app/ports.ts'
import type { StartPass } from './background-pass.ts'
import type { Config } from './config.ts'
import type { Postgres } from './infra/postgres/postgres.ts'

const KEY_EXPIRY_MS = 3_600_000
const CHANGE_EXPIRY_MS = 60_000
const QUARANTINE_EXPIRY_MS = 3_600_000

/** Forgets what was kept long enough. */
export function startExpiry(
  { quarantineRetentionDays }: Config,
  { postgres, clock }: { readonly postgres: Postgres; readonly clock: Clock },
  startPass: StartPass,
): void {
  const ports = { ...postgres, clock }
  const replica = randomUUID()
  startPass('key-expiry', KEY_EXPIRY_MS, () => postgres.expireKeys(clock.now()))
  startPass('change-expiry', CHANGE_EXPIRY_MS, () => expireChanges(ports, replica))
  startPass('quarantine-expiry', QUARANTINE_EXPIRY_MS, () =>
    expireQuarantine(ports, quarantineRetentionDays, replica),
  )
}
