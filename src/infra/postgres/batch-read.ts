import { type Selectable, sql, type Transaction } from 'kysely'
import type { ChangeRequest } from '../../app/ports.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import { BulkInsert } from './bulk-insert.ts'
import { entryOfRow, stateOfRows, withLots } from './portfolio-rows.ts'
import type {
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
}

const NEW_PORTFOLIO = new BulkInsert('portfolio', ['user_id'], 'do nothing')

/**
 * Locks the rows of a batch's users, sorted so that two batches never wait for each other, and reads what the
 * requests need and the cache does not have. One trip, and a second one where another replica wrote meanwhile.
 */
export async function lockUsers(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
  cache: StateCache,
): Promise<ReadonlyMap<string, LockedUser>> {
  const sorted = requests.toSorted((left, right) => (left.userId < right.userId ? -1 : 1))
  const uncached = new Set(sorted.filter(({ userId }) => cache.get(userId) === undefined))
  const lotless = new Set(sorted.filter((request) => needsLots(cache.get(request.userId), request)))
  const [, rows, keyRows, holdings, lots] = await Promise.all([
    NEW_PORTFOLIO.execute(
      transaction,
      [...uncached].map(({ userId }) => [userId]),
    ),
    lockRows(transaction, sorted),
    readKeys(transaction, sorted),
    readHoldings(transaction, [...uncached]),
    readLots(transaction, [...lotless]),
  ])
  const states = new Map<string, PortfolioState>()
  const stale: Request[] = []
  for (const request of sorted) {
    const row = rows.get(request.userId)
    if (row === undefined) throw new Error('a portfolio row is missing under its lock')
    // Rows read after the lock are as true as the lock; a cached state only when it is of that version.
    const state = uncached.has(request)
      ? stateOfRows(row, holdings.get(request.userId) ?? [])
      : cache.getExact(request.userId, { version: row.version, chainHead: row.chain_head })
    const usable = state !== undefined && (lotless.has(request) || !needsLots(state, request))
    if (!usable) stale.push(request)
    else states.set(request.userId, lotsAdded(state, request, lots.get(request.userId) ?? []))
  }
  for (const [userId, state] of await readStale(transaction, stale, rows)) states.set(userId, state)
  const keys = new Map(keyRows.map((row) => [row.user_id, row]))
  return new Map(
    [...states].map(([userId, state]) => [userId, { state, keyRow: keys.get(userId) }]),
  )
}

async function readStale(
  transaction: Transaction<Schema>,
  stale: readonly Request[],
  rows: ReadonlyMap<string, Selectable<PortfolioTable>>,
): Promise<ReadonlyMap<string, PortfolioState>> {
  const [holdings, lots] = await Promise.all([
    readHoldings(transaction, stale),
    readLots(transaction, stale),
  ])
  const states = new Map<string, PortfolioState>()
  for (const request of stale) {
    const { userId } = request
    const row = rows.get(userId)
    if (row === undefined) throw new Error('a portfolio row is missing under its lock')
    const state = stateOfRows(row, holdings.get(userId) ?? [])
    states.set(userId, lotsAdded(state, request, lots.get(userId) ?? []))
  }
  return states
}

function lotsAdded(
  state: PortfolioState,
  request: Request,
  lots: readonly Selectable<LotTable>[],
): PortfolioState {
  const missing = request.instrumentIds.filter((instrumentId) => lotsMissing(state, instrumentId))
  return missing.length === 0 ? state : withLots(state, missing, lots)
}

function needsLots(state: PortfolioState | undefined, request: Request): boolean {
  if (state === undefined) return true
  return request.instrumentIds.some((instrumentId) => lotsMissing(state, instrumentId))
}

function lotsMissing(state: PortfolioState, instrumentId: string): boolean {
  for (const holding of state.books.get(instrumentId)?.values() ?? []) {
    if (holding.lots === undefined) return true
  }
  return false
}

async function lockRows(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
): Promise<ReadonlyMap<string, Selectable<PortfolioTable>>> {
  const users = requests.map(({ userId }) => userId)
  const { rows } = await sql<Selectable<PortfolioTable>>`
    select * from portfolio where user_id = any(${users}::text[]) order by user_id for update`.execute(
    transaction,
  )
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

async function readHoldings(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
): Promise<ReadonlyMap<string, Selectable<HoldingTable>[]>> {
  if (requests.length === 0) return new Map()
  const { rows } = await sql<Selectable<HoldingTable>>`
    select * from holding where user_id = any(${requests.map(({ userId }) => userId)}::text[])`.execute(
    transaction,
  )
  return groupByUser(rows)
}

async function readLots(
  transaction: Transaction<Schema>,
  requests: readonly Request[],
): Promise<ReadonlyMap<string, Selectable<LotTable>[]>> {
  if (requests.length === 0) return new Map()
  const { users, instruments } = pairs(requests)
  const { rows } = await sql<Selectable<LotTable>>`
    select lot.* from lot
    join unnest(${users}::text[], ${instruments}::text[]) as asked (user_id, instrument_id)
      using (user_id, instrument_id)
    where lot.user_id = any(${users}::text[])`.execute(transaction)
  return groupByUser(rows)
}

/** Whole ledgers of the instruments that each user's decision asked for, each in order. */
export async function readHistories(
  transaction: Transaction<Schema>,
  asked: readonly Pick<Request, 'userId' | 'instrumentIds'>[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly LedgerEntry[]>>> {
  if (asked.length === 0) return new Map()
  const { users, instruments } = pairs(asked)
  const { rows } = await sql<Selectable<LedgerTable>>`
    select ledger.* from ledger
    join unnest(${users}::text[], ${instruments}::text[]) as asked (user_id, instrument_id)
      using (user_id, instrument_id)
    where ledger.user_id = any(${users}::text[])
    order by effective_at, sequence`.execute(transaction)
  const byUser = groupByUser(rows)
  return new Map(
    asked.map(({ userId, instrumentIds }) => {
      const histories = new Map<string, LedgerEntry[]>(instrumentIds.map((id) => [id, []]))
      for (const row of byUser.get(userId) ?? []) {
        histories.get(row.instrument_id)?.push(entryOfRow(row))
      }
      return [userId, histories]
    }),
  )
}

function pairs(requests: readonly Pick<Request, 'userId' | 'instrumentIds'>[]): {
  users: readonly string[]
  instruments: readonly string[]
} {
  const flat = requests.flatMap(({ userId, instrumentIds }) =>
    instrumentIds.map((instrumentId) => ({ userId, instrumentId })),
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
