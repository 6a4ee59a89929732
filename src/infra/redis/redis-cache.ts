import { isNativeError } from 'node:util/types'
import { Redis, ReplyError } from 'ioredis'
import type { CacheTelemetry, Clock, PortfolioCache, VerifiedState } from '../../app/ports.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import { decodeHead, decodeState, encodeState } from './cached-state.ts'
import { readServerInfo, ServerTime } from './server-time.ts'

/** What a read loses at most when the server hangs, once: after that it is passed by. */
const PATIENCE_MS = 50
/** Nobody waits for an answer then; the client forgets the command. */
const COMMAND_TIMEOUT_MS = 1_000
const CONNECT_TIMEOUT_MS = 2_000
/** A connection that owes an answer for so long is given up. */
const SOCKET_TIMEOUT_MS = 5_000
/** What a connection has to end by itself. */
const DISCONNECT_TIMEOUT_MS = 100
const RECONNECT_MS_MAX = 1_000
/** Between two looks at the server's clock while it answers, and between two tries while it does not. */
const PULSE_MS = 10_000
const PULSE_RETRY_MS = 250
/** Each key lives so long, within the jitter, so that what was put together does not end together. */
const TIME_TO_LIVE_MS = 3_600_000
const JITTER = 0.1
/** Asked for in one command. */
const KEYS_MAX = 64
/** A value longer than this is not kept: it would hold up everybody else's answers. */
const VALUE_CHARACTERS_MAX = 1_048_576
/** Names the encoding: another one has other keys, so that two releases can run side by side. */
const KEY_PREFIX = 'portfolio:state:1:'
const FILL_KEY_PREFIX = 'portfolio:fill:'
/** A replica that ends while it fills a key holds up the others no longer than this. */
const FILL_MS = 500

/**
 * Puts a value unless the kept one is of a newer version, or of the same and was verified later. What is not a value
 * of ours is replaced, whatever type it has.
 */
const PUT_NEWER = `
local kept = redis.pcall('get', KEYS[1])
if type(kept) == 'string' then
  local version, mark, run = string.match(kept, '^(%d+) (%d+) (%x+) ')
  local ahead = version and tonumber(version) - tonumber(ARGV[2])
  if ahead and (ahead > 0 or (ahead == 0 and run == ARGV[4] and tonumber(mark) >= tonumber(ARGV[3]))) then
    return 0
  end
end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[5])
return 1`

interface ScriptedRedis extends Redis {
  putNewer(
    key: string,
    value: string,
    ...facts: readonly [version: number, mark: number, run: string, timeToLiveMs: number]
  ): Promise<number>
}

export interface RedisCache extends PortfolioCache {
  /** Settles when the server has answered for the first time or failed to. */
  readonly first: Promise<void>
  close(): void
}

/** States in a Redis server. Connects in the background, and is passed by while the server does not answer. */
export function openRedisCache(options: {
  readonly redisUrl: string
  readonly clock: Clock
  readonly telemetry: CacheTelemetry
}): RedisCache {
  return new RedisStates(options)
}

/** All keys of a user share a tag, and so a node of a cluster. */
export function stateKey(userId: string): string {
  return `${KEY_PREFIX}{${userId}}`
}

interface WaitingKey {
  readonly key: string
  readonly resolve: (text: string | null) => void
  readonly reject: (error: unknown) => void
}

/** There while a replica reads what is to be kept under {@link stateKey}. */
export function fillKey(userId: string): string {
  return `${FILL_KEY_PREFIX}{${userId}}`
}

class RedisStates implements RedisCache {
  readonly first: Promise<void>
  readonly #redis: ScriptedRedis
  readonly #clock: Clock
  readonly #telemetry: CacheTelemetry
  /** Undefined while the server is passed by. */
  #serverTime: ServerTime | undefined
  #wasAvailable: boolean | undefined
  #pulseTimer: NodeJS.Timeout | undefined
  #isClosed = false
  #waiting: WaitingKey[] = []
  #isAsking = false

  constructor({ redisUrl, clock, telemetry }: Parameters<typeof openRedisCache>[0]) {
    this.#clock = clock
    this.#telemetry = telemetry
    this.#redis = new Redis(redisUrl, {
      connectionName: 'portfolio-tracking-service',
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(50 * attempt, RECONNECT_MS_MAX),
      scripts: { putNewer: { lua: PUT_NEWER, numberOfKeys: 1 } },
    }) as ScriptedRedis
    this.first = new Promise((resolve) => {
      this.#redis.on('ready', () => void this.#pulse().then(resolve))
      this.#redis.on('error', (error) => {
        this.#passBy('connect', error)
        resolve()
      })
    })
    this.#redis.on('close', () => this.#passBy('connect', new Error('the connection was closed')))
  }

  async get(userId: string, held: PortfolioState | undefined): Promise<VerifiedState | undefined> {
    const serverTime = this.#serverTime
    if (serverTime === undefined) return undefined
    const key = stateKey(userId)
    try {
      const text = await this.#textOf(key)
      if (text === null) return undefined
      const head = decodeHead(key, text)
      if (head === undefined) throw new NotAState('a value is not a state of ours')
      const isHeld =
        held?.version === head.version && Buffer.compare(held.chainHead, head.chainHead) === 0
      return {
        state: isHeld ? held : decodeState(userId, head),
        verifiedAtMs: serverTime.momentOf(head.mark, this.#clock.monotonicMs()),
      }
    } catch (error) {
      this.#failed('get', error)
      if (error instanceof NotAState) this.drop(userId)
      return undefined
    }
  }

  /** What is kept under a key: asked for at once, or with all others that come while an answer is under way. */
  #textOf(key: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#isAsking) return
      this.#isAsking = true
      void this.#askAll()
    })
  }

  async #askAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, KEYS_MAX)
      try {
        const texts = await inPatience(this.#redis.mget(asked.map(({ key }) => key)))
        for (const [index, { resolve }] of asked.entries()) resolve(texts[index] ?? null)
      } catch (error) {
        // Whoever came meanwhile would wait in vain too.
        for (const { reject } of [...asked, ...this.#waiting.splice(0)]) reject(error)
      }
    }
    this.#isAsking = false
  }

  put({ state, verifiedAtMs }: VerifiedState): void {
    const serverTime = this.#serverTime
    if (serverTime === undefined) return
    const key = stateKey(state.userId)
    const mark = serverTime.markOf(verifiedAtMs)
    const value = encodeState(key, state, mark)
    if (value.length > VALUE_CHARACTERS_MAX) return
    const timeToLiveMs = Math.round(TIME_TO_LIVE_MS * (1 - JITTER + 2 * JITTER * Math.random()))
    const facts = [state.version, mark.microseconds, mark.run, timeToLiveMs] as const
    inPatience(this.#redis.putNewer(key, value, ...facts)).catch((error: unknown) =>
      this.#failed('put', error),
    )
  }

  async claimFill(userId: string): Promise<boolean> {
    if (this.#serverTime === undefined) return true
    try {
      const key = fillKey(userId)
      return (await inPatience(this.#redis.set(key, '1', 'PX', FILL_MS, 'NX'))) === 'OK'
    } catch (error) {
      this.#failed('claim', error)
      return true
    }
  }

  releaseFill(userId: string): void {
    this.#delete('release', fillKey(userId))
  }

  drop(userId: string): void {
    this.#delete('drop', stateKey(userId))
  }

  #delete(operation: string, key: string): void {
    if (this.#serverTime === undefined) return
    inPatience(this.#redis.del(key)).catch((error: unknown) => this.#failed(operation, error))
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#pulseTimer)
    this.#serverTime = undefined
    this.#redis.disconnect()
  }

  /** An answer that is an error came in time; anything else means that the next call would wait in vain too. */
  #failed(operation: string, error: unknown): void {
    if (error instanceof NotAState || error instanceof ReplyError) {
      this.#telemetry.sharedCacheFailed(operation, reasonOf(error))
    } else {
      this.#passBy(operation, error)
    }
  }

  #passBy(operation: string, error: unknown): void {
    if (this.#isClosed) return
    const reason = reasonOf(error)
    this.#telemetry.sharedCacheFailed(operation, reason)
    this.#serverTime = undefined
    if (this.#wasAvailable !== false) this.#telemetry.sharedCacheLost(reason)
    this.#wasAvailable = false
    this.#pulseAfter(PULSE_RETRY_MS)
  }

  /** Looks whether the server answers, and what its clock says: no read ever waits for that. */
  async #pulse(): Promise<void> {
    const sentMs = this.#clock.monotonicMs()
    try {
      const server = readServerInfo(await inPatience(this.#redis.info('server')))
      if (server === undefined) throw new Error('the server does not tell its run and its time')
      if (this.#isClosed) return
      this.#serverTime = new ServerTime({ server, sentMs, receivedMs: this.#clock.monotonicMs() })
      if (this.#wasAvailable !== true) this.#telemetry.sharedCacheAvailable()
      this.#wasAvailable = true
      this.#pulseAfter(PULSE_MS)
    } catch (error) {
      this.#passBy('pulse', error)
    }
  }

  #pulseAfter(delayMs: number): void {
    clearTimeout(this.#pulseTimer)
    if (this.#isClosed) return
    this.#pulseTimer = setTimeout(() => void this.#pulse(), delayMs)
  }
}

class NotAState extends Error {
  override readonly name = 'NotAState'
}

/**
 * The client's own timeout would blame the server for a busy process: after a long turn of the event loop timers come
 * before the answers that have arrived meanwhile. This one looks at them first.
 */
async function inPatience<Answer>(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      setImmediate(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)))
    }, PATIENCE_MS)
  })
  try {
    return await Promise.race([answer, expiry])
  } finally {
    clearTimeout(timer)
  }
}

/** The message alone: the client's errors carry the command with all it was given, passwords too. */
function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error)
  return error.message === '' ? String(Reflect.get(error, 'code')) : error.message
}
