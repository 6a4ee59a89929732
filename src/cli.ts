import { checkHealth } from './api/health.ts'
import { HEALTH_SERVICE } from './api/server.ts'
import { ConfigurationError, loadConfig } from './config.ts'
import { migrateDatabase } from './infra/postgres/migrate.ts'

const HEALTH_MS_MAX = 5_000

const USAGE = `usage: cli COMMAND
  migrate   brings the schema of DATABASE_URL up to date
  health    asks HEALTH_TARGET, or the service of this environment, whether it serves
`

/** For each command what it does; the text that ends it, or an error. */
const COMMANDS: Readonly<Record<string, () => Promise<string>>> = {
  async migrate() {
    const { databaseUrl } = loadConfig()
    if (databaseUrl === undefined) {
      throw new ConfigurationError(['DATABASE_URL must be set: it says what to migrate.'])
    }
    const applied = await migrateDatabase(databaseUrl)
    return applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`
  },

  async health() {
    const { healthTarget, healthPort, grpcPort } = loadConfig()
    const target = healthTarget ?? `127.0.0.1:${healthPort ?? grpcPort}`
    const status = await checkHealth(target, HEALTH_SERVICE, HEALTH_MS_MAX)
    if (status !== 'SERVING') throw new Error(`${target}: ${status}`)
    return status
  },
}

async function run(name: string | undefined): Promise<number> {
  const command = name === undefined ? undefined : COMMANDS[name]
  if (command === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  try {
    process.stdout.write(`${await command()}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    return error instanceof ConfigurationError ? 2 : 1
  }
}

/** With its causes: an operator's command fails for reasons that lie below. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`
}

process.exitCode = await run(process.argv[2])
