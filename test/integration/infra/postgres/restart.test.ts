import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import pg from 'pg'
import { PortfolioError } from '../../../../src/domain/errors.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../../src/infra/postgres/embedded.ts'
import { migrateDatabase } from '../../../../src/infra/postgres/migrate.ts'
import { FaultyProxy } from '../../../support/faults.ts'
import {
  callContext,
  draft,
  ledgerRows,
  openStore,
  type TestStore,
  waitUntil,
  write,
} from '../../../support/store.ts'
import { expectConsistent } from './consistency.ts'

const WRITERS = 8
const CRASHES = 2
/** What a caller may see while PostgreSQL is away. */
const FORGIVABLE = new Set(['DATABASE_UNAVAILABLE', 'DEADLINE_EXCEEDED'])

let dataDir: string
let server: EmbeddedPostgres | undefined

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'restart-'))
  await chmod(dataDir, 0o755)
})

afterEach(async () => {
  await server?.stop()
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
})

async function start(): Promise<EmbeddedPostgres> {
  server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
  return server
}

async function killServer(): Promise<void> {
  const pidFile = await readFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8')
  process.kill(Number.parseInt(pidFile, 10), 'SIGKILL')
  await server?.stop()
}

interface Writer {
  readonly userId: string
  readonly acknowledged: string[]
  readonly failures: unknown[]
}

/** Buys one unit after the other, each until it is acknowledged, with a key. */
async function runWriter(store: TestStore, writer: Writer, over: () => boolean): Promise<void> {
  for (let request = 0; !over(); request += 1) {
    const key = `${request}`
    for (let written = false; !written;) {
      try {
        await write(store, writer.userId, [draft('BUY', 'AAPL')], { key, requestId: key })
        writer.acknowledged.push(key)
        written = true
      } catch (error) {
        writer.failures.push(error)
      }
    }
  }
}

test('PostgreSQL killed under load costs errors that say so, and no acknowledged write', async () => {
  const first = await start()
  await migrateDatabase(first.url)
  const proxy = await FaultyProxy.start(first.url)
  const store = openStore({ url: proxy.url })
  const writers = Array.from({ length: WRITERS }, (_, index) => ({
    userId: `writer-${index}`,
    acknowledged: [],
    failures: [],
  })) satisfies Writer[]
  const acknowledged = () => writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0)
  let over = false
  const running = Promise.all(writers.map((writer) => runWriter(store, writer, () => over)))
  try {
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const before = acknowledged()
      await waitUntil(() => acknowledged() > before + 200)
      const failures = writers.map((writer) => writer.failures.length)
      await killServer()
      await expect(store.portfolios.read('writer-0', callContext())).rejects.toMatchObject({
        reason: 'DATABASE_UNAVAILABLE',
      })
      await waitUntil(() =>
        writers.some(({ failures: now }, index) => now.length > failures[index]!),
      )
      proxy.aimAt((await start()).url)
      const after = acknowledged()
      await waitUntil(() => acknowledged() > after + 100)
    }
  } finally {
    over = true
    await running
  }

  const failures = writers.flatMap((writer): unknown[] => writer.failures)
  expect(failures.length).toBeGreaterThan(0)
  expect(
    failures.filter((error) => !(error instanceof PortfolioError && FORGIVABLE.has(error.reason))),
  ).toEqual([])
  const raw = new pg.Pool({ connectionString: server!.url, max: 1 })
  raw.on('error', () => undefined)
  try {
    for (const writer of writers) {
      const rows = await ledgerRows(raw, writer.userId)
      expect(rows.map((row) => row.request_id)).toEqual(writer.acknowledged)
      await expectConsistent(store, raw, writer.userId)
    }
  } finally {
    await raw.end()
    await store.postgres.close()
    await proxy.close()
  }
}, 60_000)
