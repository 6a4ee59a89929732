import { hash } from 'node:crypto'
import { decimalText } from '../decimal.ts'
import { termsText } from './terms-text.ts'
import type { LedgerEntry } from './transaction.ts'

/** Names of the encodings below: a change of one is a new name, so that old entries stay verifiable. */
const PLAIN_TAG = 'portfolio.v1.ledger/1'
const RICH_TAG = 'portfolio.v1.ledger/2'

/**
 * The hash that links a ledger entry to the one before it: SHA-256 over 0x00 and the length-prefixed fields, the
 * previous hash last. Every field has its length before it, so no two entries share an encoding; an entry with terms
 * has another tag, so that losing them is not the same entry. The order of the fields is part of the stored data.
 */
export function chainHash(userId: string, entry: LedgerEntry, previous: Uint8Array): Uint8Array {
  const fields = [
    entry.terms === undefined ? PLAIN_TAG : RICH_TAG,
    userId,
    String(entry.sequence),
    String(entry.version),
    entry.type,
    entry.instrumentId,
    entry.accountId,
    decimalText(entry.quantity),
    decimalText(entry.price),
    String(entry.effectiveAt),
    String(entry.recordedAt),
    entry.requestId,
    ...(entry.terms === undefined ? [] : [termsText(entry.terms)]),
  ]
  let text = '\0'
  for (const field of fields) text += `${Buffer.byteLength(field)}:${field}`
  const length = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(length + previous.length)
  bytes.write(text)
  bytes.set(previous, length)
  return hash('sha256', bytes, 'buffer')
}
