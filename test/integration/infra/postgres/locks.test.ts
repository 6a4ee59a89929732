import { expect, test } from '@jest/globals'
import {
  backendWaitingForLock,
  draft,
  ledgerRows,
  useDatabase,
  waitUntil,
  write,
} from '../../../support/store.ts'

const database = useDatabase()

async function lockPortfolio(userId: string) {
  const rival = await database.connect()
  await rival.query('begin')
  await rival.query('select from portfolio where user_id = $1 for update', [userId])
  return rival
}

test('a row that another transaction keeps fails its request by name, and nobody else', async () => {
  const store = database.openStore()
  await write(store, 'kept', [draft('BUY', 'AAPL')])
  await lockPortfolio('kept')
  const startedMs = performance.now()
  const outcome = write(store, 'kept', [draft('BUY', 'AAPL')]).catch((error: unknown) => error)
  await backendWaitingForLock(database.raw)
  const others = Array.from({ length: 20 }, (_, index) => `free-${index}`)
  await Promise.all(others.map((user) => write(store, user, [draft('BUY', 'AAPL')])))
  expect(performance.now() - startedMs).toBeLessThan(1_500)

  expect(await outcome).toMatchObject({ reason: 'DATABASE_UNAVAILABLE', metadata: {} })
  expect(performance.now() - startedMs).toBeLessThan(15_000)
  expect(new Set(store.failed)).toEqual(new Set(['transient']))
  expect(await ledgerRows(database.raw, 'kept')).toHaveLength(1)
})

test('a row that comes free in time only costs its request the wait', async () => {
  const store = database.openStore()
  await write(store, 'released', [draft('BUY', 'AAPL')])
  const rival = await lockPortfolio('released')
  const writing = write(store, 'released', [draft('BUY', 'AAPL')])
  await waitUntil(() => store.failed.length > 0)
  await rival.query('rollback')
  await expect(writing).resolves.toMatchObject({ answer: { version: 2 } })
  expect(store.failed).toEqual(['transient'])
  expect(await ledgerRows(database.raw, 'released')).toHaveLength(2)
})

test('a wait for a lock ends with the deadline of the caller', async () => {
  const store = database.openStore()
  await write(store, 'impatient', [draft('BUY', 'AAPL')])
  await lockPortfolio('impatient')
  const deadlineMs = performance.now() + 1_000
  await expect(
    write(store, 'impatient', [draft('BUY', 'AAPL')], { deadlineMs }),
  ).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' })
  // After the first wait for the lock, not after all that the store would try.
  expect(performance.now() - deadlineMs).toBeLessThan(3_000)
  expect(await ledgerRows(database.raw, 'impatient')).toHaveLength(1)
})

test('users in opposite orders, from two replicas, never lock each other out', async () => {
  const stores = [database.openStore(), database.openStore()] as const
  const users = Array.from({ length: 30 }, (_, index) => `order-${index}`)
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(
      stores.flatMap((store, index) =>
        (index === 0 ? users : users.toReversed()).map((user) =>
          write(store, user, [draft('BUY', 'AAPL')]),
        ),
      ),
    )
  }
  expect(stores.map(({ failed }) => failed)).toEqual([[], []])
  for (const user of users) expect(await ledgerRows(database.raw, user)).toHaveLength(20)
})
