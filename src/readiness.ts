import type { ApiServer } from './api/server.ts'
import { type BackgroundPass, startBackgroundPass } from './background-pass.ts'
import type { Logger } from './infra/telemetry/logger.ts'

const READINESS_MS = 1_000
const PING_MS_MAX = 3_000
/** One ping that is lost under load takes no replica out of service. */
const READINESS_FAILURES_MAX = 3

/** Health checks are told to come back later while the database does not answer. */
export function watchReadiness({
  ping: pingDatabase,
  server,
  logger,
}: {
  readonly ping: () => Promise<void>
  readonly server: Pick<ApiServer, 'setServing'>
  readonly logger: Logger
}): BackgroundPass {
  let failures = 0
  const ping = async (): Promise<void> => {
    await withinMs(PING_MS_MAX, pingDatabase())
    if (failures >= READINESS_FAILURES_MAX) logger.info('the database answers again')
    failures = 0
    server.setServing(true)
  }
  return startBackgroundPass(READINESS_MS, ping, (error) => {
    failures += 1
    if (failures !== READINESS_FAILURES_MAX) return
    logger.error({ err: error }, 'the database does not answer')
    server.setServing(false)
  })
}

async function withinMs<Result>(timeMsMax: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${timeMsMax} ms`)), timeMsMax)
  })
  try {
    return await Promise.race([work, expiry])
  } finally {
    clearTimeout(timer)
  }
}
