import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import { foldDue, recountsCash, staleInstruments } from '../../domain/portfolio/linked-fold.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { ActionTable, Clock, PortfolioStore } from '../ports.ts'

/** Of a state nothing changes: what was folded for it serves each read until the next action. */
const folded = new WeakMap<
  PortfolioState,
  { readonly due: DueActions; readonly state: Promise<PortfolioState> }
>()

/**
 * The store; what is read has the corporate actions folded in that are in force. A state that has them already costs
 * one comparison for each instrument held, any other a look at the ledgers concerned, once.
 */
export function foldingStore(
  store: PortfolioStore,
  { clock, actions }: { readonly clock: Clock; readonly actions: ActionTable },
): PortfolioStore {
  return {
    ...store,
    read: async (userId, call, tolerance) => {
      const found = await store.read(userId, call, tolerance)
      const due = actions.current.dueAt(clock.now())
      if (found === undefined || due.isEmpty) return found
      const { state } = found
      const known = folded.get(state)
      if (known?.due === due) return { ...found, state: await known.state }
      const stale = staleInstruments(state, due)
      if (stale.size === 0) return found
      const folding = fold(store, state, { stale, due })
      folded.set(state, { due, state: folding })
      folding.catch(() => folded.delete(state))
      return { ...found, state: await folding }
    },
  }
}

async function fold(
  store: PortfolioStore,
  state: PortfolioState,
  { stale, due }: { readonly stale: ReadonlySet<string>; readonly due: DueActions },
): Promise<PortfolioState> {
  const { userId, version } = state
  const filters = recountsCash(state, [], { refolded: stale, due })
    ? [{ versionUntil: version }]
    : [...stale].map((instrumentId) => ({ versionUntil: version, instrumentId }))
  const ledgers = await Promise.all(filters.map((filter) => store.ledger(userId, filter)))
  return foldDue(state, { stale, ledger: ledgers.flat() }, due)
}
