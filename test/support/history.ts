import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach } from '@jest/globals'
import type pg from 'pg'
import type { AnalysisPool } from '../../src/app/analysis-pool.ts'
import { HistoryKeeper } from '../../src/app/analytics/keep-history.ts'
import { getPerformance } from '../../src/app/analytics/get-performance.ts'
import { LedgerCache } from '../../src/app/analytics/ledger-cache.ts'
import { ResidentPrices } from '../../src/app/analytics/resident-prices.ts'
import { createInstrumentTable } from '../../src/app/market-data/instrument-table.ts'
import { refreshInstruments } from '../../src/app/market-data/refresh-instruments.ts'
import { decimal } from '../../src/domain/decimal.ts'
import { constantRate } from '../../src/domain/analytics/risk-free-rates.ts'
import type { Instant } from '../../src/domain/time.ts'
import type { TransactionDraft } from '../../src/domain/portfolio/transaction.ts'
import { openAnalysisPool } from '../../src/infra/workers/analysis-pool.ts'
import { rich } from '../unit/domain/portfolio/rich-drafts.ts'
import {
  callContext,
  type DatabaseFixture,
  draft,
  systemClock,
  type TestStore,
  useDatabase,
  write,
} from './store.ts'

/** Of tests; a lease outlives everything but those that wait for its end. */
const LEASE_MS = 60_000

/** Noon of a day, UTC. */
export function noon(day: string): Instant {
  return at(day, '12:00')
}

function at(day: string, time: string): Instant {
  return Date.parse(`${day}T${time}:00Z`) * 1_000
}

/** A clock that stands still until it is set. */
export function settableClock(startDay: string) {
  let now = noon(startDay)
  return {
    ...systemClock,
    now: () => now,
    set: (day: string, time = '12:00') => {
      now = at(day, time)
    },
  }
}

/** A replica that keeps history, and what its telemetry was told. */
export interface TestKeeper {
  readonly keeper: HistoryKeeper
  readonly told: { leased: boolean; rows: number; users: number; days: number }
  /** User and reason. */
  readonly failed: string[]
  pass(): Promise<boolean>
  /** Passes until there is nothing more to do; gives back how many rows were written. */
  run(): Promise<number>
  stop(): void
}

/** What a replica analyses with, on the threads of a pool. */
function analyticsPorts({ postgres, clock, actions }: TestStore, pool: AnalysisPool) {
  const instruments = createInstrumentTable()
  const store = postgres.analyticsStore
  const prices = new ResidentPrices({ clock, store, instruments, actions })
  return { ...postgres, clock, store, instruments, actions, pool, prices }
}

export function openKeeper(
  store: TestStore,
  pool: AnalysisPool,
  { leaseMs = LEASE_MS }: { readonly leaseMs?: number } = {},
): TestKeeper {
  const told = { leased: false, rows: 0, users: 0, days: 0 }
  const failed: string[] = []
  const stopping = new AbortController()
  const keeper = new HistoryKeeper(
    {
      ...analyticsPorts(store, pool),
      telemetry: {
        historyLeased: (leased) => void Object.assign(told, { leased }),
        historyKept: (rows) => void (told.rows += rows),
        historyLag: (users, days) => void Object.assign(told, { users, days }),
        historyFailed: (userId, reason) => void failed.push(`${userId} ${reason}`),
      },
    },
    { holder: randomUUID(), leaseMs },
  )
  const pass = (): Promise<boolean> => keeper.pass(stopping.signal)
  return {
    keeper,
    pass,
    told,
    failed,
    async run() {
      const before = told.rows
      while (await pass());
      return told.rows - before
    },
    stop: () => stopping.abort(),
  }
}

/** A close of each day, recorded now. */
export async function ingest(
  { postgres }: TestStore,
  instrumentId: string,
  closes: Readonly<Record<string, number | string>>,
  currency = '',
): Promise<void> {
  const quotes = Object.entries(closes).map(([day, price]) => ({
    instrumentId,
    price: decimal(price),
    currency,
    pricedAt: noon(day),
    source: 'test',
    kind: 'CLOSE' as const,
    splitAdjusted: false,
  }))
  await postgres.quoteStore.append(quotes, systemClock.now())
}

/** The whole portfolio's daily series as GetPerformance makes it now, by a replica that just started. */
export async function seriesOf(store: TestStore, pool: AnalysisPool, userId: string) {
  const ports = analyticsPorts(store, pool)
  await refreshInstruments(ports)
  const view = {
    userId,
    effectiveAt: undefined,
    recordedUntil: undefined,
    reportingCurrency: undefined,
  }
  const [report] = await getPerformance(
    { ...ports, ledgers: new LedgerCache(), riskFree: constantRate(0) },
    {
      view,
      periods: [{ fromDay: undefined, toDay: undefined }],
      symbols: [],
      interval: 'DAY',
      counted: { fees: true, taxes: false },
      riskFreeRate: undefined,
      minimumAcceptableReturn: 0,
    },
    callContext(),
  )
  return report!.series
}

export interface KeptRow {
  readonly day: string
  readonly value: string | null
  readonly inflow: string | null
  readonly outflow: string | null
  readonly growth: string | null
  readonly completeness: string
  readonly version: number
  /** Another one after every write of the row. */
  readonly written: string
}

/** The kept days of a user that count. */
export async function keptRows(raw: pg.Pool, userId: string): Promise<readonly KeptRow[]> {
  const { rows } = await raw.query<KeptRow>(
    `select day::text, value, inflow, outflow, growth, completeness, valuation.version::int,
       valuation.xmin::text as written
     from valuation join valuation_head using (user_id)
     where user_id = $1 and day <= kept_until order by day`,
    [userId],
  )
  return rows
}

/** Makes rows wrong, so that it shows which are made again. */
export async function spoil(raw: pg.Pool, userId: string): Promise<void> {
  await raw.query('update valuation set value = 666 where user_id = $1', [userId])
}

/** The days whose rows are still spoiled. */
export async function spoiled(raw: pg.Pool, userId: string): Promise<readonly string[]> {
  const rows = await keptRows(raw, userId)
  return rows.filter(({ value }) => value === '666').map(({ day }) => day)
}

let names = 0

/** A user or a symbol that no other test of the file has. */
export function newName(): string {
  return `H${(names += 1)}`
}

export function buy(
  symbol: string,
  quantity: number,
  price: number,
  day: string,
): TransactionDraft {
  return draft('BUY', symbol, quantity, { price, at: noon(day) })
}

/** Money from outside: from then on cash is tracked. */
export function deposit(amount: number, day: string): TransactionDraft {
  return { ...rich('DEPOSIT', 0, { amount: `${amount}` }), effectiveAt: noon(day) }
}

/** A hundred shares each, as the reference data of an epoch say. */
export async function describeOption(
  raw: pg.Pool,
  instrumentId: string,
  epoch: number,
): Promise<void> {
  await raw.query(
    `insert into instrument (instrument_id, symbol, mic, isin, figi, currency, asset_class,
       multiplier, quantity_scale, classifications, epoch)
     values ($1, $1, '', '', '', 'USD', 'OPTION', 100, 0, '{}', $2)`,
    [instrumentId, epoch],
  )
}

/** Closes from Monday to Thursday. */
export const WEEK = { '2024-03-04': 100, '2024-03-05': 110, '2024-03-06': 99, '2024-03-07': 104.5 }

interface HistoryFixture extends Pick<DatabaseFixture, 'raw' | 'connect'> {
  readonly pool: AnalysisPool
  /** For each test an empty one, on Friday of that week. */
  readonly store: TestStore
  readonly clock: ReturnType<typeof settableClock>
  readonly replica: TestKeeper
  /** Ten units, bought on Monday, of a symbol with prices of the week; kept by the replica. */
  tenUnits(): Promise<{ readonly user: string; readonly symbol: string }>
  /** Days and values that are kept. */
  values(user: string): Promise<readonly string[]>
}

/** One database for all tests of a file, and threads that can be poisoned. */
export function useHistory(): HistoryFixture {
  const pool = openAnalysisPool({
    threads: 1,
    entry: new URL('fixtures/poisoned.worker.ts', import.meta.url),
    onFailure: () => undefined,
  })
  const database = useDatabase()
  const state = {} as { store: TestStore; clock: HistoryFixture['clock']; replica: TestKeeper }
  beforeEach(async () => {
    await database.raw.query('truncate portfolio, ledger, valuation, valuation_head, lease')
    state.clock = settableClock('2024-03-08')
    state.store = database.openStore({ clock: state.clock })
    state.replica = openKeeper(state.store, pool)
  })
  afterAll(() => pool.close())
  return {
    pool,
    get raw() {
      return database.raw
    },
    connect: () => database.connect(),
    get store() {
      return state.store
    },
    get clock() {
      return state.clock
    },
    get replica() {
      return state.replica
    },
    async tenUnits() {
      const [user, symbol] = [newName(), newName()]
      await ingest(state.store, symbol, WEEK)
      await write(state.store, user, [buy(symbol, 10, 100, '2024-03-04')])
      await state.replica.run()
      return { user, symbol }
    },
    values: async (user) =>
      (await keptRows(database.raw, user)).map(({ day, value }) => `${day} ${value}`),
  }
}
