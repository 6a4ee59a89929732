import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** Where global-setup.ts tells the test files of the migrated template. */
export const TEMPLATE_URL_VARIABLE = 'PORTFOLIO_TEST_TEMPLATE_URL'

/** A database of its own for a test file. */
export interface TestDatabase {
  readonly url: string
  /** Also ends the connections that are still open. */
  drop(): Promise<void>
}

/** Clones the migrated template; takes about 40 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const templateUrl = process.env[TEMPLATE_URL_VARIABLE]
  if (templateUrl === undefined) throw new Error('this jest project has no database global setup')
  const template = new URL(templateUrl).pathname.slice(1)
  const name = `portfolio_test_${randomBytes(8).toString('hex')}`
  const adminUrl = withDatabase(templateUrl, 'postgres')
  await runStatement(adminUrl, `create database ${name} template ${template} strategy file_copy`)
  return {
    url: withDatabase(templateUrl, name),
    drop: () => runStatement(adminUrl, `drop database if exists ${name} with (force)`),
  }
}

/** Runs one statement on a connection of its own. */
export async function runStatement(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function withDatabase(url: string, name: string): string {
  const result = new URL(url)
  result.pathname = `/${name}`
  return result.href
}
