import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import type { LoadPlan, LoadResult } from './load.ts'

const READY_MS_MAX = 60_000
const END_MS_MAX = 20_000

/** As `npm start` runs the service; the servers it is compared with get the same. */
export const NODE_ARGUMENTS: readonly string[] = [
  '--max-semi-space-size=128',
  '--no-memory-reducer',
]

/** A server under load, in a process of its own. */
export interface ServerProcess {
  readonly address: string
  readonly pid: number
  stop(): Promise<void>
}

export interface ServerOptions {
  /** Relative to this folder, as built. */
  readonly script: string
  /** Arguments of the script, its port known. */
  readonly argumentsFor: (port: number) => readonly string[]
  readonly environmentFor: (port: number) => Readonly<Record<string, string>>
  readonly nodeArguments: readonly string[]
  readonly logFile: string
}

export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const port = await findFreePort()
  const log = openSync(options.logFile, 'w')
  const script = fileURLToPath(new URL(options.script, import.meta.url))
  const child = spawn(
    process.execPath,
    [...NODE_ARGUMENTS, ...options.nodeArguments, script, ...options.argumentsFor(port)],
    {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.environmentFor(port) },
    },
  )
  const address = `127.0.0.1:${port}`
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${options.script} ended; it said:\n${readFileSync(options.logFile, 'utf8')}`)
  })
  try {
    await Promise.race([waitUntilReady(address), ended])
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  ended.catch(() => undefined)
  if (child.pid === undefined) throw new Error('a process without an id')
  return { address, pid: child.pid, stop: () => endChild(child) }
}

/** Runs a load to its end, in a process of its own. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const script = fileURLToPath(new URL('load.js', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify(plan)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let result: LoadResult | undefined
  child.once('message', (message) => (result = message as LoadResult))
  await once(child, 'exit')
  if (result === undefined) throw new Error('the load process ended without a result')
  return result
}

async function waitUntilReady(address: string): Promise<void> {
  const client = new grpc.Client(address, grpc.credentials.createInsecure())
  try {
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + READY_MS_MAX, (error) => {
        if (error === undefined) resolve()
        else reject(error)
      })
    })
  } finally {
    client.close()
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
  child.kill('SIGTERM')
  await once(child, 'exit')
  clearTimeout(timer)
}

export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
