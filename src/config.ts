import { readFileSync } from 'node:fs'
import { z } from 'zod'
import {
  constantRate,
  datedRates,
  rateOfText,
  type RiskFreeRates,
} from './domain/analytics/risk-free-rates.ts'
import { choice, setting, url, wholeNumber } from './setting.ts'

/** Undefined when the text is neither a rate nor the path of a file of them. */
function readRates(text: string): RiskFreeRates | undefined {
  const rate = rateOfText(text)
  if (rate !== undefined) return constantRate(rate)
  try {
    return datedRates(readFileSync(text, 'utf8'))
  } catch {
    return undefined
  }
}

const PORT = wholeNumber(0, 65_535)
const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):\d{1,5}$/
const ON_OFF = choice({ on: true, off: false })
const TRUE_FALSE = choice({ true: true, false: false })
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const A_PORT = 'a port from 0 to 65535'
const OTLP = {
  meaning: 'where traces are sent, by OTLP over http/protobuf; off when not set',
  takes: 'a URL of http or https',
}

const SETTINGS = {
  grpcPort: setting(
    'GRPC_PORT',
    { default: '50051', meaning: 'port of the gRPC server; 0 = a free one', takes: A_PORT },
    PORT,
  ),
  httpPort: setting(
    'HTTP_PORT',
    {
      default: '8080',
      meaning: 'port of HTTP/JSON and the Connect protocol; 0 = a free one, or off',
      takes: `${A_PORT}, or off`,
    },
    z.union([z.literal('off').transform(() => undefined), PORT]),
  ),
  healthPort: setting(
    'HEALTH_PORT',
    { meaning: 'port that answers health checks alone, in plain text', takes: A_PORT },
    PORT.optional(),
  ),
  metricsPort: setting(
    'METRICS_PORT',
    { default: '9464', meaning: 'port of Prometheus metrics, or off', takes: `${A_PORT}, or off` },
    z.union([z.literal('off').transform(() => undefined), PORT]),
  ),
  bindAddress: setting(
    'BIND_ADDRESS',
    { default: '127.0.0.1', meaning: 'address all ports listen on', takes: 'an IP address' },
    z.union([z.ipv4(), z.ipv6()]),
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    {
      meaning: 'PostgreSQL to keep everything in; not set: an embedded one in DATA_DIR',
      takes: 'a URL such as postgres://user:password@host:5432/database',
      secret: true,
    },
    url(['postgres:', 'postgresql:']).optional(),
  ),
  dataDir: setting(
    'DATA_DIR',
    { default: './.data', meaning: 'folder of the embedded PostgreSQL', takes: 'a path' },
    z.string(),
  ),
  databasePoolMax: setting(
    'DATABASE_POOL_MAX',
    { default: '16', meaning: 'most connections to PostgreSQL', takes: 'from 2 to 1000' },
    wholeNumber(2, 1_000),
  ),
  migrateOnStart: setting(
    'MIGRATE_ON_START',
    { default: 'true', meaning: 'bring the schema up to date at start', takes: 'true or false' },
    TRUE_FALSE,
  ),
  stateCacheUsersMax: setting(
    'STATE_CACHE_USERS_MAX',
    { default: '20000', meaning: 'most portfolios kept in memory', takes: 'from 1 to 10000000' },
    wholeNumber(1, 10_000_000),
  ),
  redisUrl: setting(
    'REDIS_URL',
    {
      meaning: 'Redis that replicas share states in, a database number of its own; not set: none',
      takes: 'a URL such as redis://user:password@host:6379/0',
      secret: true,
    },
    url(['redis:', 'rediss:']).optional(),
  ),
  readStalenessMs: setting(
    'READ_STALENESS_MS',
    {
      default: '1000',
      meaning: 'milliseconds that a read without min_etag may miss a write of another replica',
      takes: 'from 0 to 60000',
    },
    wholeNumber(0, 60_000),
  ),
  quoteRefreshMs: setting(
    'QUOTE_REFRESH_MS',
    {
      default: '1000',
      meaning: 'milliseconds between looks for quotes that other replicas took in',
      takes: 'from 10 to 3600000',
    },
    wholeNumber(10, 3_600_000),
  ),
  marketDataProviders: setting(
    'MARKET_DATA_PROVIDERS',
    {
      default: 'store',
      meaning:
        'who tells prices, in the order in which they are asked: store, then grpc, yahoo, ecb',
      takes: 'store, then any of grpc, yahoo and ecb, each once, parted by commas',
    },
    z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .refine(([first, ...others]) => first === 'store' && new Set(others).size === others.length)
      .transform((names) => names.slice(1))
      .pipe(z.array(z.enum(['grpc', 'yahoo', 'ecb']))),
  ),
  marketDataGrpcTarget: setting(
    'MARKET_DATA_GRPC_TARGET',
    { meaning: 'the grpc provider: a server of MarketDataService', takes: 'host:port' },
    z.string().regex(HOST_AND_PORT).optional(),
  ),
  marketDataEcbSource: setting(
    'MARKET_DATA_ECB_SOURCE',
    {
      default: 'https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml',
      meaning: 'the ecb provider: path or URL of its XML or CSV',
      takes: 'a path or a URL',
    },
    z.string(),
  ),
  marketDataBudgetMs: setting(
    'MARKET_DATA_BUDGET_MS',
    {
      default: '250',
      meaning: 'milliseconds that a write waits at most for providers, all together',
      takes: 'from 0 to 10000',
    },
    wholeNumber(0, 10_000),
  ),
  marketDataRefreshMs: setting(
    'MARKET_DATA_REFRESH_MS',
    {
      default: '60000',
      meaning: 'milliseconds after which providers are asked again for what they brought',
      takes: 'from 100 to 86400000',
    },
    wholeNumber(100, 86_400_000),
  ),
  quarantineRetentionDays: setting(
    'QUARANTINE_RETENTION_DAYS',
    {
      default: '90',
      meaning: 'days that quotes in quarantine are kept',
      takes: 'from 31 to 36500',
    },
    // Longer than a suspected split is told of.
    wholeNumber(31, 36_500),
  ),
  analysisThreads: setting(
    'ANALYSIS_THREADS',
    {
      meaning: 'threads that analyse portfolios; not set: one for each CPU of the container',
      takes: 'from 1 to 256',
    },
    wholeNumber(1, 256).optional(),
  ),
  riskFree: setting(
    'RISK_FREE_RATE',
    {
      default: '0',
      meaning:
        'yearly rate that risk is measured against: a fraction, or the path of a CSV of them',
      takes:
        'a decimal above -1 and below 10, or the path of a CSV of "date,rate" with such rates by date',
    },
    z
      .string()
      .transform(readRates)
      .refine((rates) => rates !== undefined),
  ),
  historyRefreshMs: setting(
    'HISTORY_REFRESH_MS',
    {
      default: '60000',
      meaning: 'milliseconds between passes that keep the valuations of past days, or off',
      takes: 'from 50 to 86400000, or off',
    },
    z.union([z.literal('off').transform(() => undefined), wholeNumber(50, 86_400_000)]),
  ),
  drainTimeoutMs: setting(
    'DRAIN_TIMEOUT_MS',
    {
      default: '20000',
      meaning: 'milliseconds that calls have to finish at shutdown',
      takes: 'from 0 to 600000',
    },
    wholeNumber(0, 600_000),
  ),
  reflection: setting(
    'REFLECTION',
    { default: 'on', meaning: 'serve descriptors to grpcurl and buf', takes: 'on or off' },
    ON_OFF,
  ),
  logLevel: setting(
    'LOG_LEVEL',
    {
      default: 'info',
      meaning: 'least level that is logged',
      takes: `one of ${LOG_LEVELS.join(', ')}`,
    },
    z.enum(LOG_LEVELS),
  ),
  healthTarget: setting(
    'HEALTH_TARGET',
    {
      meaning: '`cli health` alone: the service to ask; not set: the one of this environment',
      takes: 'host:port',
    },
    z.string().regex(HOST_AND_PORT).optional(),
  ),
  target: setting(
    'TARGET',
    {
      meaning: '`cli import` alone: the service to write to; not set: the one of this environment',
      takes: 'host:port',
    },
    z.string().regex(HOST_AND_PORT).optional(),
  ),
  otlpEndpoint: setting('OTEL_EXPORTER_OTLP_ENDPOINT', OTLP, url(['http:', 'https:']).optional()),
  otlpTracesEndpoint: setting(
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    { ...OTLP, meaning: 'the same, as the whole URL for traces' },
    url(['http:', 'https:']).optional(),
  ),
}

type Settings = typeof SETTINGS

/** The service's configuration, checked; see {@link CONFIGURATION_TABLE} for what each means. */
export type Config = {
  readonly [Key in keyof Settings]: z.output<Settings[Key]['schema']>
}

/** What operators can set, in the order of the documentation. */
export const CONFIGURATION_TABLE: readonly {
  readonly name: string
  readonly default: string | undefined
  readonly meaning: string
}[] = Object.values(SETTINGS).map(({ name, default: value, meaning }) => ({
  name,
  default: value,
  meaning,
}))

/** Environment variables that cannot be understood; one sentence for each. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/**
 * Reads the configuration. A variable that is empty counts as not set.
 * @throws ConfigurationError naming every wrong variable.
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [key, { name, schema, takes, secret, default: fallback }] of Object.entries(
    SETTINGS,
  )) {
    const given = environment[name]
    const text = given === undefined || given === '' ? fallback : given
    const parsed = schema.safeParse(text)
    if (parsed.success) values[key] = parsed.data
    else problems.push(`${name} must be ${takes}${secret ? '' : `, not ${JSON.stringify(text)}`}.`)
  }
  const config = Object.freeze(values) as unknown as Config
  if (problems.length === 0 && lacksTarget(config)) {
    problems.push('MARKET_DATA_GRPC_TARGET must be set where MARKET_DATA_PROVIDERS names grpc.')
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  return config
}

function lacksTarget({ marketDataProviders, marketDataGrpcTarget }: Config): boolean {
  return marketDataProviders.includes('grpc') && marketDataGrpcTarget === undefined
}
