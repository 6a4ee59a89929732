import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { create, toBinary } from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import * as grpc from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { MarketDataService } from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { PortfolioUpdateRequestSchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { checkHealth } from '../../src/api/health.ts'
import { HEALTH_SERVICE } from '../../src/api/server.ts'
import { type ApiClient, failureOf } from '../support/client.ts'
import { rawCall } from '../support/raw-call.ts'
import { useService } from '../support/service.ts'
import { ledgerRows, waitUntil } from '../support/store.ts'

const fixture = useService()

const UPDATE = '/portfolio.v1.PortfolioService/UpdatePortfolio'
const transactions = [{ symbol: 'AAPL', quantity: 1, price: 100 }]
const bytesOf = (userId: string): Uint8Array =>
  toBinary(
    PortfolioUpdateRequestSchema,
    create(PortfolioUpdateRequestSchema, { userId, transactions }),
  )

/** Locks a user's row, so that calls about it wait until `commit`. */
async function lockUser(userId: string) {
  await fixture.client.update({ userId, transactions })
  const locker = await fixture.database.connect()
  await locker.query('begin')
  await locker.query('select from portfolio where user_id = $1 for update', [userId])
  return { release: () => locker.query('commit') }
}

function isWaiting(): Promise<boolean> {
  return fixture.database.raw
    .query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    .then(({ rowCount }) => rowCount === 1)
}

describe('deadlines', () => {
  it('end a call whose time is over; what it did is found by its key', async () => {
    const lock = await lockUser('late')
    const request = { userId: 'late', transactions }
    const headers = { 'idempotency-key': 'in time' }
    const late = fixture.client.update(request, headers, { deadlineMs: 200 })
    expect(await failureOf(late)).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await lock.release()
    const again = await fixture.client.update(request, headers)
    expect(again.headers['portfolio-version']).toBe('2')
    expect(await ledgerRows(fixture.database.raw, 'late')).toHaveLength(2)
  })

  it.each(['600H', '99999999H', '99999999M', '99999999S'])(
    'of %s are as long as a call may take',
    async (timeout) => {
      const answer = await rawCall(fixture.service.ports.grpc, UPDATE, bytesOf(`at ${timeout}`), {
        'grpc-timeout': timeout,
      })
      expect(answer).toMatchObject({ 'grpc-status': '0', 'portfolio-version': '1' })
    },
  )

  it.each(['soon', '', '-1S', '1.5S', '5', '5s', '123456789S', '5 S', '5S5S', 'S'])(
    'of %j are refused, and nothing is done',
    async (timeout) => {
      const answer = await rawCall(fixture.service.ports.grpc, UPDATE, bytesOf('illegal'), {
        'grpc-timeout': timeout,
      })
      expect(answer['grpc-status']).toBe(String(grpc.status.INVALID_ARGUMENT))
      expect(answer['grpc-message']).toContain('grpc-timeout')
      expect(await ledgerRows(fixture.database.raw, 'illegal')).toEqual([])
    },
  )
})

describe('headers that grpc-js would drop', () => {
  it('are refused: a key that was sent never counts as none', async () => {
    const answer = await rawCall(fixture.service.ports.grpc, UPDATE, bytesOf('latin'), {
      'idempotency-key': 'schl\u00fcssel',
    })
    expect(answer['grpc-status']).toBe('3')
    expect(await ledgerRows(fixture.database.raw, 'latin')).toEqual([])
  })
})

describe('what only the operators may see', () => {
  it('is logged whole and answered with the request id alone', async () => {
    await fixture.database.raw.query('alter table ledger rename to gone')
    try {
      const request = { userId: 'unlucky', transactions }
      const failure = await failureOf(fixture.client.update(request, { 'x-request-id': 'lost' }))
      expect(failure.code).toBe('INTERNAL')
      expect(failure.message).toBe('internal error, request id lost')
      expect([failure.info, failure.requestId]).toEqual([undefined, 'lost'])
      expect(failure.requestInfo?.requestId).toBe('lost')
      const line = fixture.service.log.find((text) => text.includes('"requestId":"lost"'))
      expect(line).toContain('ledger')
      expect(line).not.toContain('unlucky')
    } finally {
      await fixture.database.raw.query('alter table gone rename to ledger')
    }
  })

  it('is not answered when the database is down', async () => {
    const proxy = await fixture.database.openProxy()
    proxy.refuse(true)
    const service = await fixture.start({}, proxy.url)
    const failure = await failureOf(service.client.get({ userId: 'nobody' }))
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', reason: 'DATABASE_UNAVAILABLE' })
    expect(failure.message).not.toMatch(/ECONN|127\.0\.0\.1|select/)
  })
})

describe('shutting down', () => {
  it('finishes the calls under way, refuses new ones, and ends streams', async () => {
    const service = await fixture.start({ HEALTH_PORT: '0' })
    const lock = await lockUser('draining')
    const underWay = service.client.update({ userId: 'draining', transactions })
    const stream = service.client.openStream(MarketDataService.method.ingestQuotes)
    stream.send({ quotes: [{ symbol: 'KEPT', price: '1' }] })
    const statuses = watchHealth(service.client)
    await waitUntil(async () => {
      const { message } = await service.client.batchGet({ symbols: ['KEPT'] })
      return message.quotes.length === 1 && statuses.seen.length === 1 && (await isWaiting())
    })
    const closing = service.close()
    expect(await failureOf(stream.answer)).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'DRAINING',
    })
    await statuses.ended
    expect(statuses.seen).toEqual(['SERVING', 'NOT_SERVING'])
    const health = await checkHealth(`127.0.0.1:${service.ports.health}`, HEALTH_SERVICE, 5_000)
    expect(health).toBe('NOT_SERVING')
    const refused = await failureOf(service.client.get({ userId: 'draining' }))
    expect(refused.code).toBe('UNAVAILABLE')
    await lock.release()
    expect((await underWay).headers['portfolio-version']).toBe('2')
    await closing
  })

  it('is forced when the time is over', async () => {
    const service = await fixture.start()
    const lock = await lockUser('stuck')
    const underWay = failureOf(service.client.update({ userId: 'stuck', transactions }))
    await waitUntil(isWaiting)
    const closing = service.close(50)
    expect(['UNAVAILABLE', 'CANCELLED', 'INTERNAL']).toContain((await underWay).code)
    await lock.release()
    await closing
  })
})

function watchHealth(client: ApiClient) {
  const { path, requestSerialize, responseDeserialize } = healthService['Watch']!
  const seen: string[] = []
  const call = client.grpc.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
    service: HEALTH_SERVICE,
  })
  call.on('data', ({ status }: { status: string }) => seen.push(status))
  const ended = new Promise<void>((resolve) => {
    call.on('status', () => resolve())
    call.on('error', () => undefined)
  })
  return { seen, ended }
}

function check(port: number | undefined, service: string): Promise<string> {
  return checkHealth(`127.0.0.1:${port}`, service, 5_000)
}

describe('grpc.health.v1', () => {
  it('answers for the process and both services, on the main port and on one of its own', async () => {
    const { ports } = await fixture.start({ HEALTH_PORT: '0' })
    for (const port of [ports.grpc, ports.health]) {
      expect(await check(port, '')).toBe('SERVING')
      expect(await check(port, 'portfolio.v1.PortfolioService')).toBe('SERVING')
      expect(await check(port, 'portfolio.v1.MarketDataService')).toBe('SERVING')
      expect(await check(port, 'other')).toMatch(/unknown/)
    }
    const healthOnly = await rawCall(ports.health!, UPDATE, bytesOf('health'))
    expect(healthOnly['grpc-status']).toBe(String(grpc.status.UNIMPLEMENTED))
  })

  it('follows the database; the process lives all the same', async () => {
    const proxy = await fixture.database.openProxy()
    proxy.refuse(true)
    const { ports } = await fixture.start({}, proxy.url)
    expect(await check(ports.grpc, HEALTH_SERVICE)).toBe('NOT_SERVING')
    expect(await check(ports.grpc, '')).toBe('SERVING')
    proxy.refuse(false)
    await waitUntil(async () => (await check(ports.grpc, HEALTH_SERVICE)) === 'SERVING')
    proxy.refuse(true)
    proxy.cut()
    await waitUntil(async () => (await check(ports.grpc, HEALTH_SERVICE)) === 'NOT_SERVING')
    expect(await check(ports.grpc, '')).toBe('SERVING')
  })
})

describe('reflection', () => {
  const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))
  const curl = (port: number, path: string, ...options: string[]) =>
    promisify(execFile)(buf, [
      'curl',
      '--protocol',
      'grpc',
      '--http2-prior-knowledge',
      ...options,
      `http://127.0.0.1:${port}${path}`,
    ])

  it.each(['grpc-v1', 'grpc-v1alpha'])('serves buf curl by %s', async (protocol) => {
    const { grpc: port } = fixture.service.ports
    const options = ['--reflect-protocol', protocol]
    const { stdout } = await curl(port, '', ...options, '--list-methods')
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'portfolio.v1.AnalyticsService/AnalyzePortfolios',
      'portfolio.v1.AnalyticsService/CompareBenchmarks',
      'portfolio.v1.AnalyticsService/GetPerformance',
      'portfolio.v1.MarketDataService/BatchGetQuotes',
      'portfolio.v1.MarketDataService/IngestQuotes',
      'portfolio.v1.MarketDataService/ListCorporateActions',
      'portfolio.v1.MarketDataService/ListInstruments',
      'portfolio.v1.MarketDataService/ListQuotes',
      'portfolio.v1.MarketDataService/RecordCorporateAction',
      'portfolio.v1.MarketDataService/ReverseCorporateAction',
      'portfolio.v1.MarketDataService/UpsertInstruments',
      'portfolio.v1.PortfolioService/GetPortfolio',
      'portfolio.v1.PortfolioService/GetPortfolioSettings',
      'portfolio.v1.PortfolioService/ListLots',
      'portfolio.v1.PortfolioService/ListTransactions',
      'portfolio.v1.PortfolioService/RecordTransactions',
      'portfolio.v1.PortfolioService/ReverseTransaction',
      'portfolio.v1.PortfolioService/UpdatePortfolio',
      'portfolio.v1.PortfolioService/UpdatePortfolioSettings',
      'portfolio.v1.PortfolioService/WatchPortfolio',
    ])
    const data = '{"userId":"curl","transactions":[{"symbol":"AAPL","quantity":10,"price":100}]}'
    const answer = await curl(port, UPDATE, ...options, '-d', data)
    expect(JSON.parse(answer.stdout)).toMatchObject({ success: true })
  })

  it('lets buf curl show the details of an error', async () => {
    const data = '{"userId":"curl","transactions":[{"symbol":"AAPL"}]}'
    const failed = curl(fixture.service.ports.grpc, UPDATE, '-d', data)
    const { stderr } = (await failed.catch((error: unknown) => error)) as { stderr: string }
    expect(stderr).toContain('google.rpc.BadRequest')
  })

  it('can be turned off', async () => {
    const { ports } = await fixture.start({ REFLECTION: 'off' })
    await expect(curl(ports.grpc, '', '--list-services')).rejects.toThrow(/reflection/)
  })
})

function count(method: string, code: string): RegExp {
  const labels = `\\{[^}]*${method}"[^}]*code="${code}"[^}]*\\}`
  return new RegExp(`portfolio_rpc_duration_seconds_count${labels} 1\n`)
}

describe('metrics', () => {
  it('count calls by method and code, on a port of their own', async () => {
    const service = await fixture.start({ METRICS_PORT: '0' })
    await service.client.update({ userId: 'metrics', transactions })
    await failureOf(service.client.get({ userId: 'never seen' }))
    const url = `http://127.0.0.1:${service.ports.metrics}`
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toMatch(count('UpdatePortfolio', 'OK'))
    expect(text).toMatch(count('GetPortfolio', 'NOT_FOUND'))
    expect(text).toMatch(/portfolio_commit_batch_size_count\{[^}]*\} 1\n/)
    expect(text).not.toContain('never seen')
    expect((await fetch(url)).status).toBe(404)
  })
})
