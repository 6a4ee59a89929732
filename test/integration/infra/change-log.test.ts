import { expect, it } from '@jest/globals'
import { expireChanges } from '../../../src/app/portfolio/expire-changes.ts'
import { MICROSECONDS_PER_DAY } from '../../../src/domain/time.ts'
import { draft, systemClock, useDatabase, write } from '../../support/store.ts'

const database = useDatabase()

it('forgets the changes of more than a day ago, and only while its replica has the lease', async () => {
  const start = systemClock.now()
  let now = start
  const clock = { ...systemClock, now: () => now }
  const store = database.openStore({ clock })
  const { changeLog, leases } = store.postgres
  const ports = { clock, changeLog, leases }
  for (let version = 1; version <= 4; version += 1) {
    now = start + version * 3_600_000_000
    await write(store, 'user', [draft('BUY', 'AAPL')])
  }
  const kept = async () =>
    (await changeLog.changesAfter(new Map([['user', 0]]), 100)).map(({ version }) => version)
  expect(await kept()).toEqual([1, 2, 3, 4])
  now = start + MICROSECONDS_PER_DAY + 2 * 3_600_000_000
  await expireChanges(ports, 'first')
  expect(await kept()).toEqual([2, 3, 4])
  now += 60_000_000
  await expireChanges(ports, 'second')
  expect(await kept()).toEqual([2, 3, 4])
  await expireChanges(ports, 'first')
  expect(await kept()).toEqual([3, 4])
  now += MICROSECONDS_PER_DAY
  await database.raw.query('update lease set expires_at = now()')
  await expireChanges(ports, 'second')
  expect(await kept()).toEqual([])
})

it('gives the changes of many users in order of user and version, as many as are asked for', async () => {
  const store = database.openStore()
  const { changeLog } = store.postgres
  const users = ['order-a', 'order-b', 'order-c']
  for (const user of [...users, ...users, ...users]) {
    await write(store, user, [draft('BUY', 'AAPL'), draft('BUY', 'MSFT')])
  }
  const versions = new Map([
    ['order-b', 2],
    ['order-a', 1],
    ['order-d', 0],
  ])
  const changes = await changeLog.changesAfter(versions, 100)
  expect(changes).toMatchObject([
    { userId: 'order-a', version: 2, firstSequence: 3, lastSequence: 4 },
    { userId: 'order-a', version: 3, firstSequence: 5, lastSequence: 6 },
    { userId: 'order-b', version: 3, firstSequence: 5, lastSequence: 6 },
  ])
  expect(await changeLog.changesAfter(versions, 2)).toEqual(changes.slice(0, 2))
  expect(await changeLog.versions(['order-a', 'order-d'])).toEqual(new Map([['order-a', 3]]))
})
