import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { migrateDatabase } from '../src/infra/postgres/migrate.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { cpuMicroseconds } from './cpu-time.ts'
import { PAST_USERS, seedPastQuotes, seedPastUser } from './past-users.ts'
import { findFreePort, type ServerProcess, startServer } from './processes.ts'
import { sendOpeningQuotes, startQuoteFeed } from './quote-feed.ts'
import type { ReadPlan, ReadResult } from './read-load.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'
import { seedPopulations } from './seed.ts'
import { type Population, userId } from './workload.ts'

const { values: options } = parseArgs({
  options: {
    /** Fewer users and short runs: to see whether it works, not how fast it is. */
    quick: { type: 'boolean', default: false },
    /** Names of cases, with commas between them. */
    only: { type: 'string' },
    rounds: { type: 'string' },
    /** Folder for CPU profiles of the servers. */
    profile: { type: 'string' },
  },
})

const CASES = [
  { name: 'a', title: '(a) empty grpc-js handler', cacheUsersMax: undefined, redis: false },
  { name: 'b', title: '(b) warm in the process', cacheUsersMax: 100_000, redis: false },
  { name: 'c', title: '(c) warm in Redis', cacheUsersMax: 1, redis: true },
  { name: 'd', title: '(d) cold from PostgreSQL', cacheUsersMax: 1, redis: false },
  { name: 'e', title: '(e) a past moment', cacheUsersMax: 100_000, redis: false },
] as const
type Case = (typeof CASES)[number]

/** What one server is measured with. */
interface Load {
  readonly title: string
  readonly population: Population
  readonly inFlight: number
  readonly conditional: boolean
  readonly past: boolean
}

const WANTED = [
  { name: 'b', ratio: 0.35 },
  { name: 'c', ratio: 0.25 },
] as const

const IN_FLIGHT = 64
/** One a connection: how long a past answer takes, not how many there can be. */
const PAST_IN_FLIGHT = 4
const DATABASE = 'bench_read'
const population = { prefix: 'user', users: options.quick ? 1_000 : 10_000, holdings: 20 }
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3))
const warmUpMs = options.quick ? 1_000 : 2_000
const durationMs = options.quick ? 3_000 : 6_000
const logDir = await mkdtemp(join(tmpdir(), 'portfolio-bench-log-'))

interface Row extends ReadResult {
  readonly serverCpuMicroseconds: number
}

function say(message: string): void {
  console.error(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${message}`)
}

function launch(cluster: Cluster, redis: RedisServer, each: Case): Promise<ServerProcess> {
  const { name, cacheUsersMax } = each
  const profile =
    options.profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`, `--cpu-prof-name=${name}.cpuprofile`]
  const common = { nodeArguments: profile, logFile: join(logDir, `${name}.log`) }
  if (cacheUsersMax === undefined) {
    return startServer({
      ...common,
      script: 'empty-reader.js',
      argumentsFor: (port) => [`${port}`],
      environmentFor: () => ({}),
    })
  }
  return startServer({
    ...common,
    script: '../src/main.js',
    argumentsFor: () => [],
    environmentFor: (port) => ({
      DATABASE_URL: cluster.url(DATABASE),
      REDIS_URL: each.redis ? redis.url : '',
      STATE_CACHE_USERS_MAX: `${cacheUsersMax}`,
      BIND_ADDRESS: '127.0.0.1',
      GRPC_PORT: `${port}`,
      METRICS_PORT: '0',
      HTTP_PORT: 'off',
    }),
  })
}

async function runReaders(plan: ReadPlan): Promise<ReadResult> {
  const script = fileURLToPath(new URL('read-load.js', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify(plan)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let result: ReadResult | undefined
  child.once('message', (message) => (result = message as ReadResult))
  await once(child, 'exit')
  if (result === undefined) throw new Error('the readers ended without a result')
  return result
}

/** Everything but a past moment is read twice: plainly, and with the etag of the last answer. */
function loadsOf({ title, cacheUsersMax, name }: Case): readonly Load[] {
  const load = { title, population, inFlight: IN_FLIGHT, conditional: false, past: false }
  if (cacheUsersMax === undefined) return [load]
  if (name !== 'e') return [load, { ...load, title: `${title}, if_none_match`, conditional: true }]
  return PAST_USERS.map(({ population: one, transactions, sells }) => ({
    ...load,
    title: `${title}, ${transactions} transactions${sells ? '' : ', none sold'}`,
    population: one,
    inFlight: PAST_IN_FLIGHT,
    past: true,
  }))
}

async function measure(
  server: ServerProcess,
  { isService, load, seed }: { isService: boolean; load: Load; seed: number },
): Promise<Row> {
  const feed = isService ? startQuoteFeed(server.address) : undefined
  const common = { ...load, address: server.address, seed }
  await runReaders({ ...common, warm: isService, warmUpMs: 0, durationMs: 1 })
  const cpuBefore = cpuMicroseconds(server.pid) ?? Number.NaN
  const result = await runReaders({ ...common, warm: false, warmUpMs, durationMs })
  const cpu = (cpuMicroseconds(server.pid) ?? Number.NaN) - cpuBefore
  await feed?.stop()
  const answered = result.requestsPerSecond * ((warmUpMs + durationMs) / 1_000)
  return { ...result, serverCpuMicroseconds: cpu / answered }
}

async function seedPast(cluster: Cluster, redis: RedisServer): Promise<void> {
  await seedPastQuotes(cluster.url(DATABASE))
  const server = await launch(cluster, redis, CASES[1])
  try {
    for (const user of PAST_USERS) {
      await seedPastUser(server.address, userId(user.population, 0), user)
    }
  } finally {
    await server.stop()
  }
}

function medianOf(rows: readonly Row[]): Row {
  const sorted = rows.toSorted((left, right) => left.requestsPerSecond - right.requestsPerSecond)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

function reportOf(results: ReadonlyMap<string, readonly Row[]>): string {
  const base = medianOf(results.get(CASES[0].title) ?? []).requestsPerSecond
  const lines = [
    '| case | requests/s | x (a) | p50 ms | p99 ms | CPU us server | cached | not modified |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  ]
  for (const [title, rows] of results) {
    const row = medianOf(rows)
    const cells = [
      title,
      row.requestsPerSecond.toFixed(0),
      (row.requestsPerSecond / base).toFixed(2),
      row.p50Ms.toFixed(1),
      row.p99Ms.toFixed(1),
      row.serverCpuMicroseconds.toFixed(0),
      row.cachedShare.toFixed(2),
      row.notModifiedShare.toFixed(2),
    ]
    lines.push(`| ${cells.join(' | ')} |`)
  }
  for (const { name, ratio } of WANTED) {
    const rows = results.get(CASES.find((each) => each.name === name)?.title ?? '')
    if (rows === undefined) continue
    const found = medianOf(rows).requestsPerSecond / base
    const verdict = found >= ratio ? 'reached' : 'MISSED'
    lines.push(`- ${name} >= ${ratio} x a: ${found.toFixed(2)}, ${verdict}`)
  }
  return lines.join('\n')
}

async function run(cluster: Cluster, redis: RedisServer): Promise<string> {
  await cluster.createDatabase(DATABASE)
  await migrateDatabase(cluster.url(DATABASE))
  await seedPopulations(cluster.url(DATABASE), [population])
  const wanted = options.only?.split(',')
  if (wanted?.includes('e') !== false) await seedPast(cluster, redis)
  await cluster.vacuum(DATABASE)
  say('seeded')
  const results = new Map<string, Row[]>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const each of CASES) {
      if (each.name !== 'a' && wanted?.includes(each.name) === false) continue
      const isService = each.cacheUsersMax !== undefined
      const server = await launch(cluster, redis, each)
      try {
        if (isService) await sendOpeningQuotes(server.address)
        for (const load of loadsOf(each)) {
          const { title } = load
          const row = await measure(server, { isService, load, seed: round })
          results.set(title, [...(results.get(title) ?? []), row])
          say(`round ${round}, ${title}: ${row.requestsPerSecond.toFixed(0)} requests/s`)
        }
      } finally {
        await server.stop()
      }
    }
  }
  return reportOf(results)
}

const cluster = await startCluster()
const redis = await startRedisServer(await findFreePort())
try {
  console.log(`\n${await run(cluster, redis)}`)
  await rm(logDir, { recursive: true, force: true })
} catch (error) {
  say(`the logs of the servers are in ${logDir}`)
  throw error
} finally {
  await redis.close()
  await cluster.close()
}
