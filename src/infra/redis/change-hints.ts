import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { ChangeHints } from '../../app/ports.ts'

/** The number names the encoding. Hints are of no use once read: the stream stays short. */
const STREAM = 'portfolio:changes:1'
const ENTRIES_MAX = 1_000
/** Announced in one turn of the event loop; more than that are left to be found. */
const USERS_MAX = 1_000
const READ_COUNT = 1_000
const BLOCK_MS = 5_000
const COMMAND_TIMEOUT_MS = 1_000
const CONNECT_TIMEOUT_MS = 2_000
/** Above BLOCK_MS: a server that owes an answer for so long is given up. */
const SOCKET_TIMEOUT_MS = 10_000
const RETRY_MS = 250

/**
 * Hints by a Redis stream that every replica reads from its end. Connects in the background; while the server does
 * not answer there are no hints.
 */
export function openRedisHints(options: {
  readonly redisUrl: string
  /** Also called for what this replica announced. */
  readonly onHint: (userId: string) => void
  readonly onMarketData: () => void
  /** Once each time that it stops working. */
  readonly onFailure: (error: unknown) => void
}): ChangeHints {
  return new RedisHints(options)
}

class RedisHints implements ChangeHints {
  readonly #writer: Redis
  readonly #reader: Redis
  readonly #onHint: (userId: string) => void
  readonly #onMarketData: () => void
  readonly #onFailure: (error: unknown) => void
  readonly #closing = new AbortController()
  readonly #announced = new Set<string>()
  #hasMarketData = false
  #isScheduled = false
  #hasFailed = false

  constructor({ redisUrl, onHint, onMarketData, onFailure }: Parameters<typeof openRedisHints>[0]) {
    const shared = {
      connectionName: 'portfolio-tracking-service',
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => RETRY_MS,
    }
    this.#onHint = onHint
    this.#onMarketData = onMarketData
    this.#onFailure = onFailure
    this.#writer = new Redis(redisUrl, { ...shared, commandTimeout: COMMAND_TIMEOUT_MS })
    this.#reader = new Redis(redisUrl, shared)
    this.#writer.on('error', ignore)
    this.#reader.on('error', (error) => this.#fail(error))
    void this.#follow()
  }

  announce(userId: string): void {
    if (this.#announced.size < USERS_MAX) this.#announced.add(userId)
    this.#schedule()
  }

  announceMarketData(): void {
    this.#hasMarketData = true
    this.#schedule()
  }

  /** All that is announced in one turn of the event loop goes out together. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      const users = JSON.stringify([...this.#announced])
      const marketData = this.#hasMarketData ? '1' : '0'
      this.#announced.clear()
      this.#hasMarketData = false
      // The reader tells of a server that does not answer.
      this.#writer
        .xadd(STREAM, 'MAXLEN', '~', ENTRIES_MAX, '*', 'users', users, 'market-data', marketData)
        .catch(ignore)
    })
  }

  close(): void {
    this.#closing.abort()
    this.#writer.disconnect()
    this.#reader.disconnect()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing
    let last = '$'
    while (!signal.aborted) {
      // A command would fail at once, and say less than the connection does.
      if (this.#reader.status !== 'ready') {
        await delay(RETRY_MS, undefined, { signal }).catch(ignore)
        continue
      }
      try {
        const answer = await this.#reader.xread(
          ...(['COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', STREAM, last] as const),
        )
        this.#hasFailed = false
        let hasMarketData = false
        for (const { id, users, marketData } of entriesOf(answer)) {
          last = id
          for (const userId of users) this.#onHint(userId)
          hasMarketData ||= marketData
        }
        if (hasMarketData) this.#onMarketData()
      } catch (error) {
        this.#fail(error)
        await delay(RETRY_MS, undefined, { signal }).catch(ignore)
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted || this.#hasFailed) return
    this.#hasFailed = true
    this.#onFailure(error)
  }
}

interface Entry {
  readonly id: string
  readonly users: readonly string[]
  readonly marketData: boolean
}

/** Of a stream's answer: [[key, [[id, [field, value]], ...]]], or null when nothing came. */
function entriesOf(answer: readonly [string, readonly [string, readonly string[]][]][] | null) {
  const entries = answer?.[0]?.[1] ?? []
  return entries.map(([id, fields]): Entry => ({
    id,
    users: usersOf(fields[1] ?? ''),
    marketData: fields[3] === '1',
  }))
}

/** What is none of ours is no hint. */
function usersOf(text: string): readonly string[] {
  try {
    const users: unknown = JSON.parse(text)
    return Array.isArray(users) ? users.filter((user) => typeof user === 'string') : []
  } catch {
    return []
  }
}

function ignore(): void {}
