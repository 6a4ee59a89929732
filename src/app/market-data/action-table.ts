import { CorporateActions } from '../../domain/market-data/corporate-actions.ts'
import type { ActionTable, CorporateActionStore } from '../ports.ts'

/** An empty table. Older news are no news. */
export function createActionTable(): ActionTable {
  let current = CorporateActions.none
  return {
    get current() {
      return current
    },
    publish({ actions, epoch }) {
      if (epoch > current.epoch) current = current.with(actions, epoch)
    },
  }
}

/** Takes in the corporate actions that any replica recorded or reversed since this one looked last. */
export async function refreshActions(ports: {
  readonly actionStore: CorporateActionStore
  readonly actions: ActionTable
}): Promise<void> {
  ports.actions.publish(await ports.actionStore.readSince(ports.actions.current.epoch))
}
