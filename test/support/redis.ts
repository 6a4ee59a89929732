import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'

const run = promisify(execFile)
const PROGRAM = 'redis-server'
/** Several test files may find at once that there is none. */
const INSTALL_LOCK = join(tmpdir(), 'portfolio-redis-install.lock')
const INSTALL = `command -v ${PROGRAM} || (apt-get -qq update && apt-get -qq install -y --no-install-recommends ${PROGRAM})`

/** A Redis server of the test's own, to do to it what befalls servers. */
export class TestRedis {
  readonly #folder: string
  readonly #port: number
  #process: ChildProcess | undefined

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
  }

  static async start(): Promise<TestRedis> {
    await ensureProgram()
    const folder = await mkdtemp(join(tmpdir(), 'portfolio-redis-'))
    const redis = new TestRedis(folder, await findFreePort())
    await redis.restart()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** Runs one command on a connection of its own. */
  async command(name: string, ...values: readonly (string | number | Buffer)[]): Promise<unknown> {
    const client = new Redis(this.url, { retryStrategy: () => null })
    client.on('error', () => undefined)
    try {
      return await client.call(name, [...values])
    } finally {
      client.disconnect()
    }
  }

  /** The server stays connected and says nothing any more. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    const stopped = this.#process
    this.#process = undefined
    if (stopped === undefined || stopped.exitCode !== null) return
    stopped.kill('SIGKILL')
    await once(stopped, 'close')
  }

  /** An empty server on the same port. */
  async restart(): Promise<void> {
    await this.stop()
    const settings = ['--bind', '127.0.0.1', '--port', `${this.#port}`, '--dir', this.#folder]
    const child = spawn(PROGRAM, [...settings, '--save', '', '--appendonly', 'no'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#process = child
    const said: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line)
      if (/ready to accept connections/i.test(line)) {
        child.stdout.resume()
        return
      }
    }
    throw new Error(`${PROGRAM} ended: ${said.join('\n')}`)
  }

  async close(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The server of TEST_REDIS_URL or REDIS_URL, which nobody stops or empties, or else one of the test's own. */
export async function findTestRedis(): Promise<{ url: string; close(): Promise<void> }> {
  const url = process.env['TEST_REDIS_URL'] ?? process.env['REDIS_URL']
  return url === undefined ? TestRedis.start() : { url, close: async () => undefined }
}

/** @throws with the sentence that says what to install. */
async function ensureProgram(): Promise<void> {
  if (isOnPath()) return
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    throw new Error(`These tests need ${PROGRAM} on the PATH: install Redis 6 or newer.`)
  }
  process.stderr.write(`There is no ${PROGRAM}: installing the package with apt-get.\n`)
  // The package would start a server of its own; a run level that runs no services keeps it from that.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  await run('flock', [INSTALL_LOCK, 'sh', '-c', INSTALL], { env })
  if (!isOnPath()) throw new Error(`apt-get brought no ${PROGRAM}: install Redis 6 or newer.`)
}

function isOnPath(): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, PROGRAM)))
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
