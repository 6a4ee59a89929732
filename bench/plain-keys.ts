import { sql } from 'kysely'
import { rfc3339 } from '../src/domain/time.ts'
import type { PlainTransaction } from './plain-rows.ts'

export interface PlainKey {
  readonly userId: string
  readonly key: string
  readonly contentHash: Buffer
}

/** The stored answer of a request that was sent before with this key, in base64. */
export async function selectKey(
  transaction: PlainTransaction,
  { userId, key }: PlainKey,
): Promise<{ contentHash: Buffer; answer: string } | undefined> {
  const { rows } = await sql<{ contentHash: Buffer; answer: string }>`
    select content_hash as "contentHash", answer from request_key
    where user_id = ${userId} and caller = '' and method = 'UpdatePortfolio' and key = ${key}`.execute(
    transaction,
  )
  return rows[0]
}

export async function insertKey(
  transaction: PlainTransaction,
  { userId, key, contentHash }: PlainKey,
  answered: { version: number; answer: string; recordedAt: number },
): Promise<void> {
  await sql`
    insert into request_key (user_id, caller, method, key, content_hash, version, answer, recorded_at)
    values (${userId}, '', 'UpdatePortfolio', ${key}, ${contentHash}, ${answered.version},
      ${answered.answer}, ${rfc3339(answered.recordedAt)})`.execute(transaction)
}
