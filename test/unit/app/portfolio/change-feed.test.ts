import { expect, it } from '@jest/globals'
import { ChangeFeed } from '../../../../src/app/portfolio/change-feed.ts'
import type { ChangeLog, CommittedChange } from '../../../../src/app/ports.ts'

function change(userId: string, version: number): CommittedChange {
  return { userId, version, etag: `${version}`, firstSequence: version, lastSequence: version }
}

/** A log in memory; each user's versions are 1 to n, of which those from `from` on are kept. */
class MemoryLog implements ChangeLog {
  readonly #users = new Map<string, { from: number; version: number }>()
  reads: string[] = []
  failure: Error | undefined

  commit(userId: string, count = 1): void {
    const user = this.#users.get(userId) ?? { from: 1, version: 0 }
    this.#users.set(userId, { ...user, version: user.version + count })
  }

  forget(userId: string, until: number): void {
    const { version } = this.#users.get(userId)!
    this.#users.set(userId, { from: until + 1, version })
  }

  async versions(userIds: readonly string[]) {
    this.reads.push(`versions ${userIds.join()}`)
    if (this.failure !== undefined) throw this.failure
    return new Map(userIds.map((userId) => [userId, this.#users.get(userId)?.version ?? 0]))
  }

  async changesAfter(versions: ReadonlyMap<string, number>, countMax: number) {
    this.reads.push(`changes ${[...versions.keys()].join()}`)
    const changes: CommittedChange[] = []
    for (const [userId, after] of versions) {
      const { from, version } = this.#users.get(userId)!
      for (let next = Math.max(from, after + 1); next <= version; next += 1) {
        changes.push(change(userId, next))
      }
    }
    return changes.slice(0, countMax)
  }

  async expire() {}
}

async function readAll(feed: ChangeFeed, userId: string, after: number): Promise<number[]> {
  const versions: number[] = []
  for (let last = after; ; last = versions.at(-1)!) {
    const page = await feed.after(userId, last)
    if (page === undefined) throw new Error('not kept any more')
    if (page.length === 0) return versions
    versions.push(...page.map(({ version }) => version))
  }
}

it('knows each version and keeps the newest changes, whatever their number', async () => {
  const log = new MemoryLog()
  const feed = new ChangeFeed(log)
  log.commit('a', 3)
  const told: string[] = []
  const watch = feed.watch(['a', 'b'], (userId, count) => told.push(`${userId} ${count}`))
  await watch.ready
  expect([feed.versionOf('a'), feed.versionOf('b')]).toEqual([3, 0])
  log.commit('a', 2)
  log.commit('b', 2_500)
  await feed.pass()
  expect([feed.versionOf('a'), feed.versionOf('b')]).toEqual([5, 2_500])
  expect(told).toEqual(['a 2', 'b 998', 'b 1000', 'b 502'])
  log.reads = []
  expect(await readAll(feed, 'a', 3)).toEqual([4, 5])
  expect(await readAll(feed, 'b', 2_436)).toHaveLength(64)
  expect(log.reads).toEqual([])
  expect(await readAll(feed, 'b', 0)).toEqual(
    Array.from({ length: 2_500 }, (_, index) => index + 1),
  )
})

it('says so where changes are kept no longer, at resuming and when it was cut off itself', async () => {
  const log = new MemoryLog()
  const feed = new ChangeFeed(log)
  log.commit('a', 10)
  log.forget('a', 5)
  await feed.watch(['a'], () => undefined).ready
  expect(await feed.after('a', 4)).toBeUndefined()
  expect((await feed.after('a', 5))?.map(({ version }) => version)).toEqual([6, 7, 8, 9, 10])
  log.commit('a', 10)
  log.forget('a', 12)
  await feed.pass()
  expect(feed.versionOf('a')).toBe(20)
  expect(await feed.after('a', 10)).toBeUndefined()
  log.commit('a', 1)
  log.forget('a', 21)
  await feed.pass()
  expect(feed.versionOf('a')).toBe(21)
  expect(await feed.after('a', 20)).toBeUndefined()
  expect(await feed.after('a', 21)).toEqual([])
})

it('reads after the call that asks for it, and shares a reading among those that wait', async () => {
  const log = new MemoryLog()
  const feed = new ChangeFeed(log)
  const watch = feed.watch(['a'], () => undefined)
  await watch.ready
  log.reads = []
  const first = feed.sync(['a'])
  await Promise.resolve()
  await Promise.resolve()
  log.commit('a')
  const others = [feed.sync(['a']), feed.sync(['a'])]
  expect(others[0]).toBe(others[1])
  await Promise.all([first, ...others])
  expect(feed.versionOf('a')).toBe(1)
  expect(log.reads.filter((read) => read.startsWith('versions')).length).toBeLessThanOrEqual(2)
})

it('asks for nobody when nobody watches, and goes on after a failure', async () => {
  const log = new MemoryLog()
  const feed = new ChangeFeed(log)
  const watches = [feed.watch(['a'], () => undefined), feed.watch(['a'], () => undefined)]
  await Promise.all(watches.map(({ ready }) => ready))
  log.failure = new Error('down')
  await expect(feed.pass()).rejects.toThrow('down')
  feed.hint('a')
  log.failure = undefined
  log.commit('a')
  await feed.pass()
  expect(feed.versionOf('a')).toBe(1)
  watches[0]!.close()
  log.commit('a')
  await feed.pass()
  expect(feed.versionOf('a')).toBe(2)
  watches[1]!.close()
  log.reads = []
  feed.hint('a')
  await feed.pass()
  expect(log.reads).toEqual([])
})

it('refuses the watch after the 1,000th until one ends', async () => {
  const feed = new ChangeFeed(new MemoryLog())
  const watches = Array.from({ length: 1_000 }, () => feed.watch(['a'], () => undefined))
  await Promise.all(watches.map(({ ready }) => ready))
  expect(() => feed.watch(['a'], () => undefined)).toThrow(
    expect.objectContaining({ reason: 'TOO_MANY_WATCHES' }),
  )
  watches[0]!.close()
  await feed.watch(['a'], () => undefined).ready
})
