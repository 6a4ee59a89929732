import { checkHealth } from './api/health.ts'
import { HEALTH_SERVICE } from './api/server.ts'
import { ImportUsageError } from './cli/arguments.ts'
import { importInstruments } from './cli/import-instruments.ts'
import { importPrices } from './cli/import-prices.ts'
import { importFile } from './cli/import.ts'
import { writeReport } from './cli/report.ts'
import { ConfigurationError, loadConfig } from './config.ts'
import { migrateDatabase } from './infra/postgres/migrate.ts'

const HEALTH_MS_MAX = 5_000

const USAGE = `usage: cli COMMAND
  migrate             brings the schema of DATABASE_URL up to date
  import              records the rows of a CSV file with the service at TARGET: import FILE --user USER
  import-prices       keeps the prices and exchange rates of a CSV file there: import-prices FILE
  import-instruments  describes the instruments of a CSV file there: import-instruments FILE
  report              writes a portfolio's report as one HTML page: report USER --out FILE.html
  health              asks HEALTH_TARGET, or the service of this environment, whether it serves
`

/** For each command what it does; the text that ends it, or an error. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<string>>> = {
  async migrate() {
    const { databaseUrl } = loadConfig()
    if (databaseUrl === undefined) {
      throw new ConfigurationError(['DATABASE_URL must be set: it says what to migrate.'])
    }
    const applied = await migrateDatabase(databaseUrl)
    return applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`
  },

  import: (args) => importFile(args, defaultTarget()),
  'import-prices': (args) => importPrices(args, defaultTarget()),
  'import-instruments': (args) => importInstruments(args, defaultTarget()),

  report: (args) => writeReport(args, defaultHttpTarget()),

  async health() {
    const { healthTarget, healthPort, grpcPort } = loadConfig()
    const target = healthTarget ?? `127.0.0.1:${healthPort ?? grpcPort}`
    const status = await checkHealth(target, HEALTH_SERVICE, HEALTH_MS_MAX)
    if (status !== 'SERVING') throw new Error(`${target}: ${status}`)
    return status
  },
}

/** Where rows go unless the command says. */
function defaultTarget(): string {
  const { target, grpcPort } = loadConfig()
  return target ?? `127.0.0.1:${grpcPort}`
}

/** Where reports are made unless the command says; undefined where HTTP is off. */
function defaultHttpTarget(): string | undefined {
  const { httpPort } = loadConfig()
  return httpPort === undefined ? undefined : `127.0.0.1:${httpPort}`
}

async function run(name: string | undefined, args: readonly string[]): Promise<number> {
  const command = name === undefined ? undefined : COMMANDS[name]
  if (command === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  try {
    process.stdout.write(`${await command(args)}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    const isUsage = error instanceof ConfigurationError || error instanceof ImportUsageError
    return isUsage ? 2 : 1
  }
}

/** With its causes: an operator's command fails for reasons that lie below. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`
}

process.exitCode = await run(process.argv[2], process.argv.slice(3))
