import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from '@jest/globals'
import { createLogger } from '../../../../src/infra/telemetry/logger.ts'
import { openTelemetry } from '../../../../src/infra/telemetry/telemetry.ts'

const variables = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES']
afterEach(() => {
  for (const name of variables) delete process.env[name]
})

const logger = createLogger('silent')
const base = { bindAddress: '127.0.0.1', metricsPort: undefined, logger }

it("sends spans to OpenTelemetry's endpoint, named by its variables", async () => {
  const received: { url: string | undefined; type: string | undefined; body: string }[] = []
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1')
      received.push({ url: request.url, type: request.headers['content-type'], body })
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const { port } = collector.address() as AddressInfo
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${port}`
  process.env['OTEL_SERVICE_NAME'] = 'ledger-of-tests'
  process.env['OTEL_RESOURCE_ATTRIBUTES'] = 'deployment.environment=test-bench'
  const { telemetry, close } = await openTelemetry({ ...base, tracing: true })
  telemetry.startCall('portfolio.v1.PortfolioService/GetPortfolio', undefined).end()
  await close()
  collector.close()
  expect(received).toMatchObject([{ url: '/v1/traces', type: 'application/x-protobuf' }])
  expect(received[0]!.body).toContain('portfolio.v1.PortfolioService/GetPortfolio')
  expect(received[0]!.body).toContain('ledger-of-tests')
  expect(received[0]!.body).toContain('test-bench')
})

it('costs one object for all spans when tracing is off', async () => {
  const { telemetry, close } = await openTelemetry({ ...base, tracing: false })
  const span = telemetry.startCall('s/M', undefined)
  expect(span.child('part')).toBe(span)
  expect(telemetry.startCall('s/N', undefined)).toBe(span)
  await close()
})

it('counts events under few labels', async () => {
  const { telemetry, metricsPort, close } = await openTelemetry({
    ...base,
    metricsPort: 0,
    tracing: false,
  })
  telemetry.callEnded('s/M', 'OK', 12)
  telemetry.batchCommitted(3, 4)
  telemetry.batchFailed('transient')
  telemetry.quotesIngested(5, 2)
  telemetry.backgroundFailed('quote-refresh', new Error('no'))
  telemetry.historyLeased(true)
  telemetry.historyKept(4)
  telemetry.historyLag(3, 2)
  telemetry.historyFailed('alice', 'ANALYSIS_FAILED')
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  await close()
  const value = (name: string, label = ''): string | undefined =>
    new RegExp(`^${name}\\{[^}]*${label}[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]
  expect(value('portfolio_rpc_duration_seconds_sum', 'method="s/M",code="OK"')).toBe('0.012')
  expect(value('portfolio_commit_duration_seconds_sum')).toBe('0.004')
  expect(value('portfolio_commit_batch_size_sum')).toBe('3')
  expect(value('portfolio_commit_failures_total', 'reason="transient"')).toBe('1')
  expect(value('portfolio_quotes_total', 'outcome="accepted"')).toBe('5')
  expect(value('portfolio_quotes_total', 'outcome="quarantined"')).toBe('2')
  expect(value('portfolio_background_failures_total', 'pass="quote-refresh"')).toBe('1')
  expect(value('portfolio_history_lease_held')).toBe('1')
  expect(value('portfolio_history_rows_total')).toBe('4')
  expect(value('portfolio_history_users_behind')).toBe('3')
  expect(value('portfolio_history_days_behind')).toBe('2')
  expect(value('portfolio_history_failures_total', 'reason="ANALYSIS_FAILED"')).toBe('1')
  expect(text).not.toContain('alice')
})

it('logs errors with their causes, and none of the rows that drivers attach', () => {
  const lines: string[] = []
  const log = createLogger('info', { write: (line) => void lines.push(line) })
  const driver = Object.assign(new Error('duplicate key'), {
    code: '23505',
    constraint: 'ledger_pkey',
    detail: 'Key (user_id)=(alice) already exists.',
  })
  log.error({ err: new Error('a call failed', { cause: driver }) }, 'failed')
  const [line] = lines
  expect(JSON.parse(line!)).toMatchObject({
    level: 'error',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    err: {
      message: 'a call failed',
      stack: expect.stringContaining('telemetry.test'),
      cause: { message: 'duplicate key', code: '23505', constraint: 'ledger_pkey' },
    },
  })
  expect(line).not.toContain('alice')
})
