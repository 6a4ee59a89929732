import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { ensureProgram, REDIS } from './install-program.ts'

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
    await ensureProgram(REDIS)
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
    const child = spawn(REDIS.name, [...settings, '--save', '', '--appendonly', 'no'], {
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
    throw new Error(`${REDIS.name} ended: ${said.join('\n')}`)
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

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
