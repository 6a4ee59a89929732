import { once } from 'node:events'
import { spawn, type ChildProcess } from 'node:child_process'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import {
  endPostmaster,
  identifyProcess,
  isPostmasterOf,
  startProgram,
  type Account,
} from '../../../src/infra/postgres/embedded-process.ts'
import { startEmbeddedPostgres } from '../../../src/infra/postgres/embedded.ts'
import {
  clusterFolderOf,
  launchService,
  startOrphan,
  waitForService,
  type EmbeddedService,
} from '../../support/embedded-services.ts'

const NOBODY: Account = { uid: 65_534, gid: 65_534 }
const IS_ROOT = process.getuid?.() === 0

// PostgreSQL itself refuses root, so root has a path of its own; both are tried where we can be both.
const ACCOUNTS: { name: string; account: Account | undefined }[] = [
  { name: IS_ROOT ? 'as root' : 'as an ordinary user', account: undefined },
  ...(IS_ROOT ? [{ name: 'as an ordinary user', account: NOBODY }] : []),
]

let dataDir: string
let started: ChildProcess[]
let closers: (() => Promise<unknown>)[]

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'embedded-postgres-'))
  await chmod(dataDir, 0o755)
  started = []
  closers = []
})

afterEach(async () => {
  const running = started.filter((child) => child.exitCode === null && child.signalCode === null)
  const exits = running.map((child) => once(child, 'exit'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(exits)
  for (const closer of closers.toReversed()) await closer()
  const pid = await readPostmasterPid()
  if (pid !== undefined) await endPostmaster(pid, clusterFolder())
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
})

describe.each(ACCOUNTS)('an embedded PostgreSQL $name', ({ account }) => {
  beforeEach(async () => {
    if (account) await chown(dataDir, account.uid, account.gid)
  })

  test('keeps its data from one start to the next, and its password to itself', async () => {
    const first = await startService(account)
    await query(first.url, 'create table kept as select 42 as value')
    await stopService(first)

    const second = await startService(account)
    expect(await query(second.url, 'select value from kept')).toEqual([{ value: 42 }])
    const password = await stat(join(dataDir, 'postgres', 'password'))
    expect(password.mode & 0o777).toBe(0o600)
    const wrong = new URL(second.url)
    wrong.password = 'wrong'
    await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed')
  })

  test('recovers what was committed when service and server are killed', async () => {
    const killed = await startService(account)
    await query(killed.url, 'create table kept as select 42 as value')
    const pid = await requirePostmasterPid()
    // Stopped first, so that the signal for its parent's death finds it no longer able to obey.
    process.kill(pid, 'SIGSTOP')
    await killService(killed)
    process.kill(pid, 'SIGKILL')

    const next = await startService(account)
    expect(await query(next.url, 'select value from kept')).toEqual([{ value: 42 }])
    expect(next.log()).toContain('not properly shut down')
  })

  test('takes over from an orphaned server, a transaction still open in it', async () => {
    const service = await startService(account)
    await query(service.url, 'create table kept as select 42 as value')
    await stopService(service)
    const orphan = await startOrphan(clusterFolder())
    started.push(orphan.process)
    const client = await connect(withPort(service.url, orphan.port))
    await client.query('begin')
    await client.query('delete from kept')

    const next = await startService(account)
    expect(next.log()).toContain(`ending PostgreSQL (process ${orphan.process.pid})`)
    expect(await query(next.url, 'select value from kept')).toEqual([{ value: 42 }])
    expect(await requirePostmasterPid()).not.toBe(orphan.process.pid)
  })

  test('refuses a data folder that a live service uses, and leaves that one alone', async () => {
    const first = await startService(account)
    const pid = await requirePostmasterPid()

    await expect(startService(account)).rejects.toThrow(
      `in use by a running service (process ${first.process.pid})`,
    )
    expect(await query(first.url, 'select 1 as value')).toEqual([{ value: 1 }])
    expect(await requirePostmasterPid()).toBe(pid)
  })

  test('starts over when its creation was cut short', async () => {
    const interrupted = launch(account)
    await waitFor(async () => {
      const [unfinished] = await namesStartingWith('postgres.creating-')
      return unfinished !== undefined && (await hasFile(unfinished, 'data/PG_VERSION'))
    })
    await killService({ process: interrupted })
    expect(await namesStartingWith('postgres')).toEqual([
      expect.stringMatching(/^postgres\.creating-/),
    ])

    const next = await startService(account)
    expect(await query(next.url, 'select 1 as value')).toEqual([{ value: 1 }])
    expect(await namesStartingWith('postgres')).toEqual(['postgres'])
  })

  test('moves a folder aside that holds no complete database', async () => {
    await mkdir(join(dataDir, 'postgres', 'data'), { recursive: true })
    await writeFile(join(dataDir, 'postgres', 'data', 'PG_VERSION'), '18\n')

    const { url } = await startService(account)
    expect(await query(url, 'select 1 as value')).toEqual([{ value: 1 }])
    expect(await namesStartingWith('postgres.incomplete-')).toHaveLength(1)
  })

  test('dies with its service', async () => {
    const killed = await startService(account)
    const pid = await requirePostmasterPid()
    expect(await isPostmasterOf(pid, clusterFolder())).toBe(true)
    await killService(killed)
    await waitFor(async () => !(await isPostmasterOf(pid, clusterFolder())))
  })
})

describe('an embedded PostgreSQL in this process', () => {
  test('is durable, exact about time and text, and found on loopback alone', async () => {
    const { url } = await startHere()
    const names = ['fsync', 'full_page_writes', 'synchronous_commit', 'TimeZone']
    const rows = await query(
      url,
      `select name, setting from pg_settings
       where name = any('{${names.join(',')},listen_addresses,unix_socket_directories}')`,
    )
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      TimeZone: 'UTC',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
    })
    const database = `select pg_encoding_to_char(encoding) as encoding, datcollate, datctype
                      from pg_database where datname = current_database()`
    expect(await query(url, database)).toEqual([
      { encoding: 'UTF8', datcollate: 'C', datctype: 'C' },
    ])
  })

  test('says so when it ends by itself', async () => {
    const { lines } = await startHere()
    process.kill(await requirePostmasterPid(), 'SIGKILL')
    await waitFor(() => lines.some((line) => line.includes('ended by itself')))
    expect(lines.at(-1)).toContain('ended by itself (SIGKILL)')
  })

  test('says nothing of the kind when it is stopped, and can be stopped twice', async () => {
    const { lines, stop } = await startHere()
    await Promise.all([stop(), stop()])
    expect(lines.filter((line) => line.includes('ended by itself'))).toEqual([])
    expect(await readdir(join(dataDir, 'owners'))).toEqual([])
  })

  test('works below a folder that only its owner may enter', async () => {
    await chmod(dataDir, 0o700)
    const { url } = await startHere()
    expect(await query(url, 'select 1 as value')).toEqual([{ value: 1 }])
  })

  test('runs programs that look for their neighbours below such a folder', async () => {
    const program = join(dataDir, 'probe')
    await writeFile(program, '#!/bin/sh\ntest -x "$0"\n', { mode: 0o755 })
    await chmod(dataDir, 0o700)
    const account = IS_ROOT ? NOBODY : undefined
    const probe = await startProgram(program, [], {
      account,
      folder: tmpdir(),
      parentDeathSignal: 'SIGKILL',
    })
    expect(await once(probe, 'exit')).toEqual([0, null])
  })

  test('is refused twice in one process', async () => {
    await startHere()
    await expect(startHere()).rejects.toThrow(
      `in use by a running service (process ${process.pid})`,
    )
  })

  test('is not misled by a process that got the number of a killed one', async () => {
    const { stop } = await startHere()
    const path = join(clusterFolder(), 'postmaster.pid')
    const content = await readFile(path, 'utf8')
    await stop()
    // A process of the same account, which PostgreSQL itself would take for a rival.
    const owner = await stat(clusterFolder())
    const stranger = spawn('sleep', ['600'], IS_ROOT ? { uid: owner.uid, gid: owner.gid } : {})
    started.push(stranger)
    await writeFile(path, content.replace(/^\d+/, `${stranger.pid}`), { mode: 0o600 })
    await chown(path, owner.uid, owner.gid)
    // And in place of a killed service, which had started at another time.
    const stale = (await identifyProcess(stranger.pid!))!.replace(/\.\d+\./, '.1.')
    await writeFile(join(dataDir, 'owners', stale), '')

    const { url } = await startHere()
    expect(await query(url, 'select 1 as value')).toEqual([{ value: 1 }])
    expect(await readdir(join(dataDir, 'owners'))).not.toContain(stale)
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
  })

  test('never replaces a damaged database by an empty one', async () => {
    const { stop } = await startHere()
    await stop()
    await rm(join(clusterFolder(), 'global', 'pg_control'))
    await expect(startHere()).rejects.toThrow('restore it from a backup')
    expect(await namesStartingWith('postgres')).toEqual(['postgres'])
  })

  test('is ended by force when it does not obey', async () => {
    const { lines } = await startHere()
    const pid = await requirePostmasterPid()
    process.kill(pid, 'SIGSTOP')
    const steps = [
      { signal: 'SIGINT', patienceMs: 50 },
      { signal: 'SIGKILL', patienceMs: 10_000 },
    ] as const
    expect(await endPostmaster(pid, clusterFolder(), steps)).toBe(true)
    await waitFor(() => lines.some((line) => line.includes('ended by itself (SIGKILL)')))
  })
})

async function startHere(): Promise<{ url: string; lines: string[]; stop: () => Promise<void> }> {
  const lines: string[] = []
  const server = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line) })
  closers.push(() => server.stop())
  return { url: server.url, lines, stop: () => server.stop() }
}

function launch(account: Account | undefined): ChildProcess {
  const child = launchService(dataDir, account)
  started.push(child)
  return child
}

async function startService(account: Account | undefined): Promise<EmbeddedService> {
  return waitForService(launch(account))
}

async function stopService(service: EmbeddedService): Promise<void> {
  service.process.kill('SIGTERM')
  const [code] = (await once(service.process, 'exit')) as [number | null]
  expect(code).toBe(0)
}

async function killService(service: Pick<EmbeddedService, 'process'>): Promise<void> {
  service.process.kill('SIGKILL')
  await once(service.process, 'exit')
}

function clusterFolder(): string {
  return clusterFolderOf(dataDir)
}

async function readPostmasterPid(): Promise<number | undefined> {
  const content = await readFile(join(clusterFolder(), 'postmaster.pid'), 'utf8').catch(() => '')
  return content === '' ? undefined : Number.parseInt(content, 10)
}

async function requirePostmasterPid(): Promise<number> {
  const pid = await readPostmasterPid()
  if (pid === undefined) throw new Error('no server runs')
  return pid
}

async function namesStartingWith(prefix: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => name.startsWith(prefix))
}

async function hasFile(...path: string[]): Promise<boolean> {
  return stat(join(dataDir, ...path)).then(
    () => true,
    () => false,
  )
}

async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 15_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('waited 15 s in vain')
    await delay(10)
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  closers.push(() => client.end())
  return client
}

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = await connect(url)
  const { rows } = await client.query<Record<string, unknown>>(statement)
  return rows
}

function withPort(url: string, port: number): string {
  const result = new URL(url)
  result.port = `${port}`
  return result.href
}
