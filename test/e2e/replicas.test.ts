import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { stateKey } from '../../src/infra/redis/redis-cache.ts'
import { failureOf } from '../support/client.ts'
import { findTestRedis, TestRedis } from '../support/redis.ts'
import { type RunningService, useService } from '../support/service.ts'
import { waitUntil } from '../support/store.ts'

const WRITES = 2_000
const LANES = 8
const READ_STALENESS_MS = 300
/** What a machine that is busy with other tests may add to a promise of time. */
const SLACK_MS = 50

const PATIENCE_MS = 120_000
const MAKE_LIST = "redis.call('del', KEYS[1]) return redis.call('rpush', KEYS[1], 'item')"

const fixture = useService()

let users = 0
const newUser = (): string => `replicated-${process.pid}-${Date.now()}-${(users += 1)}`

const buyOne = (userId: string) => ({
  userId,
  transactions: [{ symbol: 'AAPL', quantity: 1, price: 1 }],
})

interface Tally {
  reads: number
  stale: number
  cached: number
  failed: string[]
}

/** Writes on one replica and reads on another with the etag of the write, in lanes of a user each. */
async function writeHereReadThere(
  [here, there]: readonly [RunningService, RunningService],
  writes: number,
  interfere: (write: number) => Promise<unknown> | void = () => undefined,
): Promise<Tally> {
  const tally: Tally = { reads: 0, stale: 0, cached: 0, failed: [] }
  let next = 0
  const lane = async (): Promise<void> => {
    const userId = newUser()
    for (let quantity = 1; next < writes; quantity += 1) {
      next += 1
      await interfere(next)
      const { headers } = await here.client.update(buyOne(userId))
      const minEtag = headers['portfolio-etag']!
      try {
        const { message } = await there.client.get({ userId, minEtag })
        tally.reads += 1
        if (message.portfolio?.assets[0]?.quantity !== quantity) tally.stale += 1
        if (message.servedFromCache) tally.cached += 1
      } catch (error) {
        tally.failed.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return tally
}

/** Writes on one replica for some time and reads on the other without an etag; gives the age of each stale answer. */
async function agesOfAnswers(
  here: RunningService,
  there: RunningService,
  interfere: (version: number) => void = () => undefined,
): Promise<number[]> {
  const userId = newUser()
  const acknowledgedMs: number[] = []
  const ages: number[] = []
  await here.client.update(buyOne(userId))
  acknowledgedMs[1] = performance.now()
  const endMs = performance.now() + 4 * READ_STALENESS_MS
  const writing = (async () => {
    for (let version = 2; performance.now() < endMs; version += 1) {
      interfere(version)
      await here.client.update(buyOne(userId))
      acknowledgedMs[version] = performance.now()
    }
  })()
  while (performance.now() < endMs) {
    const askedMs = performance.now()
    const { message } = await there.client.get({ userId })
    const missed = acknowledgedMs[Number(message.detail!.version) + 1]
    ages.push(missed === undefined ? 0 : Math.max(0, askedMs - missed))
  }
  await writing
  return ages
}

/** Resolves when the last that a replica logged is that it uses its Redis. */
async function available(service: RunningService): Promise<void> {
  await waitUntil(() => /the shared cache answers/.test(service.log.at(-1) ?? ''))
}

describe('two replicas with a Redis', () => {
  let redis: { url: string; close(): Promise<void> }
  let replicas: [RunningService, RunningService]
  const start = (environment: Readonly<Record<string, string>>) =>
    fixture.start({ REDIS_URL: redis.url, ...environment })

  beforeAll(async () => {
    redis = await findTestRedis()
  })
  afterAll(() => redis.close())

  it(
    'never answer an etag with anything older',
    async () => {
      replicas = [await start({}), await start({})]
      const tally = await writeHereReadThere(replicas, WRITES)
      expect(tally).toMatchObject({ reads: WRITES, stale: 0, failed: [] })
      // The other replica learnt of most from Redis, before it would have asked the database.
      expect(tally.cached).toBeGreaterThan(WRITES / 2)
    },
    PATIENCE_MS,
  )

  it('negative control: without the etag some of those answers are stale', async () => {
    replicas = [await start({}), await start({})]
    const userId = newUser()
    let stale = 0
    for (let version = 1; version <= 50; version += 1) {
      await replicas[0].client.update(buyOne(userId))
      const { message } = await replicas[1].client.get({ userId })
      if (message.detail?.version !== BigInt(version)) stale += 1
    }
    expect(stale).toBeGreaterThan(0)
  })

  it('are never older than READ_STALENESS_MS without an etag', async () => {
    const environment = { READ_STALENESS_MS: `${READ_STALENESS_MS}` }
    const ages = await agesOfAnswers(await start(environment), await start(environment))
    expect(Math.max(...ages)).toBeLessThanOrEqual(READ_STALENESS_MS + SLACK_MS)
    expect(ages.length).toBeGreaterThan(50)
    expect(ages.filter((age) => age > 0).length).toBeGreaterThan(0)
  })

  it('answer an etag of the future with a refusal, not with something older', async () => {
    const [here] = [await start({})]
    const userId = newUser()
    await here.client.update(buyOne(userId))
    const minEtag = `99-${'0'.repeat(16)}`
    expect(await failureOf(here.client.get({ userId, minEtag }))).toMatchObject({
      reason: 'ETAG_MISMATCH',
    })
  })
})

describe('a Redis in trouble', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await TestRedis.start()
  })
  afterEach(() => redis.resume())
  afterAll(() => redis.close())

  const start = (environment: Readonly<Record<string, string>> = {}) =>
    fixture.start({ REDIS_URL: redis.url, ...environment })

  const TROUBLES: readonly [string, () => Promise<unknown> | void][] = [
    ['is stopped', () => redis.stop()],
    ['hangs', () => redis.pause()],
    ['is flushed', () => redis.command('flushall')],
    ['is full', () => redis.command('config', 'set', 'maxmemory', '1')],
    [
      'evicts',
      async () => {
        await redis.command('config', 'set', 'maxmemory-policy', 'allkeys-random')
        await redis.command('config', 'set', 'maxmemory', '1')
      },
    ],
    [
      'holds garbage',
      async () => {
        const keys = (await redis.command('keys', '*')) as string[]
        expect(keys.length).toBeGreaterThan(0)
        for (const key of keys) await redis.command('set', key, `7 7 ab ${'0'.repeat(64)} garbage`)
      },
    ],
    [
      'holds lists',
      async () => {
        for (const key of (await redis.command('keys', '*')) as string[]) {
          await redis.command('eval', MAKE_LIST, 1, key)
        }
      },
    ],
  ]

  it.each(TROUBLES)(
    'that %s in the middle fails no read, and makes none stale',
    async (_, trouble) => {
      await redis.restart()
      const replicas = [await start(), await start()] as const
      await Promise.all(replicas.map(available))
      const tally = await writeHereReadThere(replicas, 600, (write) =>
        write === 200 ? trouble() : undefined,
      )
      expect(tally).toMatchObject({ reads: 600, stale: 0, failed: [] })
    },
  )

  it(
    'that hangs and wakes again and again makes none stale either',
    async () => {
      await redis.restart()
      const replicas = [await start(), await start()] as const
      await Promise.all(replicas.map(available))
      const tally = await writeHereReadThere(replicas, 1_000, (write) => {
        if (write % 100 === 0) redis.pause()
        if (write % 100 === 50) redis.resume()
      })
      redis.resume()
      expect(tally).toMatchObject({ reads: 1_000, stale: 0, failed: [] })
    },
    PATIENCE_MS,
  )

  it('that hangs and wakes makes no answer older than READ_STALENESS_MS', async () => {
    await redis.restart()
    const environment = { READ_STALENESS_MS: `${READ_STALENESS_MS}` }
    const [here, there] = [await start(environment), await start(environment)]
    await Promise.all([here, there].map(available))
    const ages = await agesOfAnswers(here, there, (version) => {
      if (version % 40 === 0) redis.pause()
      if (version % 40 === 20) redis.resume()
    })
    redis.resume()
    expect(Math.max(...ages)).toBeLessThanOrEqual(READ_STALENESS_MS + SLACK_MS)
  })

  it('that is not there at the start keeps no replica from serving', async () => {
    await redis.stop()
    const here = await start()
    const userId = newUser()
    await here.client.update(buyOne(userId))
    expect((await here.client.get({ userId })).message.detail?.version).toBe(1n)
    await redis.restart()
    await available(here)
    await here.client.update(buyOne(userId))
    await waitUntil(async () => (await redis.command('exists', stateKey(userId))) === 1)
  })

  it('is asked for positions by a replica that never saw the user', async () => {
    await redis.restart()
    const [here, there] = [await start(), await start()]
    await Promise.all([here, there].map(available))
    const userId = newUser()
    await here.client.update(buyOne(userId))
    await waitUntil(async () => (await redis.command('exists', stateKey(userId))) === 1)
    const { message } = await there.client.get({ userId })
    expect(message).toMatchObject({ servedFromCache: true, portfolio: { totalValue: 1 } })
  })
})

describe('two replicas without a Redis', () => {
  it(
    'never answer an etag with anything older',
    async () => {
      const replicas = [await fixture.start(), await fixture.start()] as const
      const tally = await writeHereReadThere(replicas, WRITES)
      expect(tally).toMatchObject({ reads: WRITES, stale: 0, failed: [] })
    },
    PATIENCE_MS,
  )

  it('are never older than READ_STALENESS_MS without an etag', async () => {
    const environment = { READ_STALENESS_MS: `${READ_STALENESS_MS}` }
    const ages = await agesOfAnswers(
      await fixture.start(environment),
      await fixture.start(environment),
    )
    expect(Math.max(...ages)).toBeLessThanOrEqual(READ_STALENESS_MS + SLACK_MS)
    expect(ages.filter((age) => age > 0).length).toBeGreaterThan(0)
  })

  it('with a staleness of 0 see every write at once', async () => {
    const environment = { READ_STALENESS_MS: '0' }
    const ages = await agesOfAnswers(
      await fixture.start(environment),
      await fixture.start(environment),
    )
    expect(Math.max(...ages)).toBe(0)
  })
})

describe('the replica that wrote', () => {
  it('sees its own write at once, though it keeps next to nothing in memory', async () => {
    const here = await fixture.start({ STATE_CACHE_USERS_MAX: '1', READ_STALENESS_MS: '60000' })
    const userId = newUser()
    const seen: number[] = []
    for (let version = 1; version <= 100; version += 1) {
      await here.client.update(buyOne(userId))
      // Pushes the user out of memory, and leaves a read of an older version under way.
      const [{ message }] = await Promise.all([
        here.client.get({ userId }),
        here.client.update(buyOne(newUser())),
      ])
      seen.push(Number(message.detail?.version))
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  })
})
