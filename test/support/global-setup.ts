import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded.ts'
import { migrateDatabase } from '../../src/infra/postgres/migrate.ts'
import { CHROMIUM, ensureProgram, REDIS } from './install-program.ts'
import { runStatement, TEMPLATE_URL_VARIABLE } from './postgres.ts'

declare global {
  var closeTestDatabases: (() => Promise<void>) | undefined
}

/**
 * Makes the migrated template that test files clone, on the server of TEST_DATABASE_URL (a role that
 * may create databases) or else on an embedded one of this run.
 */
export default async function setUp(): Promise<void> {
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer()
  }
  const installing = installPrograms()
  closers.push(() => installing)
  try {
    const adminUrl = process.env['TEST_DATABASE_URL'] ?? (await startServer(closers))
    const template = `portfolio_template_${randomBytes(4).toString('hex')}`
    await runStatement(adminUrl, `create database ${template}`)
    closers.push(() => runStatement(adminUrl, `drop database if exists ${template} with (force)`))
    const templateUrl = new URL(adminUrl)
    templateUrl.pathname = `/${template}`
    await migrateDatabase(templateUrl.href)
    process.env[TEMPLATE_URL_VARIABLE] = templateUrl.href
    globalThis.closeTestDatabases = close
  } catch (error) {
    await close()
    throw error
  }
}

/** Begins with what takes long, so that no test waits for it; the test that needs a program says what went wrong. */
async function installPrograms(): Promise<void> {
  for (const program of [REDIS, CHROMIUM]) await ensureProgram(program).catch(() => '')
}

async function startServer(closers: (() => Promise<void>)[]): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'portfolio-test-'))
  closers.push(() => rm(dataDir, { recursive: true, force: true }))
  await chmod(dataDir, 0o755)
  const lines: string[] = []
  try {
    const server = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line) })
    closers.push(() => server.stop())
    return server.url
  } catch (error) {
    console.error(lines.join('\n'))
    throw error
  }
}
