import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { decimal } from '../../../../src/domain/decimal.ts'
import { emptyHolding } from '../../../../src/domain/portfolio/holding.ts'
import { newPortfolio, type PortfolioState } from '../../../../src/domain/portfolio/state.ts'
import {
  openRedisCache,
  type RedisCache,
  stateKey,
} from '../../../../src/infra/redis/redis-cache.ts'
import { TestRedis } from '../../../support/redis.ts'
import { systemClock, waitUntil } from '../../../support/store.ts'

let redis: TestRedis
let cache: RedisCache
let failures: string[]
let isAvailable: boolean | undefined

beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.close())
beforeEach(async () => {
  await redis.command('flushall')
  failures = []
  cache = openRedisCache({
    redisUrl: redis.url,
    clock: systemClock,
    telemetry: {
      stateRead: () => undefined,
      sharedCacheFailed: (operation) => failures.push(operation),
      sharedCacheLost: () => (isAvailable = false),
      sharedCacheAvailable: () => (isAvailable = true),
    },
  })
  await cache.first
})
afterEach(() => cache.close())

function stateOf(userId: string, version: number): PortfolioState {
  const holding = { ...emptyHolding('AAPL', ''), quantity: decimal(version) }
  return {
    ...newPortfolio(userId),
    version,
    chainHead: Buffer.alloc(32, version),
    books: new Map([['AAPL', new Map([['', holding]])]]),
  }
}

function put(userId: string, version: number, verifiedAtMs = performance.now()): void {
  cache.put({ state: stateOf(userId, version), verifiedAtMs })
}

async function versionOf(userId: string): Promise<number | undefined> {
  return (await cache.get(userId, undefined))?.state.version
}

test('a refused password is told without it', async () => {
  const told: string[] = []
  await redis.command('config', 'set', 'requirepass', 'another')
  const refused = openRedisCache({
    redisUrl: redis.url.replace('//', '//:hunter2@'),
    clock: systemClock,
    telemetry: {
      stateRead: () => undefined,
      sharedCacheFailed: (operation, reason) => told.push(operation, reason),
      sharedCacheLost: (reason) => told.push(reason),
      sharedCacheAvailable: () => undefined,
    },
  })
  try {
    await refused.first
    expect(told.join(' ')).toMatch(/WRONGPASS/)
    expect(told.join(' ')).not.toMatch(/hunter2/)
  } finally {
    refused.close()
    await redis.restart()
  }
})

test('a state comes back with the moment it was verified, never a later one', async () => {
  const verifiedAtMs = performance.now()
  put('alice', 3, verifiedAtMs)
  const found = await cache.get('alice', undefined)
  expect(found?.state).toEqual(stateOf('alice', 3))
  expect(found?.verifiedAtMs).toBeLessThanOrEqual(verifiedAtMs)
  expect(found?.verifiedAtMs).toBeGreaterThan(verifiedAtMs - 100)
  const held = stateOf('alice', 3)
  expect((await cache.get('alice', held))?.state).toBe(held)
  expect(await cache.get('bob', undefined)).toBeUndefined()
})

test('reads that come while an answer is under way share the next command', async () => {
  const users = Array.from({ length: 50 }, (_, index) => `gathered-${index}`)
  for (const [index, user] of users.entries()) put(user, index + 1)
  await versionOf('alice')
  await redis.command('config', 'resetstat')
  expect(await Promise.all(users.map(versionOf))).toEqual(users.map((_, index) => index + 1))
  const stats = String(await redis.command('info', 'commandstats'))
  const calls = [...stats.matchAll(/cmdstat_m?get:calls=(\d+)/g)].map(([, count]) => Number(count))
  expect(calls).toEqual([2])
})

test('its life is limited, and not the same for all', async () => {
  const users = Array.from({ length: 20 }, (_, index) => `user-${index}`)
  for (const user of users) put(user, 1)
  await versionOf('alice')
  const lives = await Promise.all(users.map((user) => redis.command('pttl', stateKey(user))))
  for (const life of lives) {
    expect(life).toBeGreaterThan(3_230_000)
    expect(life).toBeLessThanOrEqual(3_960_000)
  }
  const seconds = lives.map((life) => Math.round(Number(life) / 1_000))
  expect(new Set(seconds).size).toBeGreaterThan(10)
})

test('a slow filler does not put an older version back, nor an older look at the same one', async () => {
  put('alice', 7)
  const verifiedAtMs = (await cache.get('alice', undefined))!.verifiedAtMs
  put('alice', 6)
  expect(await versionOf('alice')).toBe(7)
  put('alice', 7, verifiedAtMs - 500)
  expect((await cache.get('alice', undefined))!.verifiedAtMs).toBe(verifiedAtMs)
  put('alice', 10)
  expect(await versionOf('alice')).toBe(10)
})

test('negative control: a plain SET would put it back', async () => {
  put('alice', 6)
  await versionOf('alice')
  const older = await redis.command('get', stateKey('alice'))
  put('alice', 7)
  expect(await versionOf('alice')).toBe(7)
  await redis.command('set', stateKey('alice'), String(older))
  expect(await versionOf('alice')).toBe(6)
})

test.each([
  ['garbage', ['set', 'garbage']],
  ['nothing', ['set', '']],
  ['bytes that are no text', ['set', Buffer.from([0xff, 0x00, 0xfe])]],
  ['a later version without a digest', ['set', `999 9 ab ${'0'.repeat(64)} ${'0'.repeat(32)}\n{}`]],
  ['a list', ['rpush', 'item']],
  ['a hash', ['hset', 'field', 'value']],
] as const)('%s in place of a value is a miss, and makes room', async (_, [name, ...values]) => {
  await redis.command(name, stateKey('alice'), ...values)
  expect(await versionOf('alice')).toBeUndefined()
  put('alice', 2)
  expect(await versionOf('alice')).toBe(2)
  expect(isAvailable).toBe(true)
})

test('a flipped bit is a miss; negative control: without the digest it would be an answer', async () => {
  put('alice', 2)
  await versionOf('alice')
  const value = String(await redis.command('get', stateKey('alice')))
  const flipped = value.replace('["2",', '["3",')
  expect(flipped).not.toBe(value)
  expect(JSON.parse(flipped.slice(flipped.indexOf('\n')))).toBeInstanceOf(Object)
  await redis.command('set', stateKey('alice'), flipped)
  expect(await versionOf('alice')).toBeUndefined()
})

test('another user’s value is a miss', async () => {
  put('alice', 2)
  await versionOf('alice')
  await redis.command('copy', stateKey('alice'), stateKey('bob'))
  expect(await versionOf('alice')).toBe(2)
  expect(await versionOf('bob')).toBeUndefined()
})

test('a server that hangs costs one wait, and is asked again when it answers', async () => {
  put('alice', 2)
  expect(await versionOf('alice')).toBe(2)
  redis.pause()
  try {
    const startedMs = performance.now()
    await expect(
      Promise.all(Array.from({ length: 50 }, () => versionOf('alice'))),
    ).resolves.toEqual(Array.from({ length: 50 }, () => undefined))
    expect(performance.now() - startedMs).toBeGreaterThan(40)
    // Passed by: answered in the same turn, before anything that waits for a timer or the network.
    const next = await Promise.race([
      cache.get('alice', undefined).then(() => 'passed by'),
      new Promise((resolve) => setImmediate(resolve, 'waited')),
    ])
    expect(next).toBe('passed by')
    expect(isAvailable).toBe(false)
  } finally {
    redis.resume()
  }
  await waitUntil(() => isAvailable === true)
  expect(await versionOf('alice')).toBe(2)
})

test('a process that is busy for longer than it would wait does not blame the server', async () => {
  put('alice', 2)
  await versionOf('alice')
  const reading = versionOf('alice')
  // Lets the command leave, and the answer come, before the long turn ends.
  const endMs = performance.now() + 200
  await Promise.resolve()
  while (performance.now() < endMs);
  expect(await reading).toBe(2)
  expect(failures).toEqual([])
})

test('what was put while the server hung does not pass for new when it wakes', async () => {
  redis.pause()
  const verifiedAtMs = performance.now()
  try {
    put('alice', 4, verifiedAtMs)
    await waitUntil(() => isAvailable === false)
  } finally {
    redis.resume()
  }
  await waitUntil(async () => isAvailable === true && (await versionOf('alice')) === 4)
  const found = await cache.get('alice', undefined)
  expect(found!.verifiedAtMs).toBeLessThanOrEqual(verifiedAtMs)
})

test('a server that ended is passed by, and a new one under its address is used', async () => {
  put('alice', 2)
  expect(await versionOf('alice')).toBe(2)
  await redis.stop()
  await waitUntil(() => isAvailable === false)
  expect(await versionOf('alice')).toBeUndefined()
  put('alice', 3)
  await redis.restart()
  await waitUntil(() => isAvailable === true)
  expect(await versionOf('alice')).toBeUndefined()
  put('alice', 3)
  expect(await versionOf('alice')).toBe(3)
})

test('a value of another run of the server counts as not verified', async () => {
  put('alice', 2)
  await versionOf('alice')
  const text = String(await redis.command('get', stateKey('alice')))
  await redis.restart()
  await waitUntil(async () => {
    await redis.command('set', stateKey('alice'), text)
    return isAvailable === true && (await versionOf('alice')) === 2
  })
  expect((await cache.get('alice', undefined))!.verifiedAtMs).toBe(-Infinity)
  put('alice', 2)
  expect((await cache.get('alice', undefined))!.verifiedAtMs).toBeGreaterThan(0)
})

test('a full server keeps nothing, and is no error', async () => {
  await redis.command('config', 'set', 'maxmemory', '1')
  try {
    put('alice', 2)
    expect(await versionOf('alice')).toBeUndefined()
    expect(failures).toContain('put')
    expect(isAvailable).toBe(true)
  } finally {
    await redis.command('config', 'set', 'maxmemory', '0')
  }
  put('alice', 2)
  expect(await versionOf('alice')).toBe(2)
})

test('a dropped user is gone', async () => {
  put('alice', 2)
  cache.drop('alice')
  expect(await versionOf('alice')).toBeUndefined()
})
