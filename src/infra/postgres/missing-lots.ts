import type { Transaction } from 'kysely'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import { lotsMissing, readLots } from './batch-read.ts'
import { withLots } from './portfolio-rows.ts'
import type { Schema } from './schema.ts'

/** The states with the open lots of the instruments that are to be folded anew. */
export async function readMissingLots(
  transaction: Transaction<Schema>,
  asked: readonly {
    readonly userId: string
    readonly state: PortfolioState
    readonly instrumentIds: readonly string[]
  }[],
): Promise<ReadonlyMap<string, PortfolioState>> {
  const missing = asked.flatMap(({ userId, state, instrumentIds }) => {
    const lotless = instrumentIds.filter((instrumentId) => lotsMissing(state, instrumentId))
    return lotless.length === 0 ? [] : [{ userId, state, instrumentIds: lotless }]
  })
  if (missing.length === 0) return new Map()
  const lots = await readLots(transaction, missing)
  return new Map(
    missing.map(({ userId, state, instrumentIds }) => [
      userId,
      withLots(state, instrumentIds, lots.get(userId) ?? []),
    ]),
  )
}
