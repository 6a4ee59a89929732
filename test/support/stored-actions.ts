import { randomUUID } from 'node:crypto'
import { refreshActions } from '../../src/app/market-data/action-table.ts'
import type { ActionTerms } from '../../src/domain/market-data/corporate-action.ts'
import type { Instant } from '../../src/domain/time.ts'
import type { TestStore } from './store.ts'

/** Records an action as a request that no other one is, lets the store learn of it, and gives its id. */
export async function act(
  store: TestStore,
  instrumentId: string,
  effectiveAt: Instant,
  terms: ActionTerms,
): Promise<number> {
  const request = { caller: '', requestId: randomUUID(), contentHash: new Uint8Array(32) }
  const target = 'newInstrumentId' in terms && { targetId: terms.newInstrumentId }
  const action = { instrumentId, exDay: '2020-01-01', effectiveAt, terms, ...target }
  const { actionId } = await store.postgres.actionStore.record(action, request, store.clock.now())
  await learnActions(store)
  return actionId
}

/** Brings the store's own table of actions up to date. */
export function learnActions({ postgres, actions }: TestStore): Promise<void> {
  return refreshActions({ actionStore: postgres.actionStore, actions })
}
