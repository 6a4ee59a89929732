import { expect, test } from '@jest/globals'
import {
  draft,
  ledgerRows,
  NO_ROWS,
  rowCounts,
  systemClock,
  useDatabase,
  write,
} from '../../../support/store.ts'
import { expectConsistent } from './consistency.ts'

const PER_USER_MAX = 256
const TOTAL_MAX = 10_000

const database = useDatabase()

function at(index: number): number {
  return 1e15 + index * 1_000_000
}

test("a user's requests are written in the order of arrival, as many as may wait", async () => {
  const store = database.openStore()
  // All in one turn: the pump has not run, so that every one of them waits.
  const outcomes = await Promise.allSettled(
    Array.from({ length: PER_USER_MAX + 10 }, (_, index) =>
      write(store, 'eager', [draft('BUY', 'AAPL')], { requestId: `${index}` }),
    ),
  )
  for (const outcome of outcomes.slice(PER_USER_MAX)) {
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { reason: 'WRITE_QUEUE_FULL', retryAfterMs: expect.any(Number) },
    })
  }
  const rows = await ledgerRows(database.raw, 'eager')
  expect(rows.map((row) => row.request_id)).toEqual(
    Array.from({ length: PER_USER_MAX }, (_, index) => `${index}`),
  )
  await expect(write(store, 'eager', [draft('SELL', 'AAPL')])).resolves.toBeDefined()
})

test('a request that has to be tried again keeps its place before the next one', async () => {
  const proxy = await database.openProxy()
  const store = database.openStore({ url: proxy.url })
  await write(store, 'again', [draft('BUY', 'AAPL')], { requestId: '0' })
  const held = proxy.hold(/^commit/)
  const first = write(store, 'again', [draft('BUY', 'AAPL')], { requestId: '1' })
  const commit = await held
  const second = write(store, 'again', [draft('BUY', 'AAPL')], { requestId: '2' })
  // Another user's write goes by: the next one of this user had its chance to overtake.
  await write(store, 'passing', [draft('BUY', 'AAPL')])
  commit.cut()
  await Promise.all([first, second])
  const rows = await ledgerRows(database.raw, 'again')
  expect(rows.map((row) => row.request_id)).toEqual(['0', '1', '2'])
})

test('a full queue of one user leaves room for others, until all of it is full', async () => {
  const store = database.openStore()
  // Callers who have left: they fill the queue and cost nothing when their turn comes.
  const signal = AbortSignal.abort()
  const crowd = Promise.allSettled(
    Array.from({ length: TOTAL_MAX - 1 }, (_, index) =>
      write(store, `crowd-${Math.floor(index / PER_USER_MAX)}`, [draft('BUY', 'AAPL')], { signal }),
    ),
  )
  const last = write(store, 'last', [draft('BUY', 'AAPL')])
  const late = write(store, 'late', [draft('BUY', 'AAPL')])
  await expect(late).rejects.toMatchObject({ reason: 'WRITE_QUEUE_FULL' })
  await expect(last).resolves.toMatchObject({ answer: { version: 1 } })
  const reasons = (await crowd).map((outcome) =>
    outcome.status === 'rejected' ? (outcome.reason as { reason: string }).reason : 'written',
  )
  expect(new Set(reasons)).toEqual(new Set(['DEADLINE_EXCEEDED']))
  expect(await rowCounts(database.raw, 'crowd-0')).toEqual(NO_ROWS)
  await expect(write(store, 'late', [draft('BUY', 'AAPL')])).resolves.toBeDefined()
})

test('a request is not begun after its deadline, nor for a caller who has left', async () => {
  let nowMs = 1_000
  const store = database.openStore({ clock: { ...systemClock, monotonicMs: () => nowMs } })
  const leaving = new AbortController()
  const proxy = await database.openProxy()
  const proxied = database.openStore({
    url: proxy.url,
    clock: { ...systemClock, monotonicMs: () => nowMs },
  })
  await expect(
    write(store, 'expired', [draft('BUY', 'A')], { deadlineMs: 999 }),
  ).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' })
  expect(await rowCounts(database.raw, 'expired')).toEqual(NO_ROWS)

  // While the first is on its way to commit, the others wait: there their time runs out.
  const held = proxy.hold(/^commit/)
  const first = write(proxied, 'waiting', [draft('BUY', 'A')], { deadlineMs: 2_000 })
  const commit = await held
  const waiting = Promise.allSettled([
    write(proxied, 'waiting', [draft('BUY', 'B')], { deadlineMs: 2_000 }),
    write(proxied, 'waiting', [draft('BUY', 'C')], { deadlineMs: 9e9, signal: leaving.signal }),
    write(proxied, 'waiting', [draft('BUY', 'D')], { deadlineMs: 9e9 }),
  ])
  nowMs = 2_001
  leaving.abort()
  commit.pass()
  await expect(first).resolves.toMatchObject({ answer: { version: 1 } })
  expect(await waiting).toMatchObject([
    { reason: { reason: 'DEADLINE_EXCEEDED' } },
    { reason: { reason: 'DEADLINE_EXCEEDED' } },
    { value: { answer: { version: 2 } } },
  ])
  expect(await ledgerRows(database.raw, 'waiting')).toHaveLength(2)
})

test('a long replay is decided alone while others commit, and holds up its own user alone', async () => {
  const ENTRIES = 2_050
  const proxy = await database.openProxy()
  const store = database.openStore({ url: proxy.url })
  await write(
    store,
    'long',
    Array.from({ length: ENTRIES }, (_, index) =>
      draft(index % 2 === 0 ? 'BUY' : 'SELL', 'AAPL', 1, { price: 1 + (index % 7), at: at(index) }),
    ),
  )
  const done: string[] = []
  const finish = (name: string) => () => void done.push(name)
  const held = proxy.hold(/^\s*select ledger\.\*/)
  const replay = write(store, 'long', [draft('BUY', 'AAPL', 1, { price: 3, at: at(0) - 1 })]).then(
    finish('replay'),
  )
  const next = write(store, 'long', [draft('SELL', 'AAPL', 1)]).then(finish('next'))
  const others = Promise.all(
    ['other-1', 'other-2'].map((user) => write(store, user, [draft('BUY', 'AAPL')])),
  ).then(finish('others'))

  const history = await held
  await others
  await write(store, 'other-1', [draft('BUY', 'AAPL')])
  done.push('later')
  history.pass()
  await Promise.all([replay, next])
  expect(done).toEqual(['others', 'later', 'replay', 'next'])
  // The seed; the replay with the others, which was too long for them; the one that came later; the replay.
  expect(store.committed).toEqual([1, 3, 1, 1, 1])
  expect(store.failed).toEqual([])
  const { rows } = await database.raw.query<{ count: number }>(
    `select count(*)::int as count from lot_match
     where user_id = 'long' and to_version is null`,
  )
  expect(rows[0]?.count).toBe(ENTRIES / 2 + 1)
  const state = (await store.portfolios.ledger('long', {})).length
  expect(state).toBe(ENTRIES + 2)
  await expectConsistent(store, database.raw, 'long')
})
