import { type Selectable, sql, type Transaction } from 'kysely'
import type { ActionNews, CorporateActionStore } from '../../app/ports.ts'
import { PortfolioError } from '../../domain/errors.ts'
import type { CorporateAction } from '../../domain/market-data/corporate-action.ts'
import { termsOfText, termsText } from '../../domain/market-data/corporate-action-text.ts'
import type { Instant } from '../../domain/time.ts'
import { type Database, timestampText } from './database.ts'
import type { CorporateActionTable, Schema } from './schema.ts'

type Row = Selectable<CorporateActionTable>

/** Corporate actions by revision. Changes are made one at a time; no row of a user is read or written. */
export function openCorporateActionStore(database: Database): CorporateActionStore {
  return {
    record: (sent, request, now) =>
      database.transaction(async (transaction) => {
        const { epoch, recordedAt } = await nextRevision(transaction, now)
        const known = await revisionOf(transaction, request)
        if (known !== undefined) return { commit: false, result: { actionId: known.action_id } }
        const { targetId = null, ...action } = sent
        await transaction
          .insertInto('corporate_action')
          .values({
            action_id: epoch,
            revision: 1,
            epoch,
            instrument_id: action.instrumentId,
            target_id: targetId,
            kind: action.terms.kind,
            ex_day: action.exDay,
            effective_at: timestampText(action.effectiveAt),
            terms: termsText(action.terms),
            recorded_at: timestampText(recordedAt),
            reason: '',
            ...requestColumns(request),
          })
          .execute()
        return { commit: true, result: { actionId: epoch } }
      }),

    reverse: (actionId, reason, request, now) =>
      database.transaction(async (transaction) => {
        const { epoch, recordedAt } = await nextRevision(transaction, now)
        if ((await revisionOf(transaction, request)) !== undefined) {
          return { commit: false, result: undefined }
        }
        const [first, second] = await transaction
          .selectFrom('corporate_action')
          .selectAll()
          .where('action_id', '=', actionId)
          .orderBy('revision')
          .execute()
        if (first === undefined) {
          throw new PortfolioError('ACTION_NOT_FOUND', 'there is no such corporate action')
        }
        if (second !== undefined) {
          throw new PortfolioError('ALREADY_REVERSED', 'the corporate action was reversed before')
        }
        await transaction
          .insertInto('corporate_action')
          .values({
            ...first,
            revision: 2,
            epoch,
            effective_at: timestampText(first.effective_at),
            recorded_at: timestampText(recordedAt),
            reason,
            ...requestColumns(request),
          })
          .execute()
        return { commit: true, result: undefined }
      }),

    readSince: (epoch) => readSince(database, epoch),
  }
}

/** The first write of each change: its row lock puts the changes in order, of number and of time. */
async function nextRevision(
  transaction: Transaction<Schema>,
  now: Instant,
): Promise<{ readonly epoch: number; readonly recordedAt: Instant }> {
  const { rows } = await sql<{ epoch: number }>`
    update reference_epoch set epoch = epoch + 1 where name = 'corporate_action'
    returning epoch`.execute(transaction)
  const [row] = rows
  if (row === undefined) throw new Error('the epoch of corporate actions is missing')
  const last = await transaction
    .selectFrom('corporate_action')
    .select('recorded_at')
    .orderBy('epoch', 'desc')
    .limit(1)
    .executeTakeFirst()
  // What was known at a moment is all up to one number, also where clocks differ.
  return { epoch: row.epoch, recordedAt: Math.max(now, (last?.recorded_at ?? 0) + 1) }
}

type Request = Parameters<CorporateActionStore['record']>[1]

async function revisionOf(
  transaction: Transaction<Schema>,
  { caller, requestId, contentHash }: Request,
): Promise<Row | undefined> {
  if (requestId === '') return undefined
  const known = await transaction
    .selectFrom('corporate_action')
    .selectAll()
    .where('caller', '=', caller)
    .where('request_id', '=', requestId)
    .executeTakeFirst()
  if (known !== undefined && Buffer.compare(known.content_hash, contentHash) !== 0) {
    const message = 'this request_id was used before with a different request'
    throw new PortfolioError('IDEMPOTENCY_KEY_REUSED', message)
  }
  return known
}

function requestColumns({ caller, requestId, contentHash }: Request) {
  return { caller, request_id: requestId, content_hash: Buffer.from(contentHash) }
}

/** Whole actions: of one that was reversed since, its record too. */
async function readSince(database: Database, epoch: number): Promise<ActionNews> {
  const { rows } = await sql<Row>`
    select * from corporate_action where action_id in
      (select action_id from corporate_action where epoch > ${epoch})
    order by action_id, revision`.execute(database.kysely)
  const actions = new Map<number, CorporateAction>()
  for (const row of rows) {
    const known = actions.get(row.action_id)
    const action =
      known === undefined
        ? actionOf(row)
        : { ...known, reversedAt: row.recorded_at, epoch: row.epoch }
    actions.set(row.action_id, action)
  }
  return {
    actions: [...actions.values()],
    epoch: rows.reduce((newest, row) => Math.max(newest, row.epoch), epoch),
  }
}

function actionOf(row: Row): CorporateAction {
  return {
    actionId: row.action_id,
    instrumentId: row.instrument_id,
    exDay: row.ex_day,
    effectiveAt: row.effective_at,
    terms: termsOfText(row.terms),
    recordedAt: row.recorded_at,
    reversedAt: undefined,
    epoch: row.epoch,
  }
}
