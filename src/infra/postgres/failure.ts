import { CommitOutcomeUnknown, isConnectionLoss, sqlState } from './database.ts'

/**
 * What a failed transaction means for its batch: `unknown` = it may have committed; `transient` = the same again may
 * succeed; `poison` = some request of it will always fail, so the batch is to be halved.
 */
export type Failure = 'unknown' | 'transient' | 'poison'

/** Serialization and deadlock (40), lock not available (55), operator intervention (57), resources (53). */
const TRANSIENT = /^(40|53|55|57)/

export function classifyFailure(error: unknown): Failure {
  if (error instanceof CommitOutcomeUnknown) return 'unknown'
  if (isConnectionLoss(error)) return 'transient'
  return TRANSIENT.test(sqlState(error) ?? '') ? 'transient' : 'poison'
}
