import { type Selectable, sql, type Transaction } from 'kysely'
import type { ChangeRequest } from '../../app/ports.ts'
import { externalIdKey, type RecordedExternalIds } from '../../domain/portfolio/external-ids.ts'
import type { Histories, NeededHistory } from '../../domain/portfolio/record-transactions.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import { BulkInsert } from './bulk-insert.ts'
import { executePrepared } from './database.ts'
import { entryOfRow, stateOfRows, withLots } from './portfolio-rows.ts'
import type {
  CashTable,
  ExternalIdTable,
  HoldingTable,
  LedgerTable,
  LotTable,
  PortfolioTable,
  RequestKeyTable,
  Schema,
} from './schema.ts'
import type { StateCache } from './state-cache.ts'

type Request = ChangeRequest<unknown>

/** A user under lock, with what its request needs to be decided. */
export interface LockedUser {
  readonly state: PortfolioState
  readonly keyRow: Selectable<RequestKeyTable> | undefined
  readonly externalIds: RecordedExternalIds
}

const NEW_PORTFOLIO = new BulkInsert('portfolio', ['user_id'], 'do nothing')

/**
 * Locks the rows of a batch's users, sorted so that two batches never wait for each other in a circle, and reads what
 * the requests need and the cache does not have. One trip, and a second one where another replica wrote meanwhile.
 * A user whom somebody else has locked is missing from the answer, unless `wait`: a batch is not held up by one user.
 */
export async function lockUsers(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
  { cache, wait }: { readonly cache: StateCache; readonly wait: boolean },
): Promise<ReadonlyMap<string, LockedUser>> {
  const sorted = requests.toSorted((left, right) => (left.userId < right.userId ? -1 : 1))
  const uncached = new Set(sorted.filter(({ userId }) => cache.get(userId) === undefined))
  const lotless = new Set(sorted.filter((request) => needsLots(cache.get(request.userId), request)))
  const [, heads, keyRows, externalIds, read, lots] = await Promise.all([
    NEW_PORTFOLIO.execute(
      transaction,
      [...uncached].map(({ userId }) => [userId]),
    ),
    lockRows(transaction, sorted, wait),
    readKeys(transaction, sorted),
    readExternalIds(transaction, sorted),
    readStates(transaction, [...uncached]),
    readLots(transaction, [...lotless]),
  ])
  const states = new Map<string, PortfolioState>()
  const stale: Request[] = []
  for (const request of sorted) {
    const head = heads.get(request.userId)
    if (head === undefined) continue
    // Rows read after the lock are as true as the lock; a cached state only when it is of that version.
    const state = uncached.has(request)
      ? read.get(request.userId)
      : cache.getExact(request.userId, { version: head.version, chainHead: head.chain_head })
    const usable = state !== undefined && (lotless.has(request) || !needsLots(state, request))
    if (!usable) stale.push(request)
    else states.set(request.userId, lotsAdded(state, request, lots.get(request.userId) ?? []))
  }
  for (const [userId, state] of await readStale(transaction, stale)) states.set(userId, state)
  const keys = new Map(keyRows.map((row) => [row.user_id, row]))
  return new Map(
    [...states].map(([userId, state]) => [
      userId,
      {
        state,
        keyRow: keys.get(userId),
        externalIds: externalIds.get(userId) ?? new Map(),
      },
    ]),
  )
}

async function readStale(
  transaction: Transaction<Schema>,
  stale: readonly Request[],
): Promise<ReadonlyMap<string, PortfolioState>> {
  const [read, lots] = await Promise.all([
    readStates(transaction, stale),
    readLots(transaction, stale),
  ])
  const states = new Map<string, PortfolioState>()
  for (const request of stale) {
    const { userId } = request
    const state = read.get(userId)
    if (state === undefined) throw new Error('a portfolio row is missing under its lock')
    states.set(userId, lotsAdded(state, request, lots.get(userId) ?? []))
  }
  return states
}

/** States without their lots, of rows that are locked or not shown to anybody. */
async function readStates(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
): Promise<ReadonlyMap<string, PortfolioState>> {
  if (requests.length === 0) return new Map()
  const users = requests.map(({ userId }) => userId)
  const ofUsers = sql`where user_id = any(${users}::text[])`
  const [heads, holdings, cash] = await Promise.all([
    sql<Selectable<PortfolioTable>>`select * from portfolio ${ofUsers}`.execute(transaction),
    sql<Selectable<HoldingTable>>`select * from holding ${ofUsers}`.execute(transaction),
    sql<Selectable<CashTable>>`select * from cash ${ofUsers}`.execute(transaction),
  ])
  const holdingsOf = groupByUser(holdings.rows)
  const cashOf = groupByUser(cash.rows)
  return new Map(
    heads.rows.map((row) => [
      row.user_id,
      stateOfRows(row, holdingsOf.get(row.user_id) ?? [], cashOf.get(row.user_id) ?? []),
    ]),
  )
}

function lotsAdded(
  state: PortfolioState,
  request: Request,
  lots: readonly Selectable<LotTable>[],
): PortfolioState {
  const missing = askedOf(state, request).filter((instrumentId) => lotsMissing(state, instrumentId))
  return missing.length === 0 ? state : withLots(state, missing, lots)
}

function needsLots(state: PortfolioState | undefined, request: Request): boolean {
  if (state === undefined) return true
  return askedOf(state, request).some((instrumentId) => lotsMissing(state, instrumentId))
}

function askedOf(state: PortfolioState, { instrumentIds }: Request): readonly string[] {
  return instrumentIds === 'all' ? [...state.books.keys()] : instrumentIds
}

export function lotsMissing(state: PortfolioState, instrumentId: string): boolean {
  for (const holding of state.books.get(instrumentId)?.values() ?? []) {
    if (holding.lots === undefined) return true
  }
  return false
}

type Head = Pick<Selectable<PortfolioTable>, 'user_id' | 'version' | 'chain_head'>

async function lockRows(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
  wait: boolean,
): Promise<ReadonlyMap<string, Head>> {
  const users = requests.map(({ userId }) => userId)
  const lock = sql<Head>`
    select user_id, version, chain_head from portfolio where user_id = any(${users}::text[])
    order by user_id for update ${wait ? sql`` : sql`skip locked`}`.compile(transaction)
  const name = wait ? 'for update' : 'for update skip locked'
  const { rows } = await executePrepared(transaction, name, lock)
  return new Map(rows.map((row) => [row.user_id, row]))
}

async function readKeys(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
): Promise<readonly Selectable<RequestKeyTable>[]> {
  const keyed = requests.flatMap(({ userId, call, key }) =>
    key === undefined ? [] : [{ userId, caller: call.caller, ...key }],
  )
  if (keyed.length === 0) return []
  const users = keyed.map(({ userId }) => userId)
  const { rows } = await sql<Selectable<RequestKeyTable>>`
    select request_key.* from request_key
    join unnest(${users}::text[], ${keyed.map(({ caller }) => caller)}::text[],
      ${keyed.map(({ method }) => method)}::text[], ${keyed.map(({ key }) => key)}::text[])
      as asked (user_id, caller, method, key) using (user_id, caller, method, key)
    where request_key.user_id = any(${users}::text[])`.execute(transaction)
  return rows
}

export async function readLots(
  transaction: Transaction<Schema>,
  requests: readonly Pick<Request, 'userId' | 'instrumentIds'>[],
): Promise<ReadonlyMap<string, Selectable<LotTable>[]>> {
  const whole = requests.filter(({ instrumentIds }) => instrumentIds === 'all')
  const { users, instruments } = pairs(requests)
  const [all, some] = await Promise.all([
    readWhole(transaction, 'lot', whole),
    users.length === 0
      ? []
      : sql<Selectable<LotTable>>`
          select lot.* from lot
          join unnest(${users}::text[], ${instruments}::text[]) as asked (user_id, instrument_id)
            using (user_id, instrument_id)
          where lot.user_id = any(${users}::text[])`
          .execute(transaction)
          .then(({ rows }) => rows),
  ])
  return groupByUser([...all, ...some])
}

async function readWhole<Table extends 'lot' | 'ledger'>(
  transaction: Transaction<Schema>,
  table: Table,
  requests: readonly { readonly userId: string }[],
): Promise<readonly Selectable<Schema[Table]>[]> {
  if (requests.length === 0) return []
  const { rows } = await sql<Selectable<Schema[Table]>>`
    select * from ${sql.table(table)}
    where user_id = any(${requests.map(({ userId }) => userId)}::text[])`.execute(transaction)
  return rows
}

async function readExternalIds(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
): Promise<ReadonlyMap<string, RecordedExternalIds>> {
  const asked = requests.flatMap(({ userId, externalIds }) =>
    externalIds.map((id) => ({ ...id, userId })),
  )
  if (asked.length === 0) return new Map()
  const users = asked.map(({ userId }) => userId)
  const { rows } = await sql<Selectable<ExternalIdTable>>`
    select external_id.* from external_id
    join unnest(${users}::text[], ${asked.map(({ source }) => source)}::text[],
      ${asked.map(({ externalId }) => externalId)}::text[])
      as asked (user_id, source, external_id) using (user_id, source, external_id)
    where external_id.user_id = any(${users}::text[])`.execute(transaction)
  return new Map(
    [...groupByUser(rows)].map(([userId, own]) => [
      userId,
      new Map(
        own.map((row) => [
          externalIdKey(row.source, row.external_id),
          { sequence: row.sequence, contentHash: row.content_hash },
        ]),
      ),
    ]),
  )
}

/** The ledgers that each user's decision asked for, in order. */
export async function readHistories(
  transaction: Transaction<Schema>,
  asked: readonly ({ readonly userId: string } & NeededHistory)[],
): Promise<ReadonlyMap<string, Histories>> {
  if (asked.length === 0) return new Map()
  const { users, instruments } = pairs(asked.filter(({ wholeLedger }) => !wholeLedger))
  const [all, some] = await Promise.all([
    readWhole(
      transaction,
      'ledger',
      asked.filter(({ wholeLedger }) => wholeLedger),
    ),
    users.length === 0
      ? []
      : sql<Selectable<LedgerTable>>`
          select ledger.* from ledger
          join unnest(${users}::text[], ${instruments}::text[]) as asked (user_id, instrument_id)
            using (user_id, instrument_id)
          where ledger.user_id = any(${users}::text[])`
          .execute(transaction)
          .then(({ rows }) => rows),
  ])
  const rows = [...all, ...some].toSorted(
    (left, right) => left.effective_at - right.effective_at || left.sequence - right.sequence,
  )
  const byUser = groupByUser(rows)
  return new Map(
    asked.map(({ userId, instrumentIds, wholeLedger }): [string, Histories] => {
      const entries = (byUser.get(userId) ?? []).map(entryOfRow)
      if (wholeLedger) return [userId, { books: new Map(), ledger: entries }]
      const books = new Map<string, LedgerEntry[]>(instrumentIds.map((id) => [id, []]))
      for (const entry of entries) books.get(entry.instrumentId)?.push(entry)
      return [userId, { books, ledger: undefined }]
    }),
  )
}

function pairs(
  requests: readonly {
    readonly userId: string
    readonly instrumentIds: readonly string[] | 'all'
  }[],
): {
  users: readonly string[]
  instruments: readonly string[]
} {
  const flat = requests.flatMap(({ userId, instrumentIds }) =>
    instrumentIds === 'all' ? [] : instrumentIds.map((instrumentId) => ({ userId, instrumentId })),
  )
  return {
    users: flat.map(({ userId }) => userId),
    instruments: flat.map(({ instrumentId }) => instrumentId),
  }
}

function groupByUser<Row extends { user_id: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.user_id)
    if (group === undefined) groups.set(row.user_id, [row])
    else group.push(row)
  }
  return groups
}
