import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PortfolioUpdateRequest_PortfolioTransactionSchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'

/** A transaction as a client writes it. */
export type Transaction = MessageInitShape<typeof PortfolioUpdateRequest_PortfolioTransactionSchema>

/** BUY 10 AAPL at 100, where nothing else is said. */
export function buy(facts: Transaction = {}): Transaction {
  return { symbol: 'AAPL', quantity: 10, price: 100, ...facts }
}

let users = 0

/** A user of whom nothing is known yet. */
export function newUser(): string {
  return `user-${(users += 1)}`
}
