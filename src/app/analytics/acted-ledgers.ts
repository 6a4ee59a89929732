import {
  type ActedLedger,
  foldActions,
  type KnownActions,
  needsExactFold,
} from '../../domain/analytics/fold-actions.ts'
import type { PackedLedger } from '../../domain/analytics/ledger-numbers.ts'
import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import { foldsAlone } from '../../domain/portfolio/linked-fold.ts'
import { rulesOfThePast } from '../../domain/portfolio/past-fold.ts'
import type { Instant } from '../../domain/time.ts'
import type { Clock, PortfolioStore } from '../ports.ts'

export interface ActionPorts {
  readonly clock: Clock
  readonly portfolios: Pick<PortfolioStore, 'ledger'>
}

/** Of a ledger nothing changes: what was folded into it serves until the next action. */
const acted = new WeakMap<PackedLedger, KnownActions & { readonly ledger: Promise<ActedLedger> }>()

/**
 * A ledger with its corporate actions in it, as a read of a past moment has them: where what was recorded does not go
 * with them, none is in it and all are named.
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
  ports: ActionPorts,
  ledger: PackedLedger,
  { known, recordedUntil }: { known: KnownActions; recordedUntil: Instant | undefined },
): Promise<ActedLedger> {
  const isLeftOut =
    needsExactFold(ledger, known.due) && !(await goesWith(ports, ledger, known.due, recordedUntil))
  return foldActions(ledger, known, isLeftOut)
}

async function goesWith(
  { portfolios }: ActionPorts,
  { userId, version, lotMethod, baseCurrency }: PackedLedger,
  due: DueActions,
  recordedUntil: Instant | undefined,
): Promise<boolean> {
  const entries = await portfolios.ledger(userId, {
    versionUntil: version,
    ...(recordedUntil !== undefined && { recordedUntil }),
  })
  const rules = rulesOfThePast({ lotMethod, baseCurrency, allowShort: true })
  return foldsAlone(entries, rules, due)
}
