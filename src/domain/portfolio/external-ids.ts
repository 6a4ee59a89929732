import { createHash } from 'node:crypto'
import { decimalText } from '../decimal.ts'
import type { Instant } from '../time.ts'
import { termsText } from './terms-text.ts'
import type { TransactionDraft } from './transaction.ts'

/** A transaction recorded earlier under a source's id. */
export interface RecordedExternalId {
  readonly sequence: number
  readonly contentHash: Uint8Array
}

/** Recorded ids by {@link externalIdKey}. */
export type RecordedExternalIds = ReadonlyMap<string, RecordedExternalId>

/** A source's id is unique for the user and the source. */
export function externalIdKey(source: string, externalId: string): string {
  return `${source.length}:${source}${externalId}`
}

/** Equal for two transactions that say the same; a time that the server set says nothing. */
export function contentHash(
  draft: TransactionDraft & { readonly recordedAt?: Instant },
): Uint8Array {
  const { type, instrumentId, accountId, quantity, price, terms, effectiveAt, recordedAt } = draft
  const said = effectiveAt === recordedAt ? null : effectiveAt
  const fields = [type, instrumentId, accountId, decimalText(quantity), decimalText(price), said]
  return createHash('sha256')
    .update(JSON.stringify([...fields, terms && termsText(terms)]))
    .digest()
}
