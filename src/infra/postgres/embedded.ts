import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, realpath } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import {
  claimFolder,
  endOrphan,
  locatePrograms,
  prepareCluster,
  ROLE,
  type Cluster,
  type Programs,
} from './embedded-cluster.ts'
import { ENDING_STEPS, startProgram } from './embedded-process.ts'

/** A PostgreSQL server that belongs to this process. */
export interface EmbeddedPostgres {
  /** Holds the password. The server listens on loopback alone, on another port after each start. */
  readonly url: string
  /** Ends the server and frees the data folder; the data stay. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** Created when missing. One running service at a time; a second one is refused. */
  readonly dataDir: string
  readonly log: (message: string) => void
}

/** A crash recovery replays at most a checkpoint's distance of WAL. */
const READY_MS_MAX = 300_000
/** Processes of a killed server end by themselves, when they next look for it. */
const LEFTOVERS_MS_MAX = 30_000
const RETRY_MS = 100
const PORT_ATTEMPTS_MAX = 5
const LINES_KEPT_MAX = 20

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  // Statements that fail are the service's to report, and their text holds clients' data.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
}

/**
 * Starts a real PostgreSQL in `<dataDir>/postgres`, and recovers from a service or a server that was
 * killed before.
 *
 * @throws when another live service uses the folder, or the optional package is not installed
 */
export async function startEmbeddedPostgres({
  dataDir,
  log,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const programs = locatePrograms()
  await mkdir(dataDir, { recursive: true, mode: 0o755 })
  const root = await realpath(dataDir)
  const release = await claimFolder(root)
  let server: Server | undefined
  const stop = async (): Promise<void> => {
    await server?.end()
    await release()
  }
  try {
    const cluster = await prepareCluster(root, programs, log)
    await endOrphan(cluster.folder, log)
    server = await startServer(programs, cluster, log)
    const url = `postgres://${ROLE}:${cluster.password}@127.0.0.1:${server.port}`
    await ensureDatabase(`${url}/postgres`)
    let stopped: Promise<void> | undefined
    return { url: `${url}/${ROLE}`, stop: () => (stopped ??= stop()) }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Server {
  readonly port: number
  end(): Promise<void>
}

async function startServer(
  programs: Programs,
  cluster: Cluster,
  log: (message: string) => void,
): Promise<Server> {
  const deadlineMs = performance.now() + LEFTOVERS_MS_MAX
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort()
    const child = await startProgram(programs.postgres, serverArguments(cluster.folder, port), {
      account: cluster.account,
      folder: cluster.folder,
      parentDeathSignal: 'SIGINT',
    })
    const failure = await waitUntilReady(child, log)
    if (failure === undefined) return superviseServer(child, port, log)
    const isPortTaken = failure.includes('could not create any TCP/IP sockets')
    const hasLeftovers = failure.includes('pre-existing shared memory block')
    const mayRetry =
      (isPortTaken && attempt < PORT_ATTEMPTS_MAX) ||
      (hasLeftovers && performance.now() < deadlineMs)
    if (!mayRetry) throw new Error(`the embedded PostgreSQL did not start: ${failure}`)
    await delay(RETRY_MS)
  }
}

function serverArguments(folder: string, port: number): string[] {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', folder, '-p', `${port}`, ...settings]
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

/** Resolves to what PostgreSQL said when it ended instead, or to undefined. */
async function waitUntilReady(
  child: ChildProcess,
  log: (message: string) => void,
): Promise<string | undefined> {
  const lines: string[] = []
  child.stdout?.resume()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS_MAX)
    const settle = (failure: string | undefined): void => {
      clearTimeout(timer)
      resolve(failure)
    }
    child.once('error', (error) => settle(error.message))
    child.once('close', () => settle(lines.join('\n')))
    if (!child.stderr) return
    createInterface({ input: child.stderr }).on('line', (line) => {
      log(`postgres: ${line}`)
      if (lines.push(line) > LINES_KEPT_MAX) lines.shift()
      if (line.includes('database system is ready to accept connections')) settle(undefined)
    })
  })
}

function superviseServer(
  child: ChildProcess,
  port: number,
  log: (message: string) => void,
): Server {
  let isEnding = false
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      if (!isEnding) {
        log(
          `the embedded PostgreSQL ended by itself (${signal ?? `code ${code}`}): ` +
            `nothing can be served until this service is restarted`,
        )
      }
      resolve()
    })
  })
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  return {
    port,
    async end() {
      isEnding = true
      for (const { signal, patienceMs } of ENDING_STEPS) {
        if (isOver()) return
        child.kill(signal)
        const timer = new AbortController()
        await Promise.race([
          exited,
          delay(patienceMs, undefined, { signal: timer.signal }).catch(() => undefined),
        ])
        timer.abort()
      }
    },
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  // A lost connection also rejects the query, which is where it is dealt with.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [ROLE])
    if (rowCount === 0) await client.query(`create database ${ROLE}`)
  } finally {
    await client.end()
  }
}
