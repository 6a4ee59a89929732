import type { ActionRequest } from '../ports.ts'
import { refreshActions } from './action-table.ts'
import type { ActionPorts } from './record-corporate-action.ts'
import { restoreSymbol } from './rename-instrument.ts'

/**
 * Takes a corporate action back by a record of its own: no holding has it folded in from now on.
 * @throws PortfolioError ACTION_NOT_FOUND, ALREADY_REVERSED, IDEMPOTENCY_KEY_REUSED.
 */
export async function reverseCorporateAction(
  ports: ActionPorts,
  { actionId, reason, request }: { actionId: number; reason: string; request: ActionRequest },
): Promise<void> {
  await ports.actionStore.reverse(actionId, reason, request, ports.clock.now())
  await refreshActions(ports)
  const action = ports.actions.current.all().find((one) => one.actionId === actionId)
  if (action?.terms.kind === 'SYMBOL_CHANGE') {
    await restoreSymbol(ports, action.instrumentId, action.terms, action.exDay)
  }
  ports.announce()
}
