import { createHash, randomUUID } from 'node:crypto'
import grpc from '@grpc/grpc-js'
import { sameBytes, UPDATE_PATH } from './serve.ts'
import { type Population, randomNumbers, randomRequest, wholeRequest } from './workload.ts'

/** What a load process is told, as JSON in its first argument. */
export interface LoadPlan {
  readonly address: string
  readonly population: Population
  /** 'each-user-once': one request over all symbols for each user; 'random': until the time is over. */
  readonly mode: 'each-user-once' | 'random'
  readonly inFlight: number
  readonly transactionsPerRequest: number
  /** Sends an idempotency key with each request. */
  readonly keyed: boolean
  readonly warmUpMs: number
  readonly durationMs: number
  readonly seed: number
}

/** What a load process sends to its parent. */
export interface LoadResult {
  /** Of the measured time; zero when nothing is measured. */
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Also those before and after the measured time. */
  readonly acknowledged: number
  readonly errors: number
  readonly firstError: string
  /** Of all responses in order of users; only of 'each-user-once'. */
  readonly responsesDigest: string
}

const CONNECTIONS = 4
const ENCODED_TRANSACTIONS = 60_000
const READY_MS_MAX = 60_000
/** Field 1, success = true: how every accepted answer begins. */
const SUCCESS = Buffer.from([0x08, 0x01])

class Load {
  readonly #plan: LoadPlan
  readonly #clients: readonly grpc.Client[]
  #acknowledged = 0
  #errors = 0
  #firstError = ''

  constructor(plan: LoadPlan) {
    this.#plan = plan
    this.#clients = Array.from(
      { length: CONNECTIONS },
      () =>
        new grpc.Client(plan.address, grpc.credentials.createInsecure(), {
          'grpc.use_local_subchannel_pool': 1,
        }),
    )
  }

  async run(): Promise<LoadResult> {
    for (const client of this.#clients) await ready(client)
    const result =
      this.#plan.mode === 'random' ? await this.#runRandom() : await this.#runEachUserOnce()
    for (const client of this.#clients) client.close()
    return result
  }

  /** A closed loop: each of the lanes sends its next request when the last one is answered. */
  async #runRandom(): Promise<LoadResult> {
    const { population, transactionsPerRequest, inFlight, warmUpMs, durationMs, seed } = this.#plan
    const random = randomNumbers(seed)
    const requests = Array.from(
      { length: Math.ceil(ENCODED_TRANSACTIONS / transactionsPerRequest) },
      () => randomRequest(population, transactionsPerRequest, random),
    )
    let next = 0
    const measuredFromMs = performance.now() + warmUpMs
    const endMs = measuredFromMs + durationMs
    const latenciesMs: number[] = []
    const lane = async (client: grpc.Client): Promise<void> => {
      for (let startedMs = performance.now(); startedMs < endMs;) {
        const request = requests[next++ % requests.length]
        if (request !== undefined) await this.#send(client, request)
        const nowMs = performance.now()
        if (nowMs >= measuredFromMs && nowMs < endMs) latenciesMs.push(nowMs - startedMs)
        startedMs = nowMs
      }
    }
    await Promise.all(this.#lanes(inFlight).map(lane))
    return this.#result(latenciesMs, durationMs / 1_000, '')
  }

  async #runEachUserOnce(): Promise<LoadResult> {
    const { population, inFlight } = this.#plan
    const responses: Buffer[] = []
    let next = 0
    const lane = async (client: grpc.Client): Promise<void> => {
      for (let user = next++; user < population.users; user = next++) {
        responses[user] = await this.#send(client, wholeRequest(population, user))
      }
    }
    await Promise.all(this.#lanes(inFlight).map(lane))
    const hash = createHash('sha256')
    for (const response of responses) hash.update(response)
    return this.#result([], 0, hash.digest('hex'))
  }

  #lanes(inFlight: number): grpc.Client[] {
    return Array.from({ length: inFlight }, (_, lane) => {
      const client = this.#clients[lane % CONNECTIONS]
      if (client === undefined) throw new Error('a lane without a connection')
      return client
    })
  }

  #send(client: grpc.Client, request: Buffer): Promise<Buffer> {
    const metadata = new grpc.Metadata()
    if (this.#plan.keyed) metadata.set('idempotency-key', randomUUID())
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        UPDATE_PATH,
        sameBytes,
        sameBytes,
        request,
        metadata,
        (error, response) => {
          if (error === null && response?.subarray(0, 2).equals(SUCCESS) === true) {
            this.#acknowledged += 1
          } else {
            this.#errors += 1
            if (this.#errors === 1) this.#firstError = error?.message ?? 'success was not true'
          }
          resolve(response ?? Buffer.alloc(0))
        },
      )
    })
  }

  #result(latenciesMs: readonly number[], seconds: number, responsesDigest: string): LoadResult {
    const sorted = Float64Array.from(latenciesMs).toSorted()
    const percentile = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
    return {
      requestsPerSecond: seconds === 0 ? 0 : sorted.length / seconds,
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
      acknowledged: this.#acknowledged,
      errors: this.#errors,
      firstError: this.#firstError,
      responsesDigest,
    }
  }
}

function ready(client: grpc.Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + READY_MS_MAX, (error) => {
      if (error === undefined) resolve()
      else reject(error)
    })
  })
}

const result = await new Load(JSON.parse(process.argv[2] ?? '') as LoadPlan).run()
process.send?.(result)
process.disconnect()
