import { randomUUID } from 'node:crypto'
import { openAnalytics } from './analytics.ts'
import { createActionTable, refreshActions } from './app/market-data/action-table.ts'
import { ProvidedQuotes, type ProvidedQuotePorts } from './app/market-data/provided-quotes.ts'
import { createInstrumentTable } from './app/market-data/instrument-table.ts'
import { refreshInstruments } from './app/market-data/refresh-instruments.ts'
import { refreshQuotes } from './app/market-data/refresh-quotes.ts'
import { refreshSuspects } from './app/market-data/refresh-suspects.ts'
import { createQuoteBoard } from './app/market-data/quote-board.ts'
import type {
  ActionTable,
  CacheTelemetry,
  ChangeHints,
  Clock,
  PortfolioStore,
  QuoteBoard,
  QuoteProvider,
  Telemetry,
} from './app/ports.ts'
import { announcingStore, ChangeFeed } from './app/portfolio/change-feed.ts'
import { foldingStore } from './app/portfolio/folded-actions.ts'
import { WATCH_TIMES, type WatchTimes } from './app/portfolio/watch-portfolio.ts'
import { marketDataHandlers } from './api/market-data.ts'
import { portfolioHandlers } from './api/portfolio.ts'
import { openMarketDataClient } from './api/market-data-client.ts'
import { startServer } from './api/server.ts'
import { type BackgroundPass, passStarter, type StartPass } from './background-pass.ts'
import type { Config } from './config.ts'
import { startHistory } from './history.ts'
import type { Instant } from './domain/time.ts'
import { startExpiry } from './expiry.ts'
import { guardedProvider } from './infra/market-data/guarded-provider.ts'
import { openProvider } from './infra/market-data/providers.ts'
import { migrateDatabase } from './infra/postgres/migrate.ts'
import { openPostgres, type Postgres } from './infra/postgres/postgres.ts'
import { openRedisHints } from './infra/redis/change-hints.ts'
import { openRedisCache } from './infra/redis/redis-cache.ts'
import { createLogger, type Logger } from './infra/telemetry/logger.ts'
import { openTelemetry, type OpenTelemetry } from './infra/telemetry/telemetry.ts'
import { Opened } from './opened.ts'
import { watchReadiness } from './readiness.ts'
import { systemClock } from './system-clock.ts'

/** How late a change of another replica can reach this one's streams. */
const CHANGE_POLL_MS = 200

export interface Service {
  readonly ports: {
    readonly grpc: number
    readonly health: number | undefined
    readonly http: number | undefined
    readonly metrics: number | undefined
  }
  /** Finishes the calls under way, for at most the configured time or `drainTimeoutMs`. */
  close(drainTimeoutMs?: number): Promise<void>
}

export interface Overrides {
  readonly clock?: Clock
  readonly logger?: Logger
  readonly watchTimes?: Partial<WatchTimes>
  /** What the threads of the analysis run; tests have one that misbehaves. */
  readonly analysisWorker?: URL
}

type AnalyticsContext = Parameters<typeof openAnalytics>[1]

/**
 * Builds the service and serves. Returns when it listens; a database that does not answer makes it not ready, unless
 * the schema is to be brought up to date first.
 * @throws when a port, the embedded database or the migration fails; nothing is left open then.
 */
export async function startService(config: Config, overrides: Overrides = {}): Promise<Service> {
  const opened = new Opened()
  try {
    return await build(config, overrides, opened)
  } catch (error) {
    await opened.close(0).catch(() => undefined)
    throw error
  }
}

async function build(config: Config, overrides: Overrides, opened: Opened): Promise<Service> {
  const clock = overrides.clock ?? systemClock()
  const logger = overrides.logger ?? createLogger(config.logLevel)
  const { telemetry, metricsPort } = await startTelemetry(config, logger, opened)
  const databaseUrl = await prepareDatabase(config, logger, opened)
  const postgres = openStorage(config, { databaseUrl, clock, telemetry }, opened)
  const { quoteStore, instrumentStore, actionStore, leases } = postgres
  const startPass = passStarter(opened, telemetry)
  const actions = createActionTable()
  const market = { postgres, clock, actions }
  const { board, refreshing } = followMarketData(market, startPass, config.quoteRefreshMs)
  const shared = { ...market, instruments: board.instruments, telemetry, startPass, opened }
  const analytics = startAnalytics(config, overrides, shared)
  startHistory(config, { analytics, postgres, telemetry, startPass, opened })
  const marketData = {
    clock,
    quoteStore,
    board,
    telemetry,
    announce: () => {
      analytics.markStale()
      hints?.announceMarketData()
    },
  }
  startExpiry(config, { postgres, clock }, startPass)
  const followed = {
    ...postgres,
    portfolios: foldingStore(postgres.portfolios, { clock, actions }),
  }
  const { changes, portfolios, hints } = followChanges(followed, startPass, (feed) =>
    openHints(
      config,
      { changes: feed, wakeMarketData: () => refreshing.wake() },
      telemetry,
      opened,
    ),
  )
  // Prices first: the first answers would call everything stale.
  await refreshing.first
  const asking = { ...marketData, leases }
  const provided = await askProviders(config, asking, startPass, opened)

  const server = await startServer({
    ...config,
    edge: {
      clock,
      telemetry,
      logFailure: (error, facts) => logger.error({ ...facts, err: error }, 'a call failed'),
    },
    portfolio: portfolioHandlers({
      clock,
      portfolios,
      quotes: provided?.board ?? board,
      freshQuotes: provided?.fresh,
      quoteStore,
      actions,
      changes,
      watchTimes: { ...WATCH_TIMES, ...overrides.watchTimes },
    }),
    marketData: marketDataHandlers({ ...marketData, instrumentStore, actionStore, actions }),
    ...analytics.handlers,
  })
  opened.add((drainTimeoutMs) => server.close(drainTimeoutMs))
  const readiness = watchReadiness({ ping: () => postgres.ping(), server, logger })
  opened.add(() => readiness.stop())
  await readiness.first
  return {
    ports: { ...server.ports, metrics: metricsPort },
    close: (drainTimeoutMs = config.drainTimeoutMs) => opened.close(drainTimeoutMs),
  }
}

async function startTelemetry(
  { bindAddress, metricsPort, otlpEndpoint, otlpTracesEndpoint }: Config,
  logger: Logger,
  opened: Opened,
): Promise<OpenTelemetry> {
  const tracing = otlpEndpoint !== undefined || otlpTracesEndpoint !== undefined
  const telemetry = await openTelemetry({ bindAddress, metricsPort, tracing, logger })
  opened.add(() => telemetry.close())
  return telemetry
}

/** The database, and what replicas share beside it. */
function openStorage(
  config: Config,
  shared: Pick<Parameters<typeof openPostgres>[0], 'databaseUrl' | 'clock'> & {
    readonly telemetry: Telemetry & CacheTelemetry
  },
  opened: Opened,
): Postgres {
  const { clock, telemetry } = shared
  const sharedCache =
    config.redisUrl === undefined
      ? undefined
      : openRedisCache({ redisUrl: config.redisUrl, clock, telemetry })
  if (sharedCache !== undefined) opened.add(async () => sharedCache.close())
  const postgres = openPostgres({
    ...shared,
    poolMax: config.databasePoolMax,
    stateCacheUsersMax: config.stateCacheUsersMax,
    reading: { stalenessMs: config.readStalenessMs, sharedCache, telemetry },
  })
  opened.add(() => postgres.close())
  return postgres
}

/** Threads for what is heavy, over closes that are kept in memory. */
function startAnalytics(
  config: Config,
  { analysisWorker: worker }: Overrides,
  { opened, ...ports }: Omit<AnalyticsContext, 'worker'> & { readonly opened: Opened },
): ReturnType<typeof openAnalytics> {
  const analytics = openAnalytics(config, { ...ports, worker })
  opened.add(() => analytics.close())
  return analytics
}

/** Brings the prices and the reference data that any replica took in to this one's memory. */
function followMarketData(
  {
    postgres: { quoteStore, instrumentStore, actionStore },
    clock,
    actions,
  }: { readonly postgres: Postgres; readonly clock: Clock; readonly actions: ActionTable },
  startPass: StartPass,
  refreshMs: number,
): { board: QuoteBoard; refreshing: BackgroundPass } {
  const instruments = createInstrumentTable()
  const board = createQuoteBoard(instruments, { clock, table: actions })
  let recordedUntil: Instant | undefined
  const refreshing = startPass('quote-refresh', refreshMs, async () => {
    // What an instrument is decides what its price means.
    await refreshInstruments({ clock, instrumentStore, instruments })
    await refreshActions({ actionStore, actions })
    recordedUntil = await refreshQuotes({ quoteStore, board }, recordedUntil)
    await refreshSuspects({ clock, quoteStore, board })
  })
  return { board, refreshing }
}

/** Undefined where the store is the only one that tells prices: then nothing is asked and nothing waited for. */
async function askProviders(
  config: Config,
  ports: Omit<ProvidedQuotePorts, 'providers'>,
  startPass: StartPass,
  opened: Opened,
): Promise<ProvidedQuotes | undefined> {
  const { marketDataProviders: names, marketDataBudgetMs, marketDataRefreshMs } = config
  if (names.length === 0) return undefined
  const providers: QuoteProvider[] = []
  for (const name of names) {
    const provider = await openProvider(name, {
      openQuoteServer: () => openMarketDataClient(config.marketDataGrpcTarget ?? ''),
      ecbSource: config.marketDataEcbSource,
    })
    opened.add(async () => provider.close?.())
    providers.push(guardedProvider(provider, ports.telemetry))
  }
  const provided = new ProvidedQuotes(
    { ...ports, providers },
    { budgetMs: marketDataBudgetMs, refreshMs: marketDataRefreshMs },
  )
  const replica = randomUUID()
  startPass('provider-refresh', marketDataRefreshMs, () => provided.pass(replica))
  return provided
}

/** Brings what any replica committed to this one's streams. */
function followChanges(
  { portfolios, changeLog }: Postgres,
  startPass: StartPass,
  hintsOf: (changes: ChangeFeed) => ChangeHints | undefined,
): { changes: ChangeFeed; portfolios: PortfolioStore; hints: ChangeHints | undefined } {
  const changes = new ChangeFeed(changeLog)
  const hints = hintsOf(changes)
  startPass('change-feed', CHANGE_POLL_MS, () => changes.pass())
  return {
    changes,
    hints,
    portfolios: announcingStore(portfolios, (userId) => {
      changes.hint(userId)
      hints?.announce(userId)
    }),
  }
}

/** Without Redis what another replica took in is found by the next pass that looks for it. */
function openHints(
  { redisUrl }: Config,
  { changes, wakeMarketData }: { changes: ChangeFeed; wakeMarketData: () => void },
  telemetry: Telemetry,
  opened: Opened,
): ChangeHints | undefined {
  if (redisUrl === undefined) return undefined
  const hints = openRedisHints({
    redisUrl,
    onHint: (userId) => changes.hint(userId),
    onMarketData: wakeMarketData,
    onFailure: (error) => telemetry.backgroundFailed('change-hints', error),
  })
  opened.add(async () => hints.close())
  return hints
}

/** @returns the URL of a database whose schema is up to date, unless that is somebody else's to see to. */
async function prepareDatabase(config: Config, logger: Logger, opened: Opened): Promise<string> {
  const databaseUrl = config.databaseUrl ?? (await startEmbedded(config, logger, opened))
  if (config.migrateOnStart) {
    const applied = await migrateDatabase(databaseUrl)
    if (applied.length > 0) logger.info({ applied }, 'the schema was brought up to date')
  }
  return databaseUrl
}

async function startEmbedded(config: Config, logger: Logger, opened: Opened): Promise<string> {
  // Not installed where a database is given.
  const { startEmbeddedPostgres } = await import('./infra/postgres/embedded.ts')
  const embedded = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    log: (message) => logger.info(message),
  })
  opened.add(() => embedded.stop())
  return embedded.url
}
