import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface RedisServer {
  readonly url: string
  close(): Promise<void>
}

/** Starts the redis-server of the PATH on a port, without persistence. */
export async function startRedisServer(port: number): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'portfolio-bench-redis-'))
  const child = spawn(
    'redis-server',
    ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, '--save', ''],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child, 'spawn')
  let isReady = false
  for await (const line of createInterface({ input: child.stdout })) {
    isReady = /ready to accept connections/i.test(line)
    if (isReady) break
  }
  if (!isReady) throw new Error('the redis-server ended')
  child.stdout.resume()
  return {
    url: `redis://127.0.0.1:${port}`,
    async close() {
      child.kill('SIGTERM')
      await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
