import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, it } from '@jest/globals'
import { TransactionType } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { ingestCloses, performance } from '../support/analytics.ts'
import { act, splitOn } from '../support/corporate-actions.ts'
import { keptRows } from '../support/history.ts'
import { moment, portfolioLog } from '../support/portfolio-log.ts'
import { type RunningService, useService } from '../support/service.ts'
import { waitUntil } from '../support/store.ts'
import { newUser } from '../support/transactions.ts'

const fixture = useService()
const KEEPING = { HISTORY_REFRESH_MS: '100', METRICS_PORT: '0', ANALYSIS_THREADS: '1' }
/** A lease outlives its replica by ten seconds. */
const PATIENCE_MS = 60_000

const killed: ChildProcess[] = []
afterEach(() => {
  for (const child of killed.splice(0)) child.kill('SIGKILL')
})

const CLOSES = { '2024-01-02': 100, '2024-01-03': 110, '2024-01-04': 99, '2024-01-05': 104.5 }

function buy(symbol: string, quantity: number, day: string) {
  return { symbol, quantity, price: 100, timestamp: BigInt(Date.parse(`${day}T20:00:00Z`) / 1_000) }
}

async function values(userId: string): Promise<string> {
  const rows = await keptRows(fixture.database.raw, userId)
  return rows.map(({ value }) => value).join(' ')
}

async function becomes(userId: string, expected: string): Promise<void> {
  await waitUntil(async () => (await values(userId)) === expected)
}

async function metric({ ports }: RunningService, name: string): Promise<string | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text()
  return new RegExp(`^portfolio_history_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]
}

it('is written by one of two replicas, follows what changes the past, and passes to the other', async () => {
  const userId = newUser()
  const { client } = fixture
  await ingestCloses(client, 'KEPT', CLOSES)
  await client.update({ userId, transactions: [buy('KEPT', 10, '2024-01-02')] })
  const replicas = [await fixture.start(KEEPING), await fixture.start(KEEPING)]
  await becomes(userId, '1000 1100 990 1045')
  await waitUntil(async () => {
    const held = await Promise.all(replicas.map((each) => metric(each, 'lease_held')))
    return held.includes('0') && held.includes('1')
  })
  const held = await Promise.all(replicas.map((each) => metric(each, 'lease_held')))
  const [holder, other] = held[0] === '1' ? replicas : replicas.toReversed()
  expect(await metric(holder!, 'rows_total')).toBe('4')
  expect(await metric(other!, 'rows_total')).toBeUndefined()

  await client.update({ userId, transactions: [buy('KEPT', 1, '2024-01-04')] })
  await becomes(userId, '1000 1100 1089 1149.5')
  await ingestCloses(client, 'KEPT', { '2024-01-03': 120 })
  await becomes(userId, '1000 1200 1089 1149.5')
  const { message } = await portfolioLog(client).list({ userId })
  const last = message.transactions.at(0)!
  await portfolioLog(client).reverse({ userId, transactionId: last.transactionId })
  await becomes(userId, '1000 1200 990 1045')
  await portfolioLog(client).record({
    userId,
    transactions: [
      {
        type: TransactionType.DEPOSIT,
        grossAmount: '5',
        effectiveAt: moment('2024-01-03T09:00:00Z'),
      },
    ],
  })
  await becomes(userId, '1000 1205 995 1050')
  // Nothing changed: nothing is written.
  const rows = await metric(holder!, 'rows_total')
  await act(client, splitOn('NOBODYS', '2024-01-04'))
  await waitUntil(async () => (await metric(holder!, 'users_behind')) === '0')
  expect(await metric(holder!, 'rows_total')).toBe(rows)

  const [report] = await performance(client, { userId, interval: 1 })
  const kept = await keptRows(fixture.database.raw, userId)
  expect(kept.map(({ day, value }) => `${day} ${value}`)).toEqual(
    report!.series.slice(0, kept.length).map(({ date, value }) => `${date} ${value}`),
  )

  await holder!.close(0)
  await client.update({ userId, transactions: [buy('KEPT', 1, '2024-01-05')] })
  await waitUntil(async () => (await metric(other!, 'lease_held')) === '1')
})

it(
  'is gone on with by another process when the one that kept it is killed',
  async () => {
    const userId = newUser()
    const { client, database } = fixture
    await ingestCloses(client, 'KILLED', CLOSES)
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
      env: {
        PATH: process.env['PATH'],
        ...KEEPING,
        METRICS_PORT: 'off',
        DATABASE_URL: database.url,
        GRPC_PORT: '0',
        HTTP_PORT: '0',
        MIGRATE_ON_START: 'false',
      },
      stdio: 'ignore',
    })
    killed.push(child)
    await client.update({ userId, transactions: [buy('KILLED', 10, '2024-01-02')] })
    await becomes(userId, '1000 1100 990 1045')
    const leases = async () => {
      const { rows } = await database.raw.query<{ token: string; isHeld: boolean }>(
        `select token, expires_at > now() as "isHeld" from lease where name = 'valuation-history'`,
      )
      return rows[0]!
    }
    const { token } = await leases()
    const other = await fixture.start(KEEPING)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await leases()).toEqual({ token, isHeld: true })
    // Nobody has to wait here until its term is over.
    await database.raw.query('update lease set expires_at = now()')
    await client.update({ userId, transactions: [buy('KILLED', 1, '2024-01-05')] })
    await waitUntil(async () => (await metric(other, 'lease_held')) === '1')
    expect(Number((await leases()).token)).toBe(Number(token) + 1)
    await becomes(userId, '1000 1100 990 1149.5')
  },
  PATIENCE_MS,
)
