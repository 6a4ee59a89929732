import {
  type ActedLedger,
  foldActions,
  type KnownActions,
  needsExactFold,
} from '../../domain/analytics/fold-actions.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import { foldEntries } from '../../domain/portfolio/action-fold.ts'
import { withFittingActions } from '../../domain/portfolio/fitting-actions.ts'
import { rulesOfThePast } from '../../domain/portfolio/past-fold.ts'
import { activeEntries } from '../../domain/portfolio/reversals.ts'
import type { Instant } from '../../domain/time.ts'
import type { Clock, PortfolioStore } from '../ports.ts'

export interface ActionPorts {
  readonly clock: Clock
  readonly portfolios: Pick<PortfolioStore, 'ledger'>
}

/** Of a ledger nothing changes: what was folded into it serves until the next action. */
const acted = new WeakMap<PackedLedger, KnownActions & { readonly ledger: Promise<ActedLedger> }>()

/**
 * A ledger with its corporate actions in it, as a read of a past moment has them: what was recorded or taken back that
 * does not go with it is left out, and named.
 */
export async function actedLedger(
  ports: ActionPorts,
  ledger: PackedLedger,
  { known, recordedUntil }: { known: KnownActions; recordedUntil: Instant | undefined },
): Promise<ActedLedger> {
  const kept = acted.get(ledger)
  if (kept?.actions === known.actions && kept.due === known.due) return kept.ledger
  const folding = fold(ports, ledger, { known, recordedUntil })
  acted.set(ledger, { ...known, ledger: folding })
  folding.catch(() => acted.delete(ledger))
  return folding
}

/** Numbers tell nearly always; else the entries themselves have to be looked at. */
async function fold(
  { portfolios }: ActionPorts,
  ledger: PackedLedger,
  { known, recordedUntil }: { known: KnownActions; recordedUntil: Instant | undefined },
): Promise<ActedLedger> {
  if (!needsExactFold(ledger, known.due)) return foldActions(ledger, known)
  const { userId, version, lotMethod, baseCurrency } = ledger
  const entries = await portfolios.ledger(userId, {
    versionUntil: version,
    ...(recordedUntil !== undefined && { recordedUntil }),
  })
  const active = activeEntries(entries)
  const rules = rulesOfThePast({ lotMethod, baseCurrency, allowShort: true })
  const { fitting, leftOut } = withFittingActions(known.due, (due) =>
    foldEntries(active, rules, due),
  )
  return foldActions(ledger, known, { fitting, leftOut })
}
