import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CONFIGURATION_TABLE, ConfigurationError, loadConfig } from '../../src/config.ts'

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
}

describe('loadConfig', () => {
  it('has a default for everything that needs one', () => {
    const config = loadConfig({})
    expect(config).toEqual({
      grpcPort: 50_051,
      httpPort: 8_080,
      healthPort: undefined,
      metricsPort: 9_464,
      bindAddress: '127.0.0.1',
      databaseUrl: undefined,
      dataDir: './.data',
      databasePoolMax: 16,
      migrateOnStart: true,
      stateCacheUsersMax: 20_000,
      redisUrl: undefined,
      readStalenessMs: 1_000,
      quoteRefreshMs: 1_000,
      marketDataProviders: [],
      marketDataGrpcTarget: undefined,
      marketDataEcbSource: 'https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml',
      marketDataBudgetMs: 250,
      marketDataRefreshMs: 60_000,
      quarantineRetentionDays: 90,
      analysisThreads: undefined,
      riskFree: { days: Int32Array.of(0), rates: Float64Array.of(0) },
      historyRefreshMs: 60_000,
      drainTimeoutMs: 20_000,
      reflection: true,
      logLevel: 'info',
      healthTarget: undefined,
      target: undefined,
      otlpEndpoint: undefined,
      otlpTracesEndpoint: undefined,
    })
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('reads what is set, and takes an empty variable for one that is not', () => {
    expect(
      loadConfig({
        GRPC_PORT: '0',
        HEALTH_PORT: '',
        METRICS_PORT: 'off',
        BIND_ADDRESS: '::',
        DATABASE_URL: 'postgresql://db/portfolio',
        MIGRATE_ON_START: 'false',
        REFLECTION: 'off',
        HEALTH_TARGET: 'portfolio:50052',
      }),
    ).toMatchObject({
      grpcPort: 0,
      healthPort: undefined,
      metricsPort: undefined,
      bindAddress: '::',
      databaseUrl: 'postgresql://db/portfolio',
      migrateOnStart: false,
      reflection: false,
      healthTarget: 'portfolio:50052',
    })
  })

  it.each([
    ['GRPC_PORT', '65536'],
    ['GRPC_PORT', '-1'],
    ['GRPC_PORT', '50051 '],
    ['GRPC_PORT', '1e3'],
    ['HEALTH_PORT', 'off'],
    ['METRICS_PORT', 'none'],
    ['BIND_ADDRESS', 'localhost'],
    ['DATABASE_POOL_MAX', '1'],
    ['STATE_CACHE_USERS_MAX', '0'],
    ['MIGRATE_ON_START', 'yes'],
    ['REFLECTION', 'true'],
    ['DRAIN_TIMEOUT_MS', '5s'],
    ['READ_STALENESS_MS', '-1'],
    ['QUOTE_REFRESH_MS', '9'],
    ['MARKET_DATA_PROVIDERS', 'yahoo'],
    ['MARKET_DATA_PROVIDERS', 'store,yahoo,yahoo'],
    ['MARKET_DATA_PROVIDERS', 'store,bloomberg'],
    ['MARKET_DATA_GRPC_TARGET', 'prices'],
    ['MARKET_DATA_BUDGET_MS', '-1'],
    ['MARKET_DATA_REFRESH_MS', '10'],
    ['QUARANTINE_RETENTION_DAYS', '30'],
    ['ANALYSIS_THREADS', '0'],
    ['RISK_FREE_RATE', '10'],
    ['HISTORY_REFRESH_MS', '0'],
    ['RISK_FREE_RATE', '4%'],
    ['RISK_FREE_RATE', 'package.json'],
    ['LOG_LEVEL', 'verbose'],
    ['HEALTH_TARGET', '50051'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ])('refuses %s=%j in one sentence', (name, value) => {
    const problems = problemsOf({ [name]: value })
    expect(problems).toEqual([expect.stringMatching(`^${name} must be .+, not "[^"]*"\\.$`)])
  })

  it('reads rates by date from a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rates-'))
    const path = join(directory, 'rates.csv')
    await writeFile(path, 'date,rate\n1970-01-03,0.05\n')
    const { riskFree } = loadConfig({ RISK_FREE_RATE: path })
    await rm(directory, { recursive: true })
    expect(riskFree).toEqual({ days: Int32Array.of(2), rates: Float64Array.of(0.05) })
  })

  it('keeps the order of providers, and asks for the address of a server', () => {
    const grpc = { MARKET_DATA_PROVIDERS: 'store, ecb,grpc' }
    const target = { MARKET_DATA_GRPC_TARGET: 'prices:50051' }
    expect(loadConfig({ ...grpc, ...target }).marketDataProviders).toEqual(['ecb', 'grpc'])
    expect(problemsOf(grpc)).toEqual([
      'MARKET_DATA_GRPC_TARGET must be set where MARKET_DATA_PROVIDERS names grpc.',
    ])
  })

  it('names every wrong variable, and keeps a secret', () => {
    const problems = problemsOf({
      DATABASE_URL: 'mysql://root:hunter2@db',
      REDIS_URL: 'http://:hunter2@cache',
      LOG_LEVEL: 'x',
    })
    expect(problems).toHaveLength(3)
    expect(problems.join('\n')).not.toContain('hunter2')
  })
})

it('the README has the table of the configuration', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const rows = readme
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+` +\|/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const documented = rows.map(([, name, value, meaning]) => [name, value, meaning])
  expect(documented).toEqual(
    CONFIGURATION_TABLE.map(({ name, default: value, meaning }) => [
      `\`${name}\``,
      value === undefined ? '-' : `\`${value}\``,
      meaning,
    ]),
  )
})
