import { EventEmitter, once } from 'node:events'
import { afterEach, expect, test } from '@jest/globals'
import type { PortfolioCache, StateSource, VerifiedState } from '../../../../src/app/ports.ts'
import { decimal } from '../../../../src/domain/decimal.ts'
import { openPostgres, type Postgres } from '../../../../src/infra/postgres/postgres.ts'
import {
  callContext,
  draft,
  silentTelemetry,
  systemClock,
  useDatabase,
  write,
} from '../../../support/store.ts'

const STALENESS_MS = 60_000
const PROBE = /select user_id, version, chain_head/
const WHOLE = /left join holding/
const TOLERANT = { versionMin: undefined }

const opened: Postgres[] = []
// Defined before the database's own: closed before it is dropped.
afterEach(async () => {
  for (const postgres of opened.splice(0)) await postgres.close()
})
const database = useDatabase()

/** A cache of all replicas in the hands of the test. */
class TestCache implements PortfolioCache {
  readonly states = new Map<string, VerifiedState>()
  readonly dropped: string[] = []
  /** What `get` waits for. */
  gate: Promise<unknown> = Promise.resolve()
  gets = 0

  async get(userId: string): Promise<VerifiedState | undefined> {
    this.gets += 1
    await this.gate
    return this.states.get(userId)
  }

  put(verified: VerifiedState): void {
    this.states.set(verified.state.userId, verified)
  }

  async claimFill(): Promise<boolean> {
    return true
  }

  releaseFill(): void {}

  drop(userId: string): void {
    this.dropped.push(userId)
    this.states.delete(userId)
  }
}

function openReplica(
  options: {
    url?: string
    sharedCache?: PortfolioCache
    usersMax?: number
    stalenessMs?: number
  } = {},
) {
  const sources: StateSource[] = []
  const telemetry = {
    ...silentTelemetry,
    stateRead: (source: StateSource) => sources.push(source),
    sharedCacheFailed: () => undefined,
    sharedCacheLost: () => undefined,
    sharedCacheAvailable: () => undefined,
  }
  const postgres = openPostgres({
    databaseUrl: options.url ?? database.url,
    poolMax: 8,
    stateCacheUsersMax: options.usersMax ?? 1_000,
    clock: systemClock,
    telemetry,
    reading: {
      stalenessMs: options.stalenessMs ?? STALENESS_MS,
      sharedCache: options.sharedCache,
      telemetry,
    },
  })
  opened.push(postgres)
  const { portfolios, quoteStore } = postgres
  return {
    clock: systemClock,
    portfolios,
    quoteStore,
    quotes: { latest: () => undefined },
    sources,
    read: async (userId: string, versionMin?: number) =>
      (await portfolios.read(userId, callContext(), { versionMin }))?.state.version,
  }
}

test('a version is trusted for its time, and an etag that is newer is not', async () => {
  const [here, there] = [openReplica(), openReplica()]
  await write(here, 'trusted', [draft('BUY', 'AAPL')])
  expect(await there.read('trusted')).toBe(1)
  await write(here, 'trusted', [draft('BUY', 'AAPL')])
  expect(await there.read('trusted')).toBe(1)
  expect(await here.read('trusted')).toBe(2)
  expect(await there.read('trusted', 2)).toBe(2)
  expect(await there.read('trusted')).toBe(2)
  expect(there.sources).toEqual(['database', 'memory', 'database', 'memory'])
})

test('a read that tolerates nothing is never behind', async () => {
  const [here, there] = [openReplica(), openReplica()]
  for (let version = 1; version <= 20; version += 1) {
    await write(here, 'strict', [draft('BUY', 'AAPL')])
    const read = await there.portfolios.read('strict', callContext())
    expect(read?.state.version).toBe(version)
  }
})

test('all reads of a turn ask for their versions with one statement', async () => {
  const proxy = await database.openProxy()
  const replica = openReplica({ url: proxy.url, stalenessMs: 0 })
  const users = Array.from({ length: 50 }, (_, index) => `turn-${index}`)
  await Promise.all(users.map((userId) => write(replica, userId, [draft('BUY', 'AAPL')])))
  const first = proxy.hold(PROBE)
  let others = 0
  const reading = Promise.all(
    users.flatMap((userId) => [replica.read(userId), replica.read(userId)]),
  )
  const probe = await first
  void proxy.hold(PROBE).then(() => (others += 1))
  probe.pass()
  expect(new Set(await reading)).toEqual(new Set([1]))
  expect(others).toBe(0)
  expect(new Set(replica.sources)).toEqual(new Set(['memory']))
})

test('reads that come while a look at the versions is under way share the next one', async () => {
  const proxy = await database.openProxy()
  const replica = openReplica({ url: proxy.url, stalenessMs: 0 })
  const users = Array.from({ length: 20 }, (_, index) => `gathered-${index}`)
  await Promise.all(users.map((userId) => write(replica, userId, [draft('BUY', 'AAPL')])))
  const first = proxy.hold(PROBE)
  const reading = [replica.read('gathered-0')]
  const held = await first
  let looks = 0
  const count = async (): Promise<void> => {
    const look = await proxy.hold(PROBE)
    looks += 1
    void count()
    look.pass()
  }
  void count()
  for (const userId of users.slice(1)) {
    reading.push(replica.read(userId))
    await new Promise((resolve) => setImmediate(resolve))
  }
  held.pass()
  expect(new Set(await Promise.all(reading))).toEqual(new Set([1]))
  // One, or some more on a machine that stands still; a look for each turn would be 19.
  expect(looks).toBeLessThan(5)
})

test('a look at the versions that hangs holds up no later read', async () => {
  const proxy = await database.openProxy()
  const replica = openReplica({ url: proxy.url, stalenessMs: 0 })
  for (const userId of ['hangs', 'passes']) await write(replica, userId, [draft('BUY', 'AAPL')])
  const first = proxy.hold(PROBE)
  const hanging = replica.read('hangs')
  const held = await first
  expect(await replica.read('passes')).toBe(1)
  held.pass()
  expect(await hanging).toBe(1)
})

test('all who want a user at once share one read of the rows', async () => {
  const proxy = await database.openProxy()
  await write(openReplica(), 'shared', [draft('BUY', 'AAPL')])
  const replica = openReplica({ url: proxy.url })
  const first = proxy.hold(WHOLE)
  let others = 0
  const reading = Promise.all(Array.from({ length: 20 }, () => replica.read('shared')))
  const whole = await first
  void proxy.hold(WHOLE).then(() => (others += 1))
  whole.pass()
  expect(new Set(await reading)).toEqual(new Set([1]))
  expect(others).toBe(0)
})

test('a read under way does not answer for an etag that is newer than what it finds', async () => {
  const sharedCache = new TestCache()
  const there = openReplica({ sharedCache })
  const here = openReplica()
  await write(here, 'late', [draft('BUY', 'AAPL')])
  const old = (await here.portfolios.read('late', callContext(), TOLERANT))!.state
  sharedCache.put({ state: old, verifiedAtMs: performance.now() })
  const gate = new EventEmitter()
  sharedCache.gate = once(gate, 'open')
  const early = there.read('late')
  await write(here, 'late', [draft('BUY', 'AAPL')])
  const late = Promise.all([there.read('late', 2), there.read('late', 2)])
  gate.emit('open')
  expect(await early).toBe(1)
  expect(await late).toEqual([2, 2])
  expect(sharedCache.gets).toBe(2)
})

test('a replica does not go back to what the cache of all has of before', async () => {
  const sharedCache = new TestCache()
  const here = openReplica({ sharedCache, usersMax: 1 })
  await write(here, 'back', [draft('BUY', 'AAPL')])
  const old = sharedCache.states.get('back')!
  await write(here, 'back', [draft('BUY', 'AAPL')])
  // As if the second put had been lost, and then the user had to leave the memory.
  sharedCache.states.set('back', { ...old, verifiedAtMs: performance.now() })
  await write(here, 'other', [draft('BUY', 'AAPL')])
  expect(await here.read('back')).toBe(2)
  expect(here.sources).toEqual(['database'])
})

test('an old look is not enough: the database is asked, and the positions are taken all the same', async () => {
  const sharedCache = new TestCache()
  const [here, there] = [openReplica(), openReplica({ sharedCache })]
  await write(here, 'quiet', [draft('BUY', 'AAPL')])
  const { state } = (await here.portfolios.read('quiet', callContext(), TOLERANT))!
  sharedCache.put({ state, verifiedAtMs: -Infinity })
  expect(await there.read('quiet')).toBe(1)
  await write(here, 'quiet', [draft('BUY', 'AAPL')])
  const third = openReplica({ sharedCache })
  expect(await third.read('quiet')).toBe(2)
  expect([there.sources, third.sources]).toEqual([['shared-cache'], ['database']])
})

test('a history that the database no longer has is dropped from the cache of all', async () => {
  const sharedCache = new TestCache()
  const here = openReplica({ sharedCache })
  for (const _ of [1, 2, 3]) await write(here, 'restored', [draft('BUY', 'AAPL')])
  for (const table of ['portfolio', 'ledger', 'holding', 'lot', 'outbox']) {
    await database.raw.query(`delete from ${table} where user_id = 'restored'`)
  }
  await write(openReplica(), 'restored', [draft('BUY', 'MSFT')])
  const kept = sharedCache.states.get('restored')!
  sharedCache.put({ ...kept, verifiedAtMs: -Infinity })
  const there = openReplica({ sharedCache })
  expect(await there.read('restored')).toBe(1)
  expect(sharedCache.dropped).toEqual(['restored'])
  expect(sharedCache.states.get('restored')?.state.version).toBe(1)
})

test('what the cache of all replicas says is shown, and never decides a write', async () => {
  const sharedCache = new TestCache()
  const [here, there] = [openReplica(), openReplica({ sharedCache })]
  await write(here, 'forged', [draft('BUY', 'AAPL', 1)])
  const { state } = (await here.portfolios.read('forged', callContext(), TOLERANT))!
  const book = new Map(
    [...state.books.get('AAPL')!].map(([account, holding]) => [
      account,
      { ...holding, quantity: decimal(100), lotCount: 0, lots: [] },
    ]),
  )
  const forged = { ...state, books: new Map([['AAPL', book]]) }
  sharedCache.put({ state: forged, verifiedAtMs: performance.now() })
  const shown = await there.portfolios.read('forged', callContext(), TOLERANT)
  expect(shown?.state.books.get('AAPL')?.get('')?.quantity.toNumber()).toBe(100)
  await expect(write(there, 'forged', [draft('SELL', 'AAPL', 50)])).rejects.toMatchObject({
    reason: 'INSUFFICIENT_QUANTITY',
  })
})
