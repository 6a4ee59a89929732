import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { ApiClient, failureOf } from '../support/client.ts'
import { MainProcess } from '../support/main-process.ts'
import { useDatabase, waitUntil } from '../support/store.ts'

const database = useDatabase()
const LONG_MS = '600000'
const PATIENCE_MS = 60_000
const CRASHED = 'the process is in an unknown state and ends'

let client: ApiClient | undefined
afterEach(() => client?.close())

const purchase = (userId: string) => ({
  userId,
  transactions: [{ symbol: 'AAPL', quantity: 1, price: 100 }],
})

let users = 0

/** A service in the middle of a call, which waits for a lock until `release`. */
async function startWithCall() {
  const userId = `under way ${(users += 1)}`
  const service = new MainProcess({ DATABASE_URL: database.url, DRAIN_TIMEOUT_MS: LONG_MS })
  const { grpc } = await service.ready()
  const connected = new ApiClient(grpc)
  client = connected
  await connected.update(purchase(userId))
  const locker = await database.connect()
  await locker.query('begin')
  await locker.query('select from portfolio where user_id = $1 for update', [userId])
  const underWay = connected.update(purchase(userId))
  underWay.catch(() => undefined)
  await waitUntil(async () => {
    const { rowCount } = await database.raw.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return rowCount === 1
  })
  return { service, client: connected, underWay, release: () => locker.query('commit') }
}

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends the process with 0 when the calls under way are answered',
    async (signal) => {
      const { service, underWay, release } = await startWithCall()
      service.send(signal)
      await service.logged('stopping')
      await release()
      expect((await underWay).headers['portfolio-version']).toBe('2')
      expect(await service.ended()).toBe(0)
      expect(service.log.filter(({ level }) => level !== 'info')).toEqual([])
    },
    PATIENCE_MS,
  )

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGINT'],
  ] as const)(
    '%s, and %s while calls are under way, ends it at once with 1',
    async (first, second) => {
      const { service, underWay } = await startWithCall()
      service.send(first)
      await service.logged('stopping')
      service.send(second)
      expect(await service.ended()).toBe(1)
      expect(service.log.at(-1)).toMatchObject({ level: 'warn', msg: 'stopping at once' })
      expect((await failureOf(underWay)).code).toBe('UNAVAILABLE')
    },
    PATIENCE_MS,
  )
})

describe('a crash', () => {
  it.each([
    ['an exception', 'SIGUSR2', 'nobody caught this'],
    ['a rejection', 'SIGWINCH', 'nobody awaited this'],
  ] as const)(
    'by %s is told in one line and ends the process with 1, new calls refused',
    async (_, crash, message) => {
      const { service, client: caller, underWay, release } = await startWithCall()
      service.send(crash)
      await service.logged(CRASHED)
      expect((await failureOf(caller.get({ userId: 'new' }))).code).toBe('UNAVAILABLE')
      await release()
      expect((await underWay).headers['portfolio-version']).toBe('2')
      expect(await service.ended()).toBe(1)
      const told = service.log.filter(({ level }) => level !== 'info')
      expect(told).toEqual([
        expect.objectContaining({
          level: 'fatal',
          msg: CRASHED,
          err: expect.objectContaining({ type: 'Error', message }),
        }),
      ])
      expect(told[0]?.err?.stack).toContain('crash-on-signal.ts')
      expect(service.errors).toBe('')
    },
    PATIENCE_MS,
  )

  it(
    'waits for no call longer than some seconds',
    async () => {
      const { service, underWay } = await startWithCall()
      service.send('SIGUSR2')
      expect((await failureOf(underWay)).code).not.toBe('DEADLINE_EXCEEDED')
      expect(await service.ended()).toBe(1)
    },
    PATIENCE_MS,
  )

  it(
    'while the process stops makes it end with 1',
    async () => {
      const { service, release } = await startWithCall()
      service.send('SIGTERM')
      await service.logged('stopping')
      service.send('SIGUSR2')
      await service.logged(CRASHED)
      await release()
      expect(await service.ended()).toBe(1)
    },
    PATIENCE_MS,
  )
})

describe('an embedded PostgreSQL', () => {
  let dataDir: string | undefined
  afterEach(async () => {
    if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  })

  it(
    'is stopped by a crash, and has what was acknowledged at the next start',
    async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'portfolio-process-'))
      await chmod(dataDir, 0o755)
      const crashed = new MainProcess({ DATA_DIR: dataDir })
      client = new ApiClient((await crashed.ready()).grpc)
      await client.update(purchase('kept'))
      client.close()
      crashed.send('SIGUSR2')
      expect(await crashed.ended()).toBe(1)
      expect(await readdir(join(dataDir, 'owners'))).toEqual([])
      const pidFile = join(dataDir, 'postgres', 'data', 'postmaster.pid')
      await expect(stat(pidFile)).rejects.toThrow('ENOENT')

      const next = new MainProcess({ DATA_DIR: dataDir })
      client = new ApiClient((await next.ready()).grpc)
      expect((await client.get({ userId: 'kept' })).message.detail?.version).toBe(1n)
      next.send('SIGTERM')
      expect(await next.ended()).toBe(0)
    },
    PATIENCE_MS,
  )
})

describe('a start', () => {
  it.each(['GRPC_PORT', 'HTTP_PORT', 'METRICS_PORT', 'HEALTH_PORT'])(
    'with a %s that is taken ends with 1 and says which it is',
    async (name) => {
      const taken = createServer().listen(0, '127.0.0.1')
      await once(taken, 'listening')
      try {
        const { port } = taken.address() as AddressInfo
        const environment = { DATABASE_URL: database.url, MIGRATE_ON_START: 'false' }
        const service = new MainProcess({ ...environment, [name]: String(port) })
        expect(await service.ended()).toBe(1)
        const { level, msg, err } = service.log.at(-1)!
        expect([level, msg]).toEqual(['fatal', 'the service could not start'])
        expect(err?.message).toBe(`${name} 127.0.0.1:${port} cannot be had`)
        expect(err?.cause?.message).toContain('EADDRINUSE')
      } finally {
        taken.close()
      }
    },
    PATIENCE_MS,
  )

  it('with settings that are wrong ends with 2 and a sentence for each, and no stack', async () => {
    const service = new MainProcess({
      GRPC_PORT: '70000',
      DATABASE_URL: 'mysql://root:secret@db',
      DRAIN_TIMEOUT_MS: 'soon',
    })
    expect(await service.ended()).toBe(2)
    expect(service.log).toEqual([])
    expect(service.errors.trim().split('\n')).toEqual([
      'GRPC_PORT must be a port from 0 to 65535, not "70000".',
      'DATABASE_URL must be a URL such as postgres://user:password@host:5432/database.',
      'DRAIN_TIMEOUT_MS must be from 0 to 600000, not "soon".',
    ])
  })
})
