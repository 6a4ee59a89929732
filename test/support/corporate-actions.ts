import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  MarketDataService,
  type RecordCorporateActionRequestSchema,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import type { ApiClient } from './client.ts'

export type SentAction = MessageInitShape<typeof RecordCorporateActionRequestSchema>

/** Records an action, and gives its id. */
export async function act(client: ApiClient, sent: SentAction): Promise<string> {
  const { recordCorporateAction } = MarketDataService.method
  return (await client.unary(recordCorporateAction, sent)).message.corporateActionId
}

/** Four new units for one old, where nothing else is said. */
export function splitOn(
  instrumentId: string,
  exDate: string,
  value = { numerator: 4n, denominator: 1n },
): SentAction {
  return { instrumentId, exDate, action: { case: 'split', value } }
}
