import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { postJson, refusalOf, sendHttp } from '../support/http.ts'
import { useService } from '../support/service.ts'
import { ledgerRows, waitUntil } from '../support/store.ts'

const fixture = useService()
const port = (): number => fixture.service.ports.http!

const transactions = [{ symbol: 'AAPL', quantity: 10, price: 100, timestamp: 1_700_000_000n }]
const JSON_TRANSACTIONS = [{ symbol: 'AAPL', quantity: 10, price: 100 }]
const getNobody = (headers: Readonly<Record<string, string>> = {}) =>
  sendHttp(port(), '/portfolio?user_id=nobody', { headers })

describe('every answer', () => {
  it("has the client's request id, or one of the server's", async () => {
    const given = await getNobody({ 'x-request-id': 'r-1' })
    expect(refusalOf(given).requestIds).toEqual(['r-1', 'r-1'])
    const [own, same] = refusalOf(await sendHttp(port(), '/nothing')).requestIds
    expect(own).toMatch(/^[0-9a-f-]{36}$/)
    expect(same).toBe(own)
  })

  it('is a status of google.rpc where there is nothing', async () => {
    expect(refusalOf(await sendHttp(port(), '/portfolios'))).toMatchObject({
      status: 404,
      code: 5,
      reason: 'PATH_NOT_FOUND',
    })
    const wrong = await sendHttp(port(), '/portfolio?user_id=a', { method: 'DELETE' })
    expect(wrong.headers.allow).toBe('POST, GET, HEAD')
    expect(refusalOf(wrong)).toMatchObject({ status: 405, code: 12, reason: 'METHOD_NOT_ALLOWED' })
    expect(refusalOf(await sendHttp(port(), '/%zz')).status).toBe(400)
  })

  it('refuses too much metadata', async () => {
    const large = await getNobody({ 'x-large': 'x'.repeat(9_000) })
    expect(refusalOf(large)).toMatchObject({ status: 400, reason: 'METADATA_INVALID' })
    const larger = await getNobody({ 'x-large': 'x'.repeat(17_000) })
    expect(refusalOf(larger)).toMatchObject({ status: 431, reason: 'METADATA_INVALID' })
  })
})

describe('HTTP_PORT', () => {
  it('off serves gRPC alone', async () => {
    const service = await fixture.start({ HTTP_PORT: 'off' })
    expect(service.ports.http).toBeUndefined()
    const answer = await service.client.update({ userId: 'off', transactions })
    expect(answer.message.success).toBe(true)
  })

  it('that is taken keeps the service from starting, and nothing stays open', async () => {
    await expect(fixture.start({ HTTP_PORT: String(port()) })).rejects.toThrow(
      `HTTP_PORT 127.0.0.1:${port()} cannot be had`,
    )
  })

  it('is closed again when another port is taken', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const free = (probe.address() as AddressInfo).port
    probe.close()
    await once(probe, 'close')
    const ports = { HTTP_PORT: String(free), GRPC_PORT: String(fixture.service.ports.grpc) }
    await expect(fixture.start(ports)).rejects.toThrow(
      `GRPC_PORT 127.0.0.1:${ports.GRPC_PORT} cannot be had`,
    )
    await expect(sendHttp(free, '/openapi.json')).rejects.toThrow('ECONNREFUSED')
  })
})

it('at shutdown finishes the requests under way and takes no new ones', async () => {
  const service = await fixture.start()
  const http = service.ports.http!
  await service.client.update({ userId: 'drained', transactions })
  const locker = await fixture.database.connect()
  await locker.query('begin')
  await locker.query('select from portfolio where user_id = $1 for update', ['drained'])
  const body = { userId: 'drained', transactions: JSON_TRANSACTIONS }
  const underWay = postJson(http, '/portfolio', body)
  await waitUntil(async () => {
    const { rowCount } = await fixture.database.raw.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return rowCount === 1
  })
  const closing = service.close(20_000)
  await expect(sendHttp(http, '/openapi.json')).rejects.toThrow(/ECONNREFUSED|ECONNRESET/)
  await locker.query('commit')
  expect(await underWay).toMatchObject({ status: 200, headers: { connection: 'close' } })
  await closing
  expect(await ledgerRows(fixture.database.raw, 'drained')).toHaveLength(2)
})
