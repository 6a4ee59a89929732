import { afterAll, afterEach, beforeAll } from '@jest/globals'
import { loadConfig } from '../../src/config.ts'
import { createLogger } from '../../src/infra/telemetry/logger.ts'
import { type Overrides, type Service, startService } from '../../src/service.ts'
import { ApiClient } from './client.ts'
import { type DatabaseFixture, useDatabase } from './store.ts'

/** A service of its own, on free ports. */
export interface RunningService extends Service {
  readonly client: ApiClient
  /** What it logged, one line each. */
  readonly log: readonly string[]
}

/** Starts the whole service on a database; the environment is what is given here, and nothing else. */
async function runService(
  databaseUrl: string,
  environment: Readonly<Record<string, string>> = {},
  overrides: Overrides = {},
): Promise<RunningService> {
  const log: string[] = []
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    GRPC_PORT: '0',
    HTTP_PORT: '0',
    METRICS_PORT: 'off',
    MIGRATE_ON_START: 'false',
    DATABASE_POOL_MAX: '4',
    QUOTE_REFRESH_MS: '50',
    DRAIN_TIMEOUT_MS: '5000',
    HISTORY_REFRESH_MS: 'off',
    ...environment,
  })
  const logger = createLogger('info', { write: (line) => void log.push(line) })
  const service = await startService(config, { logger, ...overrides })
  const client = new ApiClient(service.ports.grpc)
  return {
    ports: service.ports,
    client,
    log,
    close: async (drainTimeoutMs) => {
      await service.close(drainTimeoutMs)
      client.close()
    },
  }
}

interface ServiceFixture {
  readonly database: DatabaseFixture
  readonly service: RunningService
  readonly client: ApiClient
  /** Another service, closed after the test. */
  start(
    environment?: Readonly<Record<string, string>>,
    url?: string,
    overrides?: Overrides,
  ): Promise<RunningService>
}

/** One database and one service for all tests of a file. */
export function useService(): ServiceFixture {
  let shared: RunningService
  const started: RunningService[] = []
  // Jest runs these in the order of their definition: a service ends before its database does.
  afterEach(async () => {
    for (const service of started.splice(0)) await service.close(0)
  })
  afterAll(() => shared.close(0))
  const database = useDatabase()
  beforeAll(async () => {
    shared = await runService(database.url)
  })
  return {
    database,
    get service() {
      return shared
    },
    get client() {
      return shared.client
    },
    start: async (environment, url = database.url, overrides = {}) => {
      const service = await runService(url, environment, overrides)
      started.push(service)
      return service
    },
  }
}
