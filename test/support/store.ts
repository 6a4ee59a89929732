import { setTimeout as delay } from 'node:timers/promises'
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll } from '@jest/globals'
import pg from 'pg'
import { createActionTable } from '../../src/app/market-data/action-table.ts'
import { createInstrumentTable } from '../../src/app/market-data/instrument-table.ts'
import { createQuoteBoard } from '../../src/app/market-data/quote-board.ts'
import {
  updatePortfolio,
  type UpdateCommand,
  type UpdatePortfolioPorts,
  type UpdateResult,
} from '../../src/app/portfolio/update-portfolio.ts'
import { foldingStore } from '../../src/app/portfolio/folded-actions.ts'
import type {
  ActionTable,
  CallContext,
  Clock,
  QuoteBoard,
  Span,
  Telemetry,
} from '../../src/app/ports.ts'
import { decimal } from '../../src/domain/decimal.ts'
import type { TransactionType } from '../../src/domain/portfolio/transaction-types.ts'
import type { TransactionDraft } from '../../src/domain/portfolio/transaction.ts'
import type { Instant } from '../../src/domain/time.ts'
import { openPostgres, type Postgres } from '../../src/infra/postgres/postgres.ts'
import { FaultyProxy } from './faults.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

const PATIENCE_MS = 20_000
const POLL_MS = 5

/** One replica's store, as the use cases take it, with what its telemetry was told. */
export interface TestStore extends UpdatePortfolioPorts {
  readonly postgres: Postgres
  readonly quotes: QuoteBoard
  readonly actions: ActionTable
  /** Sizes of the batches that committed, or were decided without a write, in order. */
  readonly committed: readonly number[]
  /** Why transactions failed, in order. */
  readonly failed: readonly string[]
}

interface StoreOptions {
  readonly url?: string
  readonly stateCacheUsersMax?: number
  readonly clock?: Clock
}

/** A database of its own for a test file; what its tests open is closed after each. */
export interface DatabaseFixture {
  readonly url: string
  /** Connections for looking at rows, and for interfering. */
  readonly raw: pg.Pool
  openStore(options?: StoreOptions): TestStore
  openProxy(): Promise<FaultyProxy>
  /** A connection of the test's own, rolled back and closed after it. */
  connect(): Promise<pg.Client>
}

export function useDatabase(): DatabaseFixture {
  let database: TestDatabase
  let raw: pg.Pool
  const closers: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    database = await createTestDatabase()
    raw = new pg.Pool({ connectionString: database.url, max: 4 })
    // Its end does not wait for the connections to close, and the drop finds them still open.
    raw.on('error', () => undefined)
  })
  afterEach(async () => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  })
  afterAll(async () => {
    await raw.end()
    await database.drop()
  })
  return {
    get url() {
      return database.url
    },
    get raw() {
      return raw
    },
    openStore(options = {}) {
      const store = openStore({ url: database.url, ...options })
      closers.push(() => store.postgres.close())
      return store
    },
    async openProxy() {
      const proxy = await FaultyProxy.start(database.url)
      closers.push(() => proxy.close())
      return proxy
    },
    async connect() {
      const client = new pg.Client({ connectionString: database.url })
      client.on('error', () => undefined)
      await client.connect()
      closers.push(() => client.end())
      return client
    },
  }
}

export function openStore(options: StoreOptions & { readonly url: string }): TestStore {
  const committed: number[] = []
  const failed: string[] = []
  const clock = options.clock ?? systemClock
  const postgres = openPostgres({
    databaseUrl: options.url,
    poolMax: 8,
    stateCacheUsersMax: options.stateCacheUsersMax ?? 1_000,
    clock,
    telemetry: {
      ...silentTelemetry,
      batchCommitted: (size) => committed.push(size),
      batchFailed: (reason) => failed.push(reason),
    },
  })
  const { quoteStore } = postgres
  const actions = createActionTable()
  return {
    clock,
    portfolios: foldingStore(postgres.portfolios, { clock, actions }),
    quotes: createQuoteBoard(createInstrumentTable(), { clock, table: actions }),
    quoteStore,
    actions,
    postgres,
    committed,
    failed,
  }
}

export const systemClock: Clock = {
  now: () => Date.now() * 1_000,
  monotonicMs: () => performance.now(),
}

const silentSpan: Span = {
  child: () => silentSpan,
  setAttribute: () => undefined,
  fail: () => undefined,
  end: () => undefined,
}

export const silentTelemetry: Telemetry = {
  startCall: () => silentSpan,
  callEnded: () => undefined,
  batchCommitted: () => undefined,
  batchFailed: () => undefined,
  quotesIngested: () => undefined,
  backgroundFailed: () => undefined,
}

let calls = 0

export function callContext(call: Partial<Omit<CallContext, 'hasEnded'>> = {}): CallContext {
  const { signal = new AbortController().signal } = call
  return {
    requestId: `request-${(calls += 1)}`,
    caller: 'tester',
    deadlineMs: performance.now() + 60_000,
    get hasEnded() {
      return signal.aborted
    },
    span: silentSpan,
    ...call,
    signal,
  }
}

/** A transaction of 1 unit at 1, where nothing else is said. */
export function draft(
  type: TransactionType,
  instrumentId: string,
  quantity: number | string = 1,
  facts: {
    readonly price?: number | string
    readonly at?: Instant
    readonly account?: string
  } = {},
): TransactionDraft {
  return {
    instrumentId,
    accountId: facts.account ?? '',
    type,
    quantity: decimal(quantity),
    price: decimal(facts.price ?? (type === 'TRANSFER_OUT' ? 0 : 1)),
    effectiveAt: facts.at,
  }
}

type WriteOptions = Partial<Omit<UpdateCommand, 'userId' | 'drafts' | 'key'>> &
  Partial<CallContext> & { readonly key?: string | undefined }

/** POST /portfolio on one replica. A key's content hash is that of the drafts. */
export function write(
  store: UpdatePortfolioPorts,
  userId: string,
  drafts: readonly TransactionDraft[],
  options: WriteOptions = {},
): Promise<UpdateResult> {
  const { key, ifMatch, validateOnly = false, reportingCurrency, ...call } = options
  const contentHash = createHash('sha256').update(JSON.stringify(drafts)).digest()
  const command: UpdateCommand = {
    userId,
    drafts,
    key: key === undefined ? undefined : { key, method: 'update', contentHash },
    ifMatch,
    validateOnly,
    reportingCurrency,
  }
  return updatePortfolio(store, command, callContext(call))
}

/** Polls until the condition holds. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${PATIENCE_MS} ms in vain`)
    await delay(POLL_MS)
  }
}

/** Resolves to the backend that waits for another's lock in this database. */
export async function backendWaitingForLock(raw: pg.Pool): Promise<number> {
  let pid: number | undefined
  await waitUntil(async () => {
    const { rows } = await raw.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
    pid = rows[0]?.pid
    return pid !== undefined
  })
  return pid!
}

export interface LedgerRow {
  readonly sequence: number
  readonly version: number
  readonly request_id: string
  readonly quantity: string
}

/** What the ledger holds of a user, in order of sequence. */
export async function ledgerRows(raw: pg.Pool, userId: string): Promise<readonly LedgerRow[]> {
  const { rows } = await raw.query<LedgerRow>(
    `select sequence::int, version::int, request_id, quantity::text from ledger
     where user_id = $1 order by sequence`,
    [userId],
  )
  return rows
}

const TABLES = ['portfolio', 'ledger', 'holding', 'lot', 'lot_match', 'request_key'] as const

/** How many rows each table has of a user. */
export async function rowCounts(
  raw: pg.Pool,
  userId: string,
): Promise<Record<(typeof TABLES)[number], number>> {
  const counts = await Promise.all(
    TABLES.map(async (table) => {
      const { rows } = await raw.query<{ count: number }>(
        `select count(*)::int as count from ${table} where user_id = $1`,
        [userId],
      )
      return [table, rows[0]!.count] as const
    }),
  )
  return Object.fromEntries(counts) as Record<(typeof TABLES)[number], number>
}

export const NO_ROWS = {
  portfolio: 0,
  ledger: 0,
  holding: 0,
  lot: 0,
  lot_match: 0,
  request_key: 0,
}
