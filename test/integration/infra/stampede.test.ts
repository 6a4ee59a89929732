import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { StateSource } from '../../../src/app/ports.ts'
import { openPostgres, type Postgres } from '../../../src/infra/postgres/postgres.ts'
import { fillKey, openRedisCache, type RedisCache } from '../../../src/infra/redis/redis-cache.ts'
import { TestRedis } from '../../support/redis.ts'
import {
  callContext,
  draft,
  silentTelemetry,
  systemClock,
  useDatabase,
  write,
} from '../../support/store.ts'

const REPLICAS = 8
const TOLERANT = { versionMin: undefined }

let redis: TestRedis
const opened: { postgres: Postgres; cache: RedisCache }[] = []

beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.close())
beforeEach(() => redis.command('flushall'))
// Defined before the database's own: closed before it is dropped.
afterEach(async () => {
  for (const { postgres, cache } of opened.splice(0)) {
    await postgres.close()
    cache.close()
  }
})
const database = useDatabase()

/** A store as a service process has it, with a connection to Redis of its own. */
async function openReplica() {
  const sources: StateSource[] = []
  const telemetry = {
    ...silentTelemetry,
    stateRead: (source: StateSource) => sources.push(source),
    sharedCacheFailed: () => undefined,
    sharedCacheLost: () => undefined,
    sharedCacheAvailable: () => undefined,
  }
  const cache = openRedisCache({ redisUrl: redis.url, clock: systemClock, telemetry })
  const postgres = openPostgres({
    databaseUrl: database.url,
    poolMax: 2,
    stateCacheUsersMax: 1_000,
    clock: systemClock,
    telemetry,
    reading: { stalenessMs: 60_000, sharedCache: cache, telemetry },
  })
  opened.push({ postgres, cache })
  await cache.first
  await postgres.ping()
  const read = async (userId: string) =>
    (await postgres.portfolios.read(userId, callContext(), TOLERANT))?.state.version
  return { sources, cache, read }
}

test('of all replicas that miss a user at once one reads the rows', async () => {
  const users = Array.from({ length: 10 }, (_, index) => `stampede-${index}`)
  for (const userId of users) await write(database.openStore(), userId, [draft('BUY', 'AAPL')])
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, openReplica))
  for (const userId of users) {
    const versions = await Promise.all(replicas.map(({ read }) => read(userId)))
    expect(new Set(versions)).toEqual(new Set([1]))
  }
  const sources = replicas.flatMap((replica) => replica.sources)
  expect(sources).toHaveLength(users.length * REPLICAS)
  // One for each user, or some more on a machine that stands still; without the guard all 80.
  const read = sources.filter((source) => source === 'database')
  expect(read.length).toBeGreaterThanOrEqual(users.length)
  expect(read.length).toBeLessThan(2 * users.length)
})

test('a replica that ended while it filled holds up nobody for long', async () => {
  const userId = 'left'
  await write(database.openStore(), userId, [draft('BUY', 'AAPL')])
  const replica = await openReplica()
  await redis.command('set', fillKey(userId), '1')
  expect(await replica.read(userId)).toBe(1)
  expect(replica.sources).toEqual(['database'])
})

test('whoever has filled, or found nothing, leaves no claim behind', async () => {
  const replica = await openReplica()
  await write(database.openStore(), 'known', [draft('BUY', 'AAPL')])
  expect(await replica.read('known')).toBe(1)
  expect(await replica.read('unknown')).toBeUndefined()
  for (const userId of ['known', 'unknown']) {
    expect(await replica.cache.claimFill(userId)).toBe(true)
    expect(await replica.cache.claimFill(userId)).toBe(false)
  }
})
