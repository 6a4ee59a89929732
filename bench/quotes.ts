// How many quotes a second are taken in durably: npm run bench:quotes
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import {
  type IngestQuotesResponse,
  IngestQuotesRequestSchema,
  IngestQuotesResponseSchema,
  Quote_Kind,
} from '../gen/portfolio/v1/market_data_service_pb.ts'
import { timestampOf } from '../src/api/instant.ts'
import { loadConfig } from '../src/config.ts'
import { startEmbeddedPostgres } from '../src/infra/postgres/embedded.ts'
import { createLogger } from '../src/infra/telemetry/logger.ts'
import { startService } from '../src/service.ts'

const SYMBOLS = 5_000
const QUOTES_PER_MESSAGE = 1_000
const MESSAGES = 100
const STREAMS = 2
const PATH = '/portfolio.v1.MarketDataService/IngestQuotes'

/** A tick of each symbol in turn, a second later and up to a percent away each time round. */
function messageBytes(message: number, startedAt: number): Buffer {
  const quotes = Array.from({ length: QUOTES_PER_MESSAGE }, (_, place) => {
    const tick = message * QUOTES_PER_MESSAGE + place
    const round = Math.floor(tick / SYMBOLS)
    return {
      symbol: `SYM${tick % SYMBOLS}`,
      price: (100 + (tick % 100) / 100 + round / 1_000).toFixed(4),
      currencyCode: 'USD',
      source: 'bench',
      kind: Quote_Kind.REALTIME,
      pricedAt: timestampOf(startedAt + round * 1_000_000),
    }
  })
  return Buffer.from(
    toBinary(IngestQuotesRequestSchema, create(IngestQuotesRequestSchema, { quotes })),
  )
}

function send(client: grpc.Client, messages: readonly Buffer[]): Promise<IngestQuotesResponse> {
  return new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest(
      PATH,
      (bytes: Buffer) => bytes,
      (bytes) => fromBinary(IngestQuotesResponseSchema, bytes),
      new grpc.Metadata(),
      {},
      (error, answer) =>
        error || !answer ? reject(error ?? new Error('no answer')) : resolve(answer),
    )
    for (const message of messages) call.write(message)
    call.end()
  })
}

async function count(databaseUrl: string): Promise<number> {
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const { rows } = await database.query<{ count: string }>('select count(*) from quote')
  await database.end()
  return Number(rows[0]?.count)
}

const dataDir = await mkdtemp(join(tmpdir(), 'bench-quotes-'))
await chmod(dataDir, 0o755)
const embedded = await startEmbeddedPostgres({ dataDir, log: () => undefined })
try {
  const service = await startService(
    loadConfig({
      DATABASE_URL: embedded.url,
      GRPC_PORT: '0',
      METRICS_PORT: 'off',
      HTTP_PORT: 'off',
    }),
    { logger: createLogger('silent') },
  )
  const target = `127.0.0.1:${service.ports.grpc}`
  const client = new grpc.Client(target, grpc.credentials.createInsecure())
  const startedAt = Date.now() * 1_000 - 3_600_000_000
  const streams = Array.from({ length: STREAMS }, (_, stream) =>
    Array.from({ length: MESSAGES / STREAMS }, (__, place) =>
      messageBytes(place * STREAMS + stream, startedAt),
    ),
  )
  const beginMs = performance.now()
  const answers = await Promise.all(streams.map((messages) => send(client, messages)))
  const seconds = (performance.now() - beginMs) / 1_000
  const accepted = answers.reduce((sum, answer) => sum + Number(answer.accepted), 0)
  const kept = await count(embedded.url)
  console.log(`${accepted} quotes accepted, ${kept} in the database, ${seconds.toFixed(2)} s`)
  console.log(`${Math.round(kept / seconds)} durable quotes a second`)
  client.close()
  await service.close(0)
} finally {
  await embedded.stop()
  await rm(dataDir, { recursive: true, force: true })
}
