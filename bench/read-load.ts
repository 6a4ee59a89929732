import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import grpc from '@grpc/grpc-js'
import {
  GetPortfolioRequestSchema,
  GetPortfolioResponseSchema,
} from '../gen/portfolio/v1/portfolio_service_pb.ts'
import { pastSecond } from './past-users.ts'
import { GET_PATH } from './serve.ts'
import { type Population, randomNumbers, userId } from './workload.ts'

/** What a reading process is told, as JSON in its first argument. */
export interface ReadPlan {
  readonly address: string
  readonly population: Population
  /** Sends the etag of the user's last answer. */
  readonly conditional: boolean
  /** Asks for a past moment, another one each time. */
  readonly past: boolean
  /** Reads every user once before anything is measured. */
  readonly warm: boolean
  readonly inFlight: number
  readonly warmUpMs: number
  readonly durationMs: number
  readonly seed: number
}

/** What it sends to its parent; of the measured time. */
export interface ReadResult {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of all answers; the empty handler's are not looked at. */
  readonly cachedShare: number
  readonly notModifiedShare: number
}

const CONNECTIONS = 4
/** Decoding every answer would measure the client. */
const LOOKED_AT_SHARE = 1 / 16
const sameBytes = (bytes: Buffer): Buffer => bytes

const plan = JSON.parse(process.argv[2] ?? '') as ReadPlan
const clients = Array.from(
  { length: CONNECTIONS },
  () =>
    new grpc.Client(plan.address, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    }),
)
const etags = new Map<number, string>()
const random = randomNumbers(plan.seed)
const looked = { answers: 0, cached: 0, notModified: 0 }

function get(client: grpc.Client, user: number, ifNoneMatch: string): Promise<Buffer> {
  const request = create(GetPortfolioRequestSchema, {
    userId: userId(plan.population, user),
    ifNoneMatch,
    timestamp: plan.past ? pastSecond(random()) : 0n,
  })
  const bytes = Buffer.from(toBinary(GetPortfolioRequestSchema, request))
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(GET_PATH, sameBytes, sameBytes, bytes, (error, answer) => {
      if (error !== null || answer === undefined) reject(error ?? new Error('no answer'))
      else resolve(answer)
    })
  })
}

async function read(client: grpc.Client, user: number, mayLook: boolean): Promise<void> {
  const answer = await get(client, user, plan.conditional ? (etags.get(user) ?? '') : '')
  if (!plan.conditional && !(mayLook && random() < LOOKED_AT_SHARE)) return
  const { etag, servedFromCache, notModified } = fromBinary(GetPortfolioResponseSchema, answer)
  etags.set(user, etag)
  if (!mayLook) return
  looked.answers += 1
  if (servedFromCache) looked.cached += 1
  if (notModified) looked.notModified += 1
}

async function inLanes(lane: (client: grpc.Client) => Promise<void>): Promise<void> {
  const perConnection = Math.ceil(plan.inFlight / CONNECTIONS)
  const lanes = clients.flatMap((client) =>
    Array.from({ length: perConnection }, () => lane(client)),
  )
  await Promise.all(lanes)
}

if (plan.warm) {
  let next = 0
  await inLanes(async (client) => {
    for (let user = next++; user < plan.population.users; user = next++) {
      await read(client, user, false)
    }
  })
}

const measuredFromMs = performance.now() + plan.warmUpMs
const endMs = measuredFromMs + plan.durationMs
const latenciesMs: number[] = []
await inLanes(async (client) => {
  for (let startedMs = performance.now(); startedMs < endMs;) {
    const user = Math.floor(random() * plan.population.users)
    await read(client, user, startedMs >= measuredFromMs)
    const nowMs = performance.now()
    if (nowMs >= measuredFromMs && nowMs < endMs) latenciesMs.push(nowMs - startedMs)
    startedMs = nowMs
  }
})
for (const client of clients) client.close()

const sorted = Float64Array.from(latenciesMs).toSorted()
const percentile = (share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
const result: ReadResult = {
  requestsPerSecond: sorted.length / (plan.durationMs / 1_000),
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
  cachedShare: looked.cached / looked.answers,
  notModifiedShare: looked.notModified / looked.answers,
}
process.send?.(result)
process.disconnect()
