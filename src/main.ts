import { ConfigurationError, type Config, loadConfig } from './config.ts'
import { createLogger } from './infra/telemetry/logger.ts'
import { type Service, startService } from './service.ts'

/** What a crash leaves to the calls under way. */
const CRASH_DRAIN_MS = 5_000

function readConfig(): Config {
  try {
    return loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}

/** Commands to paste that record a purchase: for whoever starts the service for the first time. */
function invitation({ grpc, http }: Service['ports']): string {
  const rpc = 'portfolio.v1.PortfolioService/UpdatePortfolio'
  const data = '{"userId":"alice","transactions":[{"symbol":"AAPL","quantity":10,"price":100}]}'
  const json = `-H 'content-type: application/json' -d '${data}'`
  return [
    'Ready. To record a purchase, paste one of:',
    ...(http === undefined ? [] : [`  curl ${json} http://127.0.0.1:${http}/portfolio`]),
    `  npx buf curl --protocol grpc --http2-prior-knowledge -d '${data}' http://127.0.0.1:${grpc}/${rpc}`,
    `  grpcurl -plaintext -d '${data}' 127.0.0.1:${grpc} ${rpc}`,
    '',
  ].join('\n')
}

const config = readConfig()
const logger = createLogger(config.logLevel)
const starting = startService(config, { logger })
let isStopping = false
/** What the process has to say when it ends: 1 once it crashed, be it during a shutdown that went well till then. */
let exitCode = 0

async function stop(drainTimeoutMs: number): Promise<void> {
  try {
    const service = await starting
    await service.close(drainTimeoutMs)
    process.exit(exitCode)
  } catch (error) {
    logger.error({ err: error }, 'the shutdown was not clean')
    process.exit(1)
  }
}

function onSignal(signal: NodeJS.Signals): void {
  if (isStopping) {
    logger.warn({ signal }, 'stopping at once')
    process.exit(1)
  }
  isStopping = true
  logger.info({ signal }, 'stopping')
  void stop(config.drainTimeoutMs)
}

function onCrash(error: unknown): void {
  logger.fatal({ err: error }, 'the process is in an unknown state and ends')
  // Whatever keeps the shutdown from ending must not keep the process.
  setTimeout(() => process.exit(1), 2 * CRASH_DRAIN_MS).unref()
  exitCode = 1
  if (isStopping) return
  isStopping = true
  void stop(CRASH_DRAIN_MS)
}

function onReady({ ports }: Service): void {
  logger.info({ ports }, 'ready')
  if (config.databaseUrl === undefined && config.reflection) {
    process.stdout.write(invitation(ports))
  }
}

process.on('SIGTERM', onSignal)
process.on('SIGINT', onSignal)
process.on('uncaughtException', onCrash)
process.on('unhandledRejection', onCrash)

starting.then(onReady, (error: unknown) => {
  logger.fatal({ err: error }, 'the service could not start')
  process.exit(1)
})
