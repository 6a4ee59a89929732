import { beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  BenchmarkComparison,
  PerformanceReport,
} from '../../gen/portfolio/v1/analytics_service_pb.ts'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { atClose, compare, ingestCloses, performance } from '../support/analytics.ts'
import { runCli } from '../support/cli.ts'
import { refusalOf, sendHttp } from '../support/http.ts'
import { useService } from '../support/service.ts'

const fixture = useService()
const port = (): number => fixture.service.ports.http!
const USER = `<script>alert("1")</script>&'`
const PERIOD = { startDate: '2023-01-03', endDate: '2023-06-30' }

function closesOf(phase: number): Readonly<Record<string, number>> {
  const days = Array.from({ length: 180 }, (_, at) => new Date(Date.UTC(2023, 0, 2 + at)))
  return Object.fromEntries(
    days.map((day, at) => [day.toISOString().slice(0, 10), 100 + 8 * Math.sin(at / 12 + phase)]),
  )
}

function get(parameters: Readonly<Record<string, string>>) {
  return sendHttp(port(), `/report?${new URLSearchParams(parameters).toString()}`)
}

const environment = (): Record<string, string> => ({ HTTP_PORT: String(port()) })

function percent(fraction = ''): string {
  return `${(Number(fraction) * 100).toFixed(2).replace('-', '−')}%`
}

/** Some figures as the page tells them. */
function toldOf(
  { summary, risk }: PerformanceReport,
  { benchmark, excessReturn, beta }: BenchmarkComparison,
): Readonly<Record<string, string>> {
  return {
    'Time-weighted return': percent(summary?.timeWeighted?.cumulative),
    'Money-weighted return': percent(summary?.moneyWeighted?.cumulative),
    Volatility: percent(risk?.volatility),
    'Maximum drawdown': percent(risk?.maxDrawdown),
    'Benchmark return': percent(benchmark?.timeWeighted?.cumulative),
    'Excess return': percent(excessReturn),
    Beta: Number(beta).toFixed(2).replace('-', '−'),
  }
}

/** Without the moment at which it was made. */
function timeless(page: string): string {
  return page.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'NOW')
}

beforeAll(async () => {
  await ingestCloses(fixture.client, 'AAA', closesOf(0))
  await ingestCloses(fixture.client, 'BBB', closesOf(2))
  await ingestCloses(fixture.client, '^IDX', closesOf(1))
  await fixture.client.update({
    userId: USER,
    transactions: [
      { symbol: 'AAA', quantity: 10, price: 101, timestamp: atClose('2023-01-03') },
      { symbol: 'BBB', quantity: 5, price: 104, timestamp: atClose('2023-03-01') },
      { symbol: 'AAA', type: 1, quantity: 4, price: 99, timestamp: atClose('2023-05-02') },
    ],
  })
})

describe('GET /report', () => {
  it('answers a page that may load nothing and run nothing', async () => {
    const answer = await get({ user_id: USER })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'private, no-store',
      'x-request-id': expect.any(String),
    })
    const policy = String(answer.headers['content-security-policy']).split('; ')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy.join(';')).not.toContain('script-src')
    expect(answer.body).toContain('&lt;script&gt;alert(&quot;1&quot;)')
    expect(answer.body).not.toContain('<script')
    expect(answer.body).toContain('No benchmark was given.')
  })

  it('has the figures of the RPCs', async () => {
    const asked = { user_id: USER, start_date: PERIOD.startDate, end_date: PERIOD.endDate }
    const { body } = await get({ ...asked, benchmark: '^idx' })
    const [report] = await performance(fixture.client, { userId: USER, periods: [PERIOD] })
    const [comparison] = await compare(fixture.client, {
      userId: USER,
      period: PERIOD,
      benchmarks: [{ benchmarkId: 'i', components: [{ symbol: '^IDX', weight: '1' }] }],
    })
    const rows = body.split('<tr>').map((row) => row.replaceAll(/<[^>]*>|\s+/g, ' '))
    const shows = (name: string, text: string) =>
      rows.some((row) => row.trim().startsWith(name) && row.includes(` ${text} `))
    const told = toldOf(report!, comparison!)
    for (const [name, text] of Object.entries(told)) {
      expect([name, text, shows(name, text)]).toEqual([name, text, true])
    }
    expect(body).toContain('3 Jan 2023 – 30 Jun 2023')
    expect(body).toContain('Its last price used is of 30 Jun 2023.')
  })

  it('says of a benchmark without prices that it has none', async () => {
    const { status, body } = await get({ user_id: USER, benchmark: 'NOBODY' })
    expect(status).toBe(200)
    expect(body).toContain('There is no price of the benchmark.')
    expect(body).toContain('Its return over the period is not known: a price is missing.')
  })

  it('reports a portfolio in which nothing was recorded, and a period before the first transaction', async () => {
    const settings = { baseCurrency: 'EUR' }
    const { updatePortfolioSettings } = PortfolioService.method
    await fixture.client.unary(updatePortfolioSettings, { userId: 'empty', settings })
    const empty = await get({ user_id: 'empty', benchmark: '^IDX' })
    expect(empty.status).toBe(200)
    expect(empty.body).toContain('Nothing was held or moved in this period.')
    expect(empty.body).toContain('End value, EUR')
    const before = { start_date: '2001-01-01', end_date: '2001-12-31', benchmark: '^IDX' }
    const earlier = await get({ user_id: USER, ...before })
    expect(earlier.status).toBe(200)
    expect(earlier.body).toContain('Nothing was held or moved in this period.')
  })

  it('answers HEAD with the headers alone', async () => {
    const path = `/report?user_id=${encodeURIComponent(USER)}`
    const answer = await sendHttp(port(), path, { method: 'HEAD' })
    expect(answer).toMatchObject({ status: 200, body: '' })
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
  })

  it('refuses as GET /portfolio does', async () => {
    expect(refusalOf(await get({ user_id: 'nobody' }))).toMatchObject({
      status: 404,
      reason: 'PORTFOLIO_NOT_FOUND',
    })
    const wrong = { benchmark: 'a b', start_date: '2023-02-30', reporting_currency: 'usd' }
    expect(refusalOf(await get({ user_id: '', ...wrong })).violations).toEqual([
      'user_id USER_ID_REQUIRED',
      'benchmark SYMBOL_INVALID',
      'start_date DATE_INVALID',
      'reporting_currency CURRENCY_INVALID',
    ])
    const backwards = { start_date: '2023-02-02', end_date: '2023-02-01' }
    expect(refusalOf(await get({ user_id: USER, ...backwards })).violations).toEqual([
      'end_date PERIOD_INVALID',
    ])
    const future = refusalOf(await get({ user_id: USER, start_date: '2999-01-01' }))
    expect(future.violations).toEqual(['start_date PERIOD_INVALID'])
    for (const query of ['user_id=a&user_id=b', 'user_id=a&colour=red', '__proto__=a']) {
      expect(refusalOf(await sendHttp(port(), `/report?${query}`))).toMatchObject({
        status: 400,
        reason: 'MALFORMED_REQUEST',
      })
    }
    const posted = await sendHttp(port(), '/report', { method: 'POST' })
    expect(posted).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  })
})

describe('cli report', () => {
  it('writes the page that HTTP answers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portfolio-report-'))
    try {
      const file = join(folder, 'report.html')
      const period = ['--from', PERIOD.startDate, '--to', PERIOD.endDate]
      const options = ['--benchmark', '^IDX', '--currency', 'USD', ...period, '--out', file]
      const ended = await runCli(['report', USER, ...options], environment())
      expect(ended).toMatchObject({ code: 0, output: `${file} written\n`, errors: '' })
      const { body } = await get({
        user_id: USER,
        benchmark: '^IDX',
        start_date: PERIOD.startDate,
        end_date: PERIOD.endDate,
        reporting_currency: 'USD',
      })
      expect(timeless(await readFile(file, 'utf8'))).toBe(timeless(body))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('says what the service refuses, and writes nothing', async () => {
    const ended = await runCli(['report', 'nobody', '--out', '/nowhere/x.html'], environment())
    expect(ended.code).toBe(1)
    expect(ended.errors).toBe(`127.0.0.1:${port()} refused with 404: no such portfolio\n`)
  })

  it('says how it is used', async () => {
    const ended = await runCli(['report', USER], environment())
    expect(ended.code).toBe(2)
    expect(ended.errors).toContain('usage: cli report USER --out FILE.html')
    const off = await runCli(['report', USER, '--out', 'x.html'], { HTTP_PORT: 'off' })
    expect(off).toMatchObject({ code: 2, errors: expect.stringContaining('--target HOST:PORT') })
  })

  it('says when nobody answers', async () => {
    const ended = await runCli(['report', USER, '--out', 'x.html', '--target', '127.0.0.1:1'], {})
    expect(ended.code).toBe(1)
    expect(ended.errors).toMatch(/^127\.0\.0\.1:1 does not answer: /)
  })
})
