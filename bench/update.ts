import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { migrateDatabase } from '../src/infra/postgres/migrate.ts'
import { type Case, FULL, type Plan, planOf, QUICK, type ServerName } from './cases.ts'
import { type Cluster, startCluster, workBetween } from './cluster.ts'
import { cpuMicroseconds, treeCpuMicroseconds } from './cpu-time.ts'
import { assertEqualRows, assertLedgersFold } from './equality.ts'
import type { LoadPlan, LoadResult } from './load.ts'
import { launchServer } from './launch.ts'
import { runLoad, type ServerProcess } from './processes.ts'
import { sendOpeningQuotes, startQuoteFeed } from './quote-feed.ts'
import { type Measurement, reportOf } from './report.ts'
import { seedPopulations } from './seed.ts'
import { type Population, SEEDED_LOT_UNITS, userId } from './workload.ts'

const { values: options } = parseArgs({
  options: {
    /** Fewer users, one round, short runs: to see whether it works, not how fast it is. */
    quick: { type: 'boolean', default: false },
    /** Puts the tables into docs/benchmarks.md. */
    write: { type: 'boolean', default: false },
    /** Names of cases, with commas between them. */
    only: { type: 'string' },
    rounds: { type: 'string' },
    /** Folder for CPU profiles of the servers. */
    profile: { type: 'string' },
  },
})

const IN_FLIGHT = 128
const SEED_DATABASE = 'bench_seed'
const DOCUMENT = 'docs/benchmarks.md'
const MARKER = { start: '<!-- npm run bench:update -->', end: '<!-- end -->' }
const USERS_FOLDED = 50

const extent = options.quick ? QUICK : FULL
const plan = planOf(extent)
const rounds = options.rounds === undefined ? extent.rounds : Number(options.rounds)
const names = options.only?.split(',')
const cases = plan.cases.filter(({ name }) => names?.includes(name) ?? true)
const logDir = await mkdtemp(join(tmpdir(), 'portfolio-bench-log-'))
/** Of the minute before: what else the machine was doing. */
const loadBefore = loadavg()[0] ?? 0
const acknowledged = new Map<ServerName, number>()

function databaseOf(server: ServerName): string {
  return `bench_${server}`
}

function say(message: string): void {
  console.error(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${message}`)
}

async function prepare(cluster: Cluster, servers: readonly ServerName[]): Promise<void> {
  await cluster.createDatabase(SEED_DATABASE)
  await migrateDatabase(cluster.url(SEED_DATABASE))
  await seedPopulations(cluster.url(SEED_DATABASE), plan.populations)
  await cluster.vacuum(SEED_DATABASE)
  for (const server of servers) {
    if (server !== 'empty') await cluster.createDatabase(databaseOf(server), SEED_DATABASE)
  }
}

function launch(cluster: Cluster, name: ServerName): Promise<ServerProcess> {
  return launchServer(name, {
    databaseUrl: cluster.url(databaseOf(name)),
    cacheUsersMax: plan.cacheUsersMax[name] ?? 0,
    logFile: join(logDir, `${name}.log`),
    profileDir: options.profile && resolve(options.profile),
  })
}

function isService(name: ServerName): boolean {
  return plan.cacheUsersMax[name] !== undefined
}

async function load(
  server: ServerName,
  address: string,
  what: Pick<LoadPlan, 'mode' | 'population' | 'transactionsPerRequest' | 'keyed' | 'seed'>,
): Promise<LoadResult> {
  const { warmUpMs, durationMs } = extent
  const result = await runLoad({ ...what, address, inFlight: IN_FLIGHT, warmUpMs, durationMs })
  if (result.errors > 0) {
    throw new Error(`${result.errors} requests failed, the first with: ${result.firstError}`)
  }
  acknowledged.set(server, (acknowledged.get(server) ?? 0) + result.acknowledged)
  return result
}

/** Every user trades every symbol once: pages, caches and compilers are warm, and all servers must do the same. */
async function warmUp(
  cluster: Cluster,
  servers: ReadonlyMap<ServerName, ServerProcess>,
): Promise<void> {
  const digests = new Map<string, Set<string>>()
  for (const [name, { address }] of servers) {
    if (isService(name)) await sendOpeningQuotes(address)
    for (const population of plan.warmed[name]) {
      const once = {
        mode: 'each-user-once',
        transactionsPerRequest: 1,
        keyed: false,
        seed: 0,
      } as const
      const { responsesDigest } = await load(name, address, { ...once, population })
      const known = digests.get(population.prefix) ?? new Set()
      digests.set(population.prefix, known.add(responsesDigest))
      if (known.size > 1) throw new Error(`${name} answered "${population.prefix}" otherwise`)
    }
    say(`${name} is warm`)
  }
  const databases = [...servers.keys()].filter((name) => name !== 'empty').map(databaseOf)
  for (const prefix of digests.keys()) {
    const holding = databases.filter((database) => warmedIn(database, prefix))
    await assertEqualRows(cluster, holding, prefix)
  }
  say('all answers and all tables are equal')
}

function warmedIn(database: string, prefix: string): boolean {
  return Object.entries(plan.warmed).some(
    ([name, populations]) =>
      databaseOf(name as ServerName) === database &&
      populations.some((population: Population) => population.prefix === prefix),
  )
}

async function measure(
  cluster: Cluster,
  { address, pid }: ServerProcess,
  { measured, seed }: { measured: Case; seed: number },
): Promise<Measurement> {
  const { server, population, transactionsPerRequest, keyed } = measured
  const database = server === 'empty' ? 'postgres' : databaseOf(server)
  const serverPid = await cluster.serverPid()
  const feed = isService(server) ? startQuoteFeed(address) : undefined
  // A connection in use reports its counts once a second: after the warm-up none is left of the case before.
  const workBefore = delay(extent.warmUpMs).then(() => cluster.work(database))
  const cpuBefore = [cpuMicroseconds(pid), treeCpuMicroseconds(serverPid)] as const
  const mode = 'random'
  const result = await load(server, address, {
    mode,
    population,
    transactionsPerRequest,
    keyed,
    seed,
  })
  const cpuAfter = [cpuMicroseconds(pid), treeCpuMicroseconds(serverPid)] as const
  const work = workBetween(await workBefore, await cluster.work(database))
  await feed?.stop()
  const perRequest = (index: 0 | 1): number =>
    ((cpuAfter[index] ?? Number.NaN) - (cpuBefore[index] ?? Number.NaN)) / result.acknowledged
  return {
    requestsPerSecond: result.requestsPerSecond,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    serverCpuMicroseconds: perRequest(0),
    databaseCpuMicroseconds: perRequest(1),
    rowsRead: work.rowsRead / work.requests,
    rowsWritten: work.rowsWritten / work.requests,
    requestsPerCommit: work.requests / work.commits,
  }
}

/** Nothing that was acknowledged is missing, and what the tables hold is what their ledgers say. */
async function check(cluster: Cluster, servers: readonly ServerName[]): Promise<void> {
  const seeded =
    plan.populations.reduce((sum, { users }) => sum + users, 0) * SEEDED_LOT_UNITS.length
  for (const server of servers) {
    if (server === 'empty') continue
    const database = databaseOf(server)
    const [row] = await cluster.query<{ sum: string }>(
      database,
      'select sum(version) as sum from portfolio',
    )
    const committed = Number(row?.sum) - seeded
    if (committed !== acknowledged.get(server)) {
      throw new Error(`${server} acknowledged ${acknowledged.get(server)} and kept ${committed}`)
    }
    const users = plan.populations.flatMap((population) =>
      Array.from({ length: Math.min(population.users, USERS_FOLDED) }, (_, user) =>
        userId(population, user),
      ),
    )
    await assertLedgersFold(cluster, database, users)
  }
  say('every acknowledged request is in its ledger, and the ledgers fold to the holdings')
}

async function run(cluster: Cluster, { cases: all }: Pick<Plan, 'cases'>): Promise<string> {
  const needed = [...new Set(all.map(({ server }) => server))]
  await prepare(cluster, needed)
  say('seeded')
  const servers = new Map<ServerName, ServerProcess>()
  try {
    for (const name of needed) servers.set(name, await launch(cluster, name))
    await warmUp(cluster, servers)
    const results = new Map<Case, Measurement[]>(all.map((each) => [each, []]))
    for (let round = 1; round <= rounds; round += 1) {
      for (const [measured, measurements] of results) {
        const server = servers.get(measured.server)
        if (server === undefined) throw new Error('a case without its server')
        const measurement = await measure(cluster, server, { measured, seed: round })
        measurements.push(measurement)
        say(
          `round ${round}, ${measured.name}: ${measurement.requestsPerSecond.toFixed(0)} requests/s`,
        )
      }
    }
    await check(cluster, needed)
    return reportOf(results, { ...cluster, loadBefore })
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()))
  }
}

async function write(report: string): Promise<void> {
  const text = await readFile(DOCUMENT, 'utf8')
  const start = text.indexOf(MARKER.start)
  const end = text.indexOf(MARKER.end)
  if (start === -1 || end < start) throw new Error(`${DOCUMENT} has lost its markers`)
  const head = text.slice(0, start + MARKER.start.length)
  await writeFile(DOCUMENT, `${head}\n\n${report}\n\n${text.slice(end)}`)
}

const cluster = await startCluster()
try {
  const report = await run(cluster, { cases })
  console.log(`\n${report}`)
  if (options.write) await write(report)
  await rm(logDir, { recursive: true, force: true })
} catch (error) {
  say(`the logs of the servers are in ${logDir}`)
  throw error
} finally {
  await cluster.close()
}
