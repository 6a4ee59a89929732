import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import { afterEach } from '@jest/globals'
import { loadConfig } from '../../src/config.ts'
import { createLogger } from '../../src/infra/telemetry/logger.ts'
import type { WatchTimes } from '../../src/app/portfolio/watch-portfolio.ts'
import { type Service, startService } from '../../src/service.ts'
import {
  PortfolioService,
  type WatchPortfolioResponse,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { PortfolioUpdateRequestSchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { ApiClient, CallFailure } from './client.ts'
import { type DatabaseFixture, useDatabase } from './store.ts'

const PATIENCE_MS = 20_000
const METHOD = PortfolioService.method.watchPortfolio
/** HTTP/2's usual one. */
const WINDOW_BYTES = 65_535

export type WatchRequest = MessageInitShape<typeof METHOD.input>
type Event = WatchPortfolioResponse['event']
type ValueOf<Kind> = Extract<Event, { case: Kind }>['value']
type Change = ValueOf<'change'> & { readonly userId: string }

export interface WatchService extends Service {
  readonly client: ApiClient
  /** What it logged, one line each. */
  readonly log: readonly string[]
}

/** A service of its own, on free ports, with times that a test can wait for. */
async function runWatchService(
  databaseUrl: string,
  watchTimes: Partial<WatchTimes> = {},
): Promise<WatchService> {
  const log: string[] = []
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    GRPC_PORT: '0',
    HTTP_PORT: 'off',
    METRICS_PORT: 'off',
    // What a test changes behind the service's back is seen at once.
    READ_STALENESS_MS: '0',
    MIGRATE_ON_START: 'false',
    DATABASE_POOL_MAX: '4',
    QUOTE_REFRESH_MS: '50',
    DRAIN_TIMEOUT_MS: '5000',
  })
  const logger = createLogger('info', { write: (line) => void log.push(line) })
  const service = await startService(config, { logger, watchTimes })
  const client = new ApiClient(service.ports.grpc)
  return {
    ports: service.ports,
    client,
    log,
    close: async (drainTimeoutMs) => {
      await service.close(drainTimeoutMs)
      client.close()
    },
  }
}

interface StreamOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** What the server can send ahead of its reader. */
  readonly windowBytes?: number
}

/** A WatchPortfolio stream of a client of its own, read message by message. */
export class WatchStream {
  readonly #client: grpc.Client
  readonly #call: grpc.ClientReadableStream<WatchPortfolioResponse>
  readonly #received: WatchPortfolioResponse[] = []
  readonly ended: Promise<CallFailure>
  #wake: (() => void) | undefined
  #hasEnded = false
  #token = ''

  constructor(
    port: number,
    request: WatchRequest,
    { headers = {}, windowBytes = WINDOW_BYTES }: StreamOptions = {},
  ) {
    this.#client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc-node.flow_control_window': windowBytes,
    })
    const metadata = new grpc.Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    this.#call = this.#client.makeServerStreamRequest(
      `/${METHOD.parent.typeName}/${METHOD.name}`,
      (message: Buffer) => message,
      (bytes) => fromBinary(METHOD.output, bytes),
      Buffer.from(toBinary(METHOD.input, create(METHOD.input, request))),
      metadata,
    )
    this.#call.on('data', (message: WatchPortfolioResponse) => {
      this.#received.push(message)
      this.#wake?.()
    })
    this.ended = new Promise((resolve) => {
      const end = (failure: CallFailure): void => {
        this.#hasEnded = true
        resolve(failure)
        this.#wake?.()
      }
      this.#call.on('error', (error: grpc.ServiceError) => end(new CallFailure(error)))
    })
  }

  /** Of the last message that `next` gave. */
  get resumeToken(): string {
    return this.#token
  }

  /** Takes no more messages off the connection. */
  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  close(): void {
    this.#call.cancel()
    this.#client.close()
  }

  /** The next message, in the order of arrival. */
  async next(): Promise<WatchPortfolioResponse> {
    const deadlineMs = performance.now() + PATIENCE_MS
    for (;;) {
      const message = this.#received.shift()
      if (message !== undefined) {
        this.#token = message.resumeToken
        return message
      }
      if (this.#hasEnded) throw await this.ended
      await this.#arrival(deadlineMs - performance.now())
    }
  }

  /** The next message of a kind; others in between are an error, heartbeats apart. */
  async nextOf<Kind extends NonNullable<Event['case']>>(
    kind: Kind,
  ): Promise<{ userId: string; value: ValueOf<Kind> }> {
    for (;;) {
      const { userId, event } = await this.next()
      if (event.case === kind) {
        return { userId, value: event.value as ValueOf<Kind> }
      }
      if (event.case !== 'heartbeat') throw new Error(`a ${event.case} where a ${kind} was due`)
    }
  }

  /** The next `count` changes. */
  async changes(count: number): Promise<readonly Change[]> {
    const changes: Change[] = []
    while (changes.length < count) {
      const { userId, value } = await this.nextOf('change')
      changes.push({ ...value, userId })
    }
    return changes
  }

  async #arrival(waitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve
      timer = setTimeout(() => reject(new Error(`waited ${PATIENCE_MS} ms for a message`)), waitMs)
    })
    clearTimeout(timer)
    this.#wake = undefined
  }
}

export function purchase(
  userId: string,
  quantity = 1,
  symbol = 'AAPL',
): MessageInitShape<typeof PortfolioUpdateRequestSchema> {
  return { userId, transactions: [{ symbol, quantity, price: 100 }] }
}

/** Commits a change on one replica. */
export async function buy(client: ApiClient, userId: string, quantity = 1): Promise<void> {
  await client.update(purchase(userId, quantity))
}

interface WatchFixture {
  readonly database: DatabaseFixture
  /** Users of no other test. */
  users(...names: readonly string[]): string[]
  start(times?: Partial<WatchTimes>, url?: string): Promise<WatchService>
  watch(service: WatchService, request: WatchRequest, options?: StreamOptions): WatchStream
}

/** One database for all tests of a file; what a test opens is closed after it. */
export function useWatch(): WatchFixture {
  const closers: (() => Promise<void> | void)[] = []
  // Jest runs these in the order of their definition: a service ends before its database does.
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close()
  })
  const database = useDatabase()
  let tests = 0
  return {
    database,
    users: (...names) => {
      tests += 1
      return names.map((name) => `${name}-${tests}`)
    },
    start: async (times, url = database.url) => {
      const service = await runWatchService(url, times)
      closers.push(() => service.close(0))
      return service
    },
    watch: (service, request, options) => {
      const stream = new WatchStream(service.ports.grpc, request, options)
      closers.push(() => stream.close())
      return stream
    },
  }
}
