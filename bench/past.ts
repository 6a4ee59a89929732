// How long a past answer takes for users of 100, 1,000 and 15,000 transactions: npm run bench:past
import * as grpc from '@grpc/grpc-js'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { PortfolioService, TransactionType } from '../gen/portfolio/v1/portfolio_service_pb.ts'
import { callUnary } from '../src/api/client.ts'
import { timestampOf } from '../src/api/instant.ts'
import { loadConfig } from '../src/config.ts'
import { startEmbeddedPostgres } from '../src/infra/postgres/embedded.ts'
import { createLogger } from '../src/infra/telemetry/logger.ts'
import { type Service, startService } from '../src/service.ts'

const SIZES = [100, 1_000, 15_000]
const SYMBOLS = 20
const START_SECOND = Date.parse('2021-01-01T00:00:00Z') / 1_000
const DAYS = 1_000
const SECONDS_PER_DAY = 86_400
const TRANSACTIONS_PER_REQUEST = 1_000
const READS = 40

const { getPortfolio, recordTransactions } = PortfolioService.method

interface Reader {
  readonly client: grpc.Client
  readonly service: Service
}

async function openReader(databaseUrl: string): Promise<Reader> {
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    GRPC_PORT: '0',
    METRICS_PORT: 'off',
    HTTP_PORT: 'off',
  })
  const service = await startService(config, { logger: createLogger('silent') })
  const target = `127.0.0.1:${service.ports.grpc}`
  return { service, client: new grpc.Client(target, grpc.credentials.createInsecure()) }
}

async function closeReader({ client, service }: Reader): Promise<void> {
  client.close()
  await service.close(0)
}

function secondOf(index: number, size: number): number {
  return START_SECOND + Math.floor((index / size) * DAYS * SECONDS_PER_DAY)
}

/** Purchases and, of what there is for sure, sales; `sells` false is the worst case: every lot stays open. */
async function seed(
  { client }: Reader,
  userId: string,
  { size, sells }: { size: number; sells: boolean },
): Promise<void> {
  const transactions = Array.from({ length: size }, (_, index) => {
    const isSale = sells && index >= 2 * SYMBOLS && index % 5 >= 3
    return {
      type: isSale ? TransactionType.SELL : TransactionType.BUY,
      symbol: `BENCH${Math.floor(index / 5) % SYMBOLS}`,
      quantity: String(isSale ? 1 : 2),
      price: String(100 + (index % 37)),
      fee: '0.35',
      effectiveAt: timestampOf(secondOf(index, size) * 1_000_000),
    }
  })
  for (let start = 0; start < size; start += TRANSACTIONS_PER_REQUEST) {
    const part = transactions.slice(start, start + TRANSACTIONS_PER_REQUEST)
    await callUnary(client, recordTransactions, { userId, transactions: part })
  }
}

async function seedQuotes(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(
    `insert into quote (instrument_id, priced_at, source, price, currency, kind, split_adjusted, recorded_at)
     select 'BENCH' || symbol, moment, 'bench', 100 + (day % 50), 'USD', 'CLOSE', true, moment
     from generate_series(0, $1::int - 1) as symbol, generate_series(0, $2::int - 1) as day,
       lateral (select to_timestamp($3::bigint + day * 86400) as moment) as at`,
    [SYMBOLS, DAYS, START_SECOND],
  )
  await client.query('vacuum analyze')
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers, costs off, timing off)
     select newest.* from unnest((select array_agg('BENCH' || i) from generate_series(0, 19) as i)) as asked (instrument_id)
     cross join lateral (select * from quote where quote.instrument_id = asked.instrument_id
       and priced_at <= to_timestamp($1::bigint)
       order by priced_at desc, recorded_at desc, source limit 1) as newest`,
    [START_SECOND + (DAYS / 2) * SECONDS_PER_DAY],
  )
  console.log(
    ['Prices of then:', ...rows.map((row) => `  ${row['QUERY PLAN']}`)]
      .filter((line) => /Prices|Index|Scan on|Execution|Sort Key/.test(line))
      .join('\n'),
  )
  await client.end()
}

async function readMs({ client }: Reader, userId: string, second: number): Promise<number> {
  const startedMs = performance.now()
  const answer = await callUnary(client, getPortfolio, { userId, timestamp: BigInt(second) })
  const elapsedMs = performance.now() - startedMs
  if ((answer.detail?.positions.length ?? 0) === 0) throw new Error('nothing was held')
  return elapsedMs
}

/** Moments that were not asked for before, all over the time that the ledger covers. */
function moments(salt: number): readonly number[] {
  return Array.from({ length: READS }, (_, index) => {
    const part = 0.02 + 0.98 * (((index * 7919 + salt * 104_729) % 9_973) / 9_973)
    return START_SECOND + Math.floor(part * DAYS * SECONDS_PER_DAY)
  })
}

async function series(
  reader: Reader,
  userId: string,
  seconds: readonly number[],
): Promise<{ median: string; worst: string; cpu: string }> {
  const times: number[] = []
  const before = process.cpuUsage()
  for (const second of seconds) times.push(await readMs(reader, userId, second))
  const { user, system } = process.cpuUsage(before)
  times.sort((left, right) => left - right)
  return {
    median: text(times[Math.floor(times.length / 2)]),
    worst: text(times.at(-1)),
    cpu: text((user + system) / 1_000 / seconds.length),
  }
}

function text(milliseconds: number | undefined): string {
  return (milliseconds ?? NaN).toFixed(1)
}

async function measure(databaseUrl: string, size: number, sells: boolean) {
  const writer = await openReader(databaseUrl)
  const userId = `user-${size}-${sells ? 'traded' : 'kept'}`
  await seed(writer, userId, { size, sells })
  await readMs(writer, 'warm-up', START_SECOND + DAYS * SECONDS_PER_DAY)
  const first = await readMs(writer, userId, START_SECOND + DAYS * SECONDS_PER_DAY)
  // Closing waits for the snapshots; the next process has nothing in memory.
  await closeReader(writer)
  const reader = await openReader(databaseUrl)
  await readMs(reader, 'warm-up', START_SECOND + DAYS * SECONDS_PER_DAY)
  const cold = await series(reader, userId, moments(1))
  const warm = await series(reader, userId, moments(2))
  const again = await series(reader, userId, moments(2))
  await closeReader(reader)
  return {
    transactions: `${size}${sells ? '' : ', none sold'}`,
    'whole ledger': text(first),
    'new process: median': cold.median,
    'new process: worst': cold.worst,
    'new process: CPU': cold.cpu,
    'other moments: median': warm.median,
    'other moments: worst': warm.worst,
    'other moments: CPU': warm.cpu,
    'same moments: median': again.median,
    'same moments: worst': again.worst,
    'same moments: CPU': again.cpu,
  }
}

const dataDir = await mkdtemp(join(tmpdir(), 'portfolio-bench-'))
await chmod(dataDir, 0o755)
const server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
try {
  const setup = await openReader(server.url)
  await seed(setup, 'warm-up', { size: 200, sells: true })
  await closeReader(setup)
  await seedQuotes(server.url)
  const rows = []
  for (const size of SIZES) rows.push(await measure(server.url, size, true))
  rows.push(await measure(server.url, SIZES.at(-1) ?? 0, false))
  console.log('Past answers over gRPC, milliseconds (CPU: of service and client, mean):')
  console.table(rows)
} finally {
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
}
