import { expect, it } from '@jest/globals'
import { ledgerRows } from '../support/store.ts'
import { buy, purchase, useWatch } from '../support/watch.ts'

const fixture = useWatch()

/** Commits changes with large messages in one transaction, the first of which makes `version`. */
async function changeBy(userId: string, version: number, count: number): Promise<void> {
  const last = version + count - 1
  await fixture.database.raw.query(
    `with changed as (
       insert into outbox select $1, made, 0, now(), repeat('x', 500), made, made
       from generate_series($2::bigint, $3) as made)
     update portfolio set version = $3 where user_id = $1`,
    [userId, version, last],
  )
}

it('sends the present state and then each change in order, on every replica, while 8 writers write', async () => {
  const userIds = fixture.users('a', 'b', 'c', 'd')
  const replicas = [await fixture.start(), await fixture.start()]
  for (const userId of userIds) await buy(replicas[0]!.client, userId)
  const streams = replicas.map((replica) => fixture.watch(replica, { userIds }))
  for (const stream of streams) {
    for (const userId of userIds) {
      expect(await stream.nextOf('snapshot')).toMatchObject({
        userId,
        value: { detail: { version: 1n }, portfolio: { totalValue: 100 } },
      })
    }
  }
  // Two writers to each user, on both replicas.
  const etags = new Map<string, string>()
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    const userId = userIds[writer % userIds.length]!
    for (let count = 0; count < 25; count += 1) {
      const { headers } = await replicas[writer >> 2]!.client.update(purchase(userId))
      etags.set(`${userId} ${headers['portfolio-version']}`, headers['portfolio-etag']!)
    }
  })
  const seen = await Promise.all(streams.map((stream) => stream.changes(200)))
  await Promise.all(writers)
  for (const changes of seen) {
    for (const userId of userIds) {
      const own = changes.filter((change) => change.userId === userId)
      expect(own.map(({ version }) => Number(version))).toEqual(
        Array.from({ length: 50 }, (_, index) => index + 2),
      )
      expect(own.map(({ etag }) => etag)).toEqual(
        own.map(({ version }) => etags.get(`${userId} ${version}`)),
      )
      const ledger = await ledgerRows(fixture.database.raw, userId)
      expect(own.flatMap(({ transactionIds }) => transactionIds)).toEqual(
        ledger.slice(1).map(({ sequence }) => String(sequence)),
      )
    }
  }
})

it('does not pass over a change that commits after later ones of other users', async () => {
  const [late = '', early = ''] = fixture.users('late', 'early')
  const service = await fixture.start()
  for (const userId of [late, early]) await buy(service.client, userId)
  const stream = fixture.watch(service, { userIds: [late, early] })
  await stream.nextOf('snapshot')
  await stream.nextOf('snapshot')
  const open = await fixture.database.connect()
  await open.query('begin')
  await open.query('update portfolio set version = 2 where user_id = $1', [late])
  await open.query(`insert into outbox values ($1, 2, 0, now(), 'etag', 2, 2)`, [late])
  await buy(service.client, early)
  expect(await stream.changes(1)).toMatchObject([{ userId: early, version: 2n }])
  // By the time of recording it is the older one: whoever follows by any such position is past it already.
  const { rows } = await fixture.database.raw.query(
    `select user_id from outbox where user_id = any($1) and version = 2 and recorded_at >=
       (select recorded_at from outbox where user_id = $2 and version = 2)`,
    [[late, early], early],
  )
  await open.query('commit')
  expect(rows).toEqual([{ user_id: early }])
  expect(await stream.changes(1)).toMatchObject([{ userId: late, version: 2n, etag: 'etag' }])
})

it('goes on after the last message when its replica was restarted', async () => {
  const userIds = fixture.users('a', 'b')
  const [first = '', second = ''] = userIds
  const [stays, restarts] = [await fixture.start(), await fixture.start()]
  await buy(stays.client, first)
  const before = fixture.watch(restarts, { userIds })
  await before.nextOf('snapshot')
  await buy(stays.client, first)
  await buy(stays.client, second)
  await before.changes(2)
  await restarts.close()
  expect(await before.ended).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' })
  for (let count = 0; count < 100; count += 1) await buy(stays.client, first)
  await buy(stays.client, second)

  const restarted = await fixture.start()
  const after = fixture.watch(restarted, {
    userIds: userIds.toReversed(),
    resumeToken: before.resumeToken,
  })
  const missed = await after.changes(101)
  const versionsOf = (userId: string) =>
    missed.filter((change) => change.userId === userId).map(({ version }) => Number(version))
  expect(versionsOf(first)).toEqual(Array.from({ length: 100 }, (_, index) => index + 3))
  expect(versionsOf(second)).toEqual([2])
  // From the middle, on the other replica, and up to what comes only now.
  const again = fixture.watch(stays, { userIds, resumeToken: before.resumeToken })
  await again.changes(30)
  const middle = fixture.watch(stays, { userIds, resumeToken: again.resumeToken })
  await middle.changes(71)
  await buy(stays.client, second)
  expect(await middle.changes(1)).toMatchObject([{ userId: second, version: 3n }])
})

it('sends the present state where the changes since are no longer kept', async () => {
  const userIds = fixture.users('forgotten', 'kept')
  const [forgotten = '', kept = ''] = userIds
  const service = await fixture.start()
  for (const userId of userIds) await buy(service.client, userId)
  const stream = fixture.watch(service, { userIds })
  await stream.nextOf('snapshot')
  await stream.nextOf('snapshot')
  stream.close()
  for (const userId of [...userIds, ...userIds]) await buy(service.client, userId)
  await fixture.database.raw.query('delete from outbox where user_id = $1 and version <= 2', [
    forgotten,
  ])
  const resumed = fixture.watch(service, { userIds, resumeToken: stream.resumeToken })
  const seen = [await resumed.next(), await resumed.next(), await resumed.next()]
  expect(seen).toMatchObject([
    { userId: forgotten, event: { case: 'snapshot', value: { detail: { version: 3n } } } },
    { userId: kept, event: { case: 'change', value: { version: 2n } } },
    { userId: kept, event: { case: 'change', value: { version: 3n } } },
  ])
  // A replica of an older release writes none.
  await fixture.database.raw.query('update portfolio set version = 4 where user_id = $1', [kept])
  expect(await resumed.nextOf('snapshot')).toMatchObject({
    userId: kept,
    value: { detail: { version: 4n } },
  })
  await fixture.database.raw.query('update portfolio set version = 5 where user_id = $1', [kept])
  await buy(service.client, kept)
  for (let version = 0n; version < 6n;) {
    const { event } = await resumed.next()
    if (event.case === 'snapshot') version = event.value.detail!.version
    else if (event.case === 'change') version = event.value.version
    else throw new Error(`an unexpected ${event.case}`)
  }
})

it('drops a reader that takes nothing, while others go on', async () => {
  const [userId = ''] = fixture.users('busy')
  const service = await fixture.start({ stallMs: 0 })
  await buy(service.client, userId)
  // It reads what fits into its window, and then no more.
  const slow = fixture.watch(service, { userIds: [userId] }, { windowBytes: 1_024 })
  const quick = fixture.watch(service, { userIds: [userId] })
  await slow.nextOf('snapshot')
  await quick.nextOf('snapshot')
  slow.pause()
  const written = 500
  for (let version = 2; version <= written + 1; version += 50) {
    await changeBy(userId, version, 50)
    const changes = await quick.changes(50)
    expect(changes.map((change) => Number(change.version))).toEqual(
      Array.from({ length: 50 }, (_, index) => version + index),
    )
  }
  slow.resume()
  expect(await slow.ended).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'SLOW_READER' })
  // What it had taken is enough to go on from.
  let read = 0
  for (let isOver = false; !isOver;) {
    isOver = await slow.next().then(
      () => false,
      () => true,
    )
    if (!isOver) read += 1
  }
  expect(read).toBeLessThan(written)
  const resumed = fixture.watch(service, { userIds: [userId], resumeToken: slow.resumeToken })
  const rest = await resumed.changes(written - read)
  expect(rest.map(({ version }) => Number(version))).toEqual(
    Array.from({ length: written - read }, (_, index) => read + index + 2),
  )
})
