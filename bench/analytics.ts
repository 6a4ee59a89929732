// How long the analyses take over gRPC, and what they do to the serving thread meanwhile:
// npm run bench:analytics, or node dist/bench/analytics.js batch|single|large
import * as grpc from '@grpc/grpc-js'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import {
  AnalyticsService,
  GetPerformanceRequest_Interval as Interval,
} from '../gen/portfolio/v1/analytics_service_pb.ts'
import { callUnary } from '../src/api/client.ts'
import { loadConfig } from '../src/config.ts'
import { migrateDatabase } from '../src/infra/postgres/migrate.ts'
import { createLogger } from '../src/infra/telemetry/logger.ts'
import { startService } from '../src/service.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { NODE_ARGUMENTS } from './processes.ts'

const { analyzePortfolios, getPerformance } = AnalyticsService.method

const USERS = 1_000
const HOLDINGS = 20
const SYMBOLS = 500
const BATCHES = 10
/** Each of other users, whose positions no one has read before. */
const COLD_BATCHES = 5
const READS = 5
const PACKING_POLL_MS = 50

/** What a served process tells on request: milliseconds and mebibytes. */
interface Measured {
  readonly delayP99Ms: number
  readonly delayMaxMs: number
  readonly residentMebibytes: number
}

interface Served {
  readonly client: grpc.Client
  /** Since the last time it was asked. */
  measured(): Promise<Measured>
  stop(): Promise<void>
}

async function serve(databaseUrl: string): Promise<void> {
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    GRPC_PORT: '0',
    METRICS_PORT: 'off',
    HTTP_PORT: 'off',
    MIGRATE_ON_START: 'false',
    // The first pass over portfolios of a year, which comes once, would be measured with them.
    HISTORY_REFRESH_MS: 'off',
  })
  const service = await startService(config, { logger: createLogger('error') })
  const loopDelay = monitorEventLoopDelay({ resolution: 1 })
  loopDelay.enable()
  process.on('message', (message) => {
    if (message === 'stop') void service.close(0).then(() => process.exit())
    const measured: Measured = {
      delayP99Ms: loopDelay.percentile(99) / 1e6,
      delayMaxMs: loopDelay.max / 1e6,
      residentMebibytes: process.memoryUsage.rss() / 2 ** 20,
    }
    loopDelay.reset()
    process.send?.(measured)
  })
  process.send?.(service.ports.grpc)
}

async function start(databaseUrl: string): Promise<Served> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', databaseUrl], {
    execArgv: [...NODE_ARGUMENTS],
  })
  const [port] = (await once(child, 'message')) as [number]
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  return {
    client,
    measured: async () => {
      child.send('measure')
      const [measured] = (await once(child, 'message')) as [Measured]
      return measured
    },
    stop: async () => {
      client.close()
      child.send('stop')
      await once(child, 'exit')
    },
  }
}

/** Closes of weekdays, and nothing but what the analysis reads of a ledger. */
async function seedQuotes(
  cluster: Cluster,
  { prefix, symbols, days }: { prefix: string; symbols: number; days: number },
): Promise<void> {
  await cluster.query(
    'analytics',
    `insert into quote (instrument_id, priced_at, source, price, currency, kind, split_adjusted, recorded_at)
     select '${prefix}' || symbol, moment, 'bench',
       round((100 + 20 * sin(symbol + day / 50.0) + (day * 7919 + symbol * 31) % 100 / 50.0)::numeric, 2),
       'USD', 'CLOSE', true, moment
     from generate_series(0, ${symbols - 1}) as symbol, generate_series(0, ${days}) as day,
       lateral (select date_trunc('day', now()) - make_interval(days => day) - interval '3 hours' as moment) as at
     where extract(isodow from moment) < 6`,
  )
}

/** The background pass of a replica packs closes; what is measured comes after it, by a process that knows nothing. */
async function packCloses(cluster: Cluster): Promise<void> {
  await cluster.query(
    'analytics',
    `insert into newest_quote select distinct on (instrument_id) * from quote
     order by instrument_id, priced_at desc on conflict do nothing`,
  )
  const served = await start(cluster.url('analytics'))
  for (let left = 1; left > 0;) {
    await delay(PACKING_POLL_MS)
    const [row] = await cluster.query<{ left: number }>(
      'analytics',
      `select count(*)::int as left from newest_quote left join packed_closes using (instrument_id)
       where packed_before is null`,
    )
    left = row?.left ?? 0
  }
  await served.stop()
}

async function seedLedgers(
  cluster: Cluster,
  seed: { prefix: string; users: number; entries: number; days: number; instrument: string },
): Promise<void> {
  const { prefix, users, entries, days, instrument } = seed
  await cluster.query(
    'analytics',
    `insert into portfolio (user_id, version, last_sequence)
       select '${prefix}' || person, 1, ${entries} from generate_series(0, ${users - 1}) as person`,
  )
  await cluster.query(
    'analytics',
    `insert into ledger (user_id, sequence, version, effective_at, recorded_at, instrument_id, account_id,
       type, quantity, price, request_id, hash)
     select '${prefix}' || person, entry, 1, moment, moment, ${instrument}, '',
       case when entry % 10 = 9 and entry > ${entries / 2} then 'SELL' else 'BUY' end,
       1 + entry % 3, 100 + entry % 10, '', decode(repeat('00', 32), 'hex')
     from generate_series(0, ${users - 1}) as person, generate_series(1, ${entries}) as entry,
       lateral (select date_trunc('day', now()) - interval '3 hours'
         - ${days} * (1 - (entry - 1) / ${entries}.0) * interval '1 day' as moment) as at`,
  )
}

async function timed<Answer>(call: Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const startedMs = performance.now()
  const answer = await call
  return { answer, ms: performance.now() - startedMs }
}

/** 1,000 portfolios of 20 holdings out of 500 symbols, 40 transactions each, over a year. */
async function batch(cluster: Cluster): Promise<void> {
  await seedQuotes(cluster, { prefix: 'S', symbols: SYMBOLS, days: 365 })
  const shape = { days: 420, entries: 2 * HOLDINGS }
  const instrument = `'S' || (person * 7 + entry % ${HOLDINGS} * 25) % ${SYMBOLS}`
  const cold = Array.from({ length: COLD_BATCHES }, (_, at) => `cold${at}-`)
  for (const prefix of cold) {
    await seedLedgers(cluster, { ...shape, prefix, users: USERS, instrument })
  }
  await seedLedgers(cluster, { ...shape, prefix: 'first', users: 100, instrument })
  await packCloses(cluster)
  await cluster.vacuum('analytics')
  const served = await start(cluster.url('analytics'))
  const period = { startDate: new Date(Date.now() - 365 * 86_400_000).toISOString().slice(0, 10) }
  const analyze = async (prefix: string, users: number) => {
    const userIds = Array.from({ length: users }, (_, person) => `${prefix}${person}`)
    return timed(callUnary(served.client, analyzePortfolios, { userIds, period }))
  }
  const rows: object[] = []
  const row = async (name: string, { answer, ms }: Awaited<ReturnType<typeof analyze>>) => {
    const { ok = 0, requested = 0 } = answer.totals ?? {}
    const { nanos = 0 } = answer.elapsed ?? {}
    rows.push({
      name,
      ms: ms.toFixed(0),
      'of it served': nanos / 1e6,
      ok,
      requested,
      ...(await delays(served)),
    })
  }
  await row('prices not resident, 100 users', await analyze('first', 100))
  await analyze('first', 100)
  await served.measured()
  for (const prefix of cold) await row('positions cold', await analyze(prefix, USERS))
  for (let at = 0; at < BATCHES; at += 1) await row('warm', await analyze('cold0-', USERS))
  console.table(rows)
  await served.stop()
}

async function delays(served: Served) {
  const { delayP99Ms, delayMaxMs, residentMebibytes } = await served.measured()
  return {
    'loop p99 ms': delayP99Ms.toFixed(1),
    'loop max ms': delayMaxMs.toFixed(1),
    'RSS MiB': residentMebibytes.toFixed(0),
  }
}

/** One portfolio since inception with a daily series. */
async function single(
  cluster: Cluster,
  shape: { prefix: string; symbols: number; years: number; entries: number },
): Promise<void> {
  const { prefix, symbols, years, entries } = shape
  const days = Math.round(years * 365.25)
  await seedQuotes(cluster, { prefix, symbols, days })
  const instrument = `'${prefix}' || entry % ${symbols}`
  await seedLedgers(cluster, { prefix, users: 1, entries, days, instrument })
  await packCloses(cluster)
  await cluster.vacuum('analytics')
  const served = await start(cluster.url('analytics'))
  const rows = []
  for (let at = 0; at < READS; at += 1) {
    const request = { userId: `${prefix}0`, periods: [{}], interval: Interval.DAY }
    const { answer, ms } = await timed(callUnary(served.client, getPerformance, request))
    const points = answer.reports[0]?.series.length
    rows.push({
      ...shape,
      read: at === 0 ? 'cold' : 'warm',
      ms: ms.toFixed(0),
      points,
      ...(await delays(served)),
    })
  }
  console.table(rows)
  await served.stop()
}

const [mode = 'all', databaseUrl = ''] = process.argv.slice(2)
if (mode === 'serve') {
  await serve(databaseUrl)
} else {
  const cluster = await startCluster()
  try {
    await cluster.createDatabase('analytics')
    await migrateDatabase(cluster.url('analytics'))
    if (mode === 'all' || mode === 'batch') await batch(cluster)
    if (mode === 'all' || mode === 'single') {
      await single(cluster, { prefix: 'E', symbols: 50, years: 8, entries: 1_900 })
    }
    if (mode === 'all' || mode === 'large') {
      await single(cluster, { prefix: 'L', symbols: 250, years: 12, entries: 14_400 })
    }
  } finally {
    await cluster.close()
  }
}
