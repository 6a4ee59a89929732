import { describe, expect, test } from '@jest/globals'
import type { UpdateResult } from '../../../../src/app/portfolio/update-portfolio.ts'
import type { FaultyProxy, HeldStatement } from '../../../support/faults.ts'
import {
  backendWaitingForLock,
  draft,
  ledgerRows,
  NO_ROWS,
  rowCounts,
  type TestStore,
  useDatabase,
  waitUntil,
  write,
} from '../../../support/store.ts'
import { expectConsistent } from './consistency.ts'

const database = useDatabase()

interface Fault {
  readonly name: string
  readonly at: RegExp
  readonly strike: (statement: HeldStatement) => Promise<void>
  /** Whether PostgreSQL has committed when the store learns that something is wrong. */
  readonly committed: boolean
}

const cut = (statement: HeldStatement): Promise<void> => Promise.resolve(statement.cut())
const kill = async (statement: HeldStatement): Promise<void> => {
  await terminate(statement.backendPid)
  statement.pass()
}

const FAULTS: Fault[] = [
  { name: 'cut at the first statement', at: /^begin/, strike: cut, committed: false },
  { name: 'cut at the lock', at: /for update/, strike: cut, committed: false },
  { name: 'cut between the rows', at: /^insert into holding/, strike: cut, committed: false },
  { name: 'killed between the rows', at: /^insert into holding/, strike: kill, committed: false },
  { name: 'killed before COMMIT', at: /^commit/, strike: kill, committed: false },
  { name: 'cut before COMMIT', at: /^commit/, strike: cut, committed: false },
  {
    name: 'cut after COMMIT',
    at: /^commit/,
    strike: (statement) => statement.loseAnswer('cut'),
    committed: true,
  },
]

/** These cost the store's patience with a server that says nothing. */
const SILENT_FAULTS: Fault[] = [
  {
    name: 'silent before COMMIT',
    at: /^commit/,
    strike: (statement) => Promise.resolve(statement.silence()),
    committed: false,
  },
  {
    name: 'silent after COMMIT',
    at: /^commit/,
    strike: (statement) => statement.loseAnswer('silence'),
    committed: true,
  },
]

const ONCE = ['before', 'sale', 'purchase']

async function terminate(backendPid: number): Promise<void> {
  const { rows } = await database.raw.query<{ ended: boolean }>(
    'select pg_terminate_backend($1, 5000) as ended',
    [backendPid],
  )
  expect(rows).toEqual([{ ended: true }])
}

/** Strikes a batch of a known user, a new user and one who is refused. Resolves to what is in the ledger then. */
async function strikeBatch(fault: Fault, key: string | undefined): Promise<readonly string[]> {
  const proxy = await database.openProxy()
  const store = database.openStore({ url: proxy.url })
  const name = `${fault.name} ${key}`
  const [known, unknown, refused] = [`${name} known`, `${name} new`, `${name} refused`] as const
  await write(store, known, [draft('BUY', 'AAPL', 5)], { requestId: 'before' })

  const held = proxy.hold(fault.at)
  const answers = Promise.allSettled([
    write(store, known, [draft('SELL', 'AAPL', 3)], { key, requestId: 'sale' }),
    write(store, unknown, [draft('BUY', 'AAPL', 2)], { key, requestId: 'purchase' }),
    write(store, refused, [draft('SELL', 'AAPL', 1)], { key }),
  ])
  await fault.strike(await held)
  expect(await answers).toMatchObject([
    { value: { replayed: false, answer: { version: 2 } } },
    { value: { replayed: false, answer: { version: 1 } } },
    { reason: { reason: 'INSUFFICIENT_QUANTITY' } },
  ])
  expect(store.failed).toEqual([fault.at.source === '^commit' ? 'unknown' : 'transient'])
  // What had been committed is found, not written again: then only the refused one was left to decide.
  expect(store.committed).toEqual(fault.committed ? [1, 1] : [1, 3])
  expect(await rowCounts(database.raw, refused)).toEqual(NO_ROWS)
  const rows = await Promise.all([known, unknown].map((user) => ledgerRows(database.raw, user)))
  await expectUsable(store, [known, unknown], key)
  return rows.flat().map((row) => row.request_id)
}

/** The pool is whole, the cache true, and a key replays what it did. */
async function expectUsable(
  store: TestStore,
  [known, unknown]: readonly [string, string],
  key: string | undefined,
): Promise<void> {
  if (key !== undefined) {
    await expect(write(store, known, [draft('SELL', 'AAPL', 3)], { key })).resolves.toMatchObject({
      replayed: true,
      answer: { version: 2 },
    })
  }
  await Promise.all([known, unknown].map((user) => write(store, user, [draft('SELL', 'AAPL', 2)])))
  await expectConsistent(store, database.raw, known)
  await expectConsistent(store, database.raw, unknown)
}

describe.each([undefined, 'key'])('a write with the key %s, its connection', (key) => {
  test.each(FAULTS)('$name, has exactly one effect', async (fault) => {
    await expect(strikeBatch(fault, key)).resolves.toEqual(ONCE)
  })
})

test('a write whose connection went silent has exactly one effect, with and without a key', async () => {
  const faults = SILENT_FAULTS.flatMap((fault) => [
    strikeBatch(fault, undefined),
    strikeBatch(fault, 'key'),
  ])
  await expect(Promise.all(faults)).resolves.toEqual([ONCE, ONCE, ONCE, ONCE])
})

test('a write that waits for a lock when its backend is killed has exactly one effect', async () => {
  const store = database.openStore()
  await write(store, 'waiting', [draft('BUY', 'AAPL', 5)])
  const rival = await database.connect()
  await rival.query("begin; select from portfolio where user_id = 'waiting' for update")
  const writing = write(store, 'waiting', [draft('SELL', 'AAPL', 3)], { requestId: 'sale' })
  await terminate(await backendWaitingForLock(database.raw))
  await rival.query('rollback')
  await expect(writing).resolves.toMatchObject({ answer: { version: 2 } })
  expect(store.failed).toEqual(['transient'])
  expect(await ledgerRows(database.raw, 'waiting')).toHaveLength(2)
})

test('a COMMIT that reaches PostgreSQL long after its connection was lost is waited for', async () => {
  const proxy = await database.openProxy()
  const store = database.openStore({ url: proxy.url })
  await write(store, 'delayed', [draft('BUY', 'AAPL', 5)])
  const held = proxy.hold(/^commit/)
  const writing = write(store, 'delayed', [draft('SELL', 'AAPL', 2)], { requestId: 'sale' })
  const commit = await held
  commit.orphan()
  await backendWaitingForLock(database.raw)
  commit.pass()
  await expect(writing).resolves.toMatchObject({ answer: { version: 2 } })
  expect(await ledgerRows(database.raw, 'delayed')).toHaveLength(2)
  await expectConsistent(store, database.raw, 'delayed')
})

async function race(
  userId: string,
  lose: (statement: HeldStatement) => Promise<void>,
): Promise<{ first: UpdateResult; second: UpdateResult; store: TestStore }> {
  const proxy = await database.openProxy()
  const [store, other] = [database.openStore({ url: proxy.url }), database.openStore()]
  await write(store, userId, [draft('BUY', 'AAPL', 5)])
  const held = proxy.hold(/^commit/)
  // The same words in both: only the hash chain can tell whose rows are there.
  const words = [draft('SELL', 'AAPL', 2, { price: 3, at: 2e15 })]
  const writing = write(store, userId, words, { requestId: 'first' })
  const statement = await held
  const rivals = write(other, userId, words, { requestId: 'second' })
  await backendWaitingForLock(database.raw)
  proxy.refuse(true)
  await lose(statement)
  const second = await rivals
  // Looking again is part of the promise.
  await waitUntil(() => proxy.refusals > 1)
  proxy.refuse(false)
  return { first: await writing, second, store }
}

describe('while the outcome of a commit is unknown, another replica writes for the same user', () => {
  test('after it, and is not taken for it', async () => {
    const { first, second, store } = await race('race-lost', cut)
    expect([second.answer.version, first.answer.version]).toEqual([2, 3])
    const rows = await ledgerRows(database.raw, 'race-lost')
    expect(rows.slice(1).map((row) => row.request_id)).toEqual(['second', 'first'])
    await expectConsistent(store, database.raw, 'race-lost')
  })

  test('on top of it, and does not hide it', async () => {
    const { first, second, store } = await race('race-kept', (statement) =>
      statement.loseAnswer('cut'),
    )
    expect([first.answer.version, second.answer.version]).toEqual([2, 3])
    const rows = await ledgerRows(database.raw, 'race-kept')
    expect(rows.slice(1).map((row) => row.request_id)).toEqual(['first', 'second'])
    await expect(write(store, 'race-kept', [draft('SELL', 'AAPL', 2)])).rejects.toMatchObject({
      reason: 'INSUFFICIENT_QUANTITY',
    })
    await expectConsistent(store, database.raw, 'race-kept')
  })
})

test('an outcome that stays unknown is said to be, and the same key tells it later', async () => {
  const proxy = await database.openProxy()
  const store = database.openStore({ url: proxy.url })
  const lose = async (userId: string, after: (held: HeldStatement) => Promise<void>) => {
    const held = proxy.hold(/^commit/)
    const writing = write(store, userId, [draft('BUY', 'AAPL')], { key: 'k' })
    const outcome = writing.catch((error: unknown) => error)
    const statement = await held
    return { outcome, strike: () => after(statement) }
  }
  const lost = [
    await lose('unknown-kept', (statement) => statement.loseAnswer('cut')),
    await lose('unknown-lost', cut),
  ]
  proxy.refuse(true)
  for (const { strike } of lost) await strike()
  for (const { outcome } of lost) {
    expect(await outcome).toMatchObject({
      reason: 'DATABASE_UNAVAILABLE',
      metadata: { outcome: 'unknown' },
      retryAfterMs: expect.any(Number),
    })
  }
  proxy.refuse(false)
  await expect(again(store, 'unknown-kept')).resolves.toMatchObject({ replayed: true })
  await expect(again(store, 'unknown-lost')).resolves.toMatchObject({ replayed: false })
  expect(await ledgerRows(database.raw, 'unknown-kept')).toHaveLength(1)
  expect(await ledgerRows(database.raw, 'unknown-lost')).toHaveLength(1)
})

test('a database that cannot be reached refuses writes and reads by name, with nothing written', async () => {
  const proxy: FaultyProxy = await database.openProxy()
  const store = database.openStore({ url: proxy.url })
  proxy.refuse(true)
  const [written, read] = await Promise.allSettled([
    write(store, 'unreachable', [draft('BUY', 'AAPL')]),
    store.portfolios.ledger('unreachable', {}),
  ])
  expect(written).toMatchObject({ reason: { reason: 'DATABASE_UNAVAILABLE', metadata: {} } })
  expect(read).toMatchObject({ reason: { reason: 'DATABASE_UNAVAILABLE' } })
  await expect(store.postgres.ping()).rejects.toThrow(/ECONNRESET|EPIPE/)
  expect(await rowCounts(database.raw, 'unreachable')).toEqual(NO_ROWS)
  proxy.refuse(false)
  await expect(again(store, 'unreachable')).resolves.toMatchObject({ answer: { version: 1 } })
})

function again(store: TestStore, userId: string): Promise<UpdateResult> {
  return write(store, userId, [draft('BUY', 'AAPL')], { key: 'k' })
}
