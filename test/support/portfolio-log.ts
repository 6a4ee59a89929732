import type { MessageInitShape } from '@bufbuild/protobuf'
import { type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt'
import {
  PortfolioService,
  type TransactionSchema,
  TransactionType,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { ApiClient } from './client.ts'

const METHODS = PortfolioService.method

type Headers = Readonly<Record<string, string>>
type Sent<Name extends keyof typeof METHODS> = MessageInitShape<(typeof METHODS)[Name]['input']>

/** The RPCs of the portfolio's log and of its settings, as a client calls them. */
export function portfolioLog(client: ApiClient) {
  return {
    record: (request: Sent<'recordTransactions'>, headers?: Headers) =>
      client.unary(METHODS.recordTransactions, request, headers),
    reverse: (request: Sent<'reverseTransaction'>, headers?: Headers) =>
      client.unary(METHODS.reverseTransaction, request, headers),
    list: (request: Sent<'listTransactions'>) => client.unary(METHODS.listTransactions, request),
    lots: (request: Sent<'listLots'>) => client.unary(METHODS.listLots, request),
    settings: (request: Sent<'getPortfolioSettings'>) =>
      client.unary(METHODS.getPortfolioSettings, request),
    changeSettings: (request: Sent<'updatePortfolioSettings'>, headers?: Headers) =>
      client.unary(METHODS.updatePortfolioSettings, request, headers),
  }
}

export type SentTransaction = MessageInitShape<typeof TransactionSchema>

/** Ten ACME at 100, but for what is said. */
export function bought(facts: SentTransaction = {}): SentTransaction {
  return { type: TransactionType.BUY, symbol: 'ACME', quantity: '10', price: '100', ...facts }
}

/** Five ACME at 150, but for what is said. */
export function sold(facts: SentTransaction = {}): SentTransaction {
  return bought({ type: TransactionType.SELL, quantity: '5', price: '150', ...facts })
}

/** The instant of an RFC 3339 text. */
export function moment(text: string): Timestamp {
  return timestampFromMs(Date.parse(text))
}
