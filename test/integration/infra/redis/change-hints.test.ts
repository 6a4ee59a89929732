import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { ChangeHints } from '../../../../src/app/ports.ts'
import { openRedisHints } from '../../../../src/infra/redis/change-hints.ts'
import { TestRedis } from '../../../support/redis.ts'
import { waitUntil } from '../../../support/store.ts'

let redis: TestRedis
const closers: (() => void)[] = []
beforeEach(async () => {
  redis = await TestRedis.start()
})
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await redis.close()
})

interface Replica {
  readonly hints: ChangeHints
  readonly heard: string[]
  /** Times it was told of market data. */
  readonly news: number[]
  readonly failures: unknown[]
}

function open(): Replica {
  const heard: string[] = []
  const news: number[] = []
  const failures: unknown[] = []
  const hints = openRedisHints({
    redisUrl: redis.url,
    onHint: (userId) => heard.push(userId),
    onMarketData: () => news.push(heard.length),
    onFailure: (error) => failures.push(error),
  })
  closers.push(() => hints.close())
  return { hints, heard, news, failures }
}

/** Announces until it is heard: what is announced before both sides are connected is lost, as it may be. */
async function untilHeard(from: Replica, to: Replica, userId: string): Promise<void> {
  await waitUntil(() => {
    from.hints.announce(userId)
    return to.heard.includes(userId)
  })
}

it('tells every replica of what one announces, and of much at once by one entry', async () => {
  const [one, other] = [open(), open()]
  await untilHeard(one, other, 'a "quoted" user')
  await untilHeard(other, one, 'connected')
  const length = Number(await redis.command('xlen', 'portfolio:changes:1'))
  const users = Array.from({ length: 500 }, (_, index) => `user-${index}`)
  for (const userId of users) one.hints.announce(userId)
  await waitUntil(() =>
    [one, other].every(({ heard }) => users.every((userId) => heard.includes(userId))),
  )
  expect(Number(await redis.command('xlen', 'portfolio:changes:1'))).toBe(length + 1)
  expect([...one.failures, ...other.failures]).toEqual([])
})

it('tells every replica of new market data, and of nothing else by it', async () => {
  const [one, other] = [open(), open()]
  await untilHeard(one, other, 'connected')
  expect(other.news).toEqual([])
  const heard = [...new Set(other.heard)]
  one.hints.announceMarketData()
  await waitUntil(() => other.news.length > 0 && one.news.length > 0)
  expect([...new Set(other.heard)]).toEqual(heard)
})

it('keeps the stream short, and passes over what is not its own', async () => {
  const [one, other] = [open(), open()]
  await untilHeard(one, other, 'connected')
  for (const value of ['no JSON', '{"a":1}', '[1,null,"heard all the same"]']) {
    await redis.command('xadd', 'portfolio:changes:1', '*', 'users', value)
  }
  await waitUntil(() => other.heard.includes('heard all the same'))
  for (let count = 0; count < 1_400; count += 1) {
    await redis.command('xadd', 'portfolio:changes:1', '*', 'users', '[]')
    if (count % 500 === 0) await untilHeard(one, other, `still ${count}`)
  }
  await untilHeard(one, other, 'last')
  expect(Number(await redis.command('xlen', 'portfolio:changes:1'))).toBeLessThan(1_200)
  expect(other.failures).toEqual([])
})

it('says once that the server is gone, is no error to anybody, and goes on when it is back', async () => {
  const [one, other] = [open(), open()]
  await untilHeard(one, other, 'before')
  await redis.stop()
  await waitUntil(() => one.failures.length > 0 && other.failures.length > 0)
  one.hints.announce('lost')
  await redis.restart()
  await untilHeard(one, other, 'after')
  expect([one.failures.length, other.failures.length]).toEqual([1, 1])
  expect(other.heard).not.toContain('lost')
})

it('goes on after the server lost its stream, and over a key of another type once it is gone', async () => {
  const [one, other] = [open(), open()]
  await untilHeard(one, other, 'before')
  await redis.command('flushall')
  await untilHeard(one, other, 'flushed')
  await redis.command('flushall')
  await redis.command('set', 'portfolio:changes:1', 'garbage')
  await waitUntil(() => other.failures.length > 0)
  await redis.command('del', 'portfolio:changes:1')
  await untilHeard(one, other, 'again')
  // It reads by itself, and may still have been waiting after its failure.
  await waitUntil(() => one.heard.includes('again'))
  expect(one.heard).toContain('again')
})
