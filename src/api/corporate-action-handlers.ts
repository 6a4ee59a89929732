import { listCorporateActions } from '../app/market-data/list-corporate-actions.ts'
import {
  type ActionPorts,
  recordCorporateAction,
} from '../app/market-data/record-corporate-action.ts'
import { reverseCorporateAction } from '../app/market-data/reverse-corporate-action.ts'
import type { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import type { HandlersOf } from './call.ts'
import {
  actionsToken,
  presentAction,
  readAction,
  readActionReversal,
  readActionsPage,
} from './corporate-actions.ts'

type Handlers = Pick<
  HandlersOf<typeof MarketDataService>,
  'recordCorporateAction' | 'reverseCorporateAction' | 'listCorporateActions'
>

/** What happens to instruments: parse, use case, present. */
export function corporateActionHandlers(ports: ActionPorts): Handlers {
  return {
    async recordCorporateAction(request, _metadata, call) {
      const command = readAction(request, call)
      const { actionId } = await recordCorporateAction(ports, command)
      return { message: { corporateActionId: String(actionId) } }
    },

    async reverseCorporateAction(request, _metadata, call) {
      const command = readActionReversal(request, call)
      await reverseCorporateAction(ports, command)
      return { message: {} }
    },

    async listCorporateActions(request) {
      const page = listCorporateActions(ports, readActionsPage(request))
      return {
        message: {
          corporateActions: page.actions.map(presentAction),
          nextPageToken: actionsToken(page.next),
        },
      }
    },
  }
}
