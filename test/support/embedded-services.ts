import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { locatePrograms } from '../../src/infra/postgres/embedded-cluster.ts'
import { startProgram, type Account } from '../../src/infra/postgres/embedded-process.ts'

const FIXTURE = fileURLToPath(new URL('fixtures/embedded-service.ts', import.meta.url))
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
// An ordinary user may be kept out of the folders above this checkout, which are not under test.
const CAPABILITIES = [
  '--securebits=+no_setuid_fixup',
  '--inh-caps=+dac_read_search',
  '--ambient-caps=+dac_read_search',
]

/** A process that is nothing but a service's embedded database. */
export interface EmbeddedService {
  readonly process: ChildProcess
  readonly url: string
  /** What it logged up to now. */
  readonly log: () => string
}

/** Starts such a service without waiting for it. Undefined: the account of the tests. */
export function launchService(dataDir: string, account: Account | undefined): ChildProcess {
  const node = ['--import', 'tsx', FIXTURE, dataDir]
  const options = { cwd: CHECKOUT, env: { PATH: process.env['PATH'], TMPDIR: tmpdir() } }
  if (!account) return spawn(process.execPath, node, options)
  const identity = ['--reuid', `${account.uid}`, '--regid', `${account.gid}`, '--clear-groups']
  return spawn('setpriv', [...identity, ...CAPABILITIES, process.execPath, ...node], options)
}

/** Waits for a launched service's server; rejects with its log when it gives up. */
export async function waitForService(launched: ChildProcess): Promise<EmbeddedService> {
  let log = ''
  launched.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: launched.stdout! }).once('line', resolve)
    launched.once('error', reject)
    launched.once('close', () => reject(new Error(log)))
  })
  return { process: launched, url, log: () => log }
}

/** A server whose service is gone: here it never had one. */
export async function startOrphan(
  clusterFolder: string,
): Promise<{ process: ChildProcess; port: number }> {
  const { uid, gid } = await stat(clusterFolder)
  const port = await findFreePort()
  const child = await startProgram(
    locatePrograms().postgres,
    ['-D', clusterFolder, '-p', `${port}`, '-c', 'unix_socket_directories='],
    {
      account: process.getuid?.() === 0 ? { uid, gid } : undefined,
      folder: clusterFolder,
      parentDeathSignal: 'SIGKILL',
    },
  )
  for await (const line of createInterface({ input: child.stderr! })) {
    if (line.includes('ready to accept connections')) break
  }
  child.stderr?.resume()
  return { process: child, port }
}

/** PostgreSQL's data directory in a service's data folder. */
export function clusterFolderOf(dataDir: string): string {
  return join(dataDir, 'postgres', 'data')
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
