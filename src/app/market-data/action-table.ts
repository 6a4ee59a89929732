import { CorporateActions } from '../../domain/market-data/corporate-actions.ts'
import type { ActionTable, CorporateActionStore } from '../ports.ts'

/** An empty table. Older news are no news. */
export function createActionTable(): ActionTable {
  let current = CorporateActions.none
  const followers = new Set<() => void>()
  return {
    get current() {
      return current
    },
    publish({ actions, epoch }) {
      if (epoch <= current.epoch) return
      current = current.with(actions, epoch)
      for (const tell of followers) tell()
    },
    follow(listener) {
      // Of its own, so that one listener may follow twice.
      const follower = (): void => listener()
      followers.add(follower)
      return () => followers.delete(follower)
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
