import { expect, test } from '@jest/globals'
import pg from 'pg'
import { createTestDatabase, runStatement } from '../../support/postgres.ts'

test('a test database is migrated, a stranger to the others, and gone when dropped', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()])
  await runStatement(one.url, 'create table mine (id int)')
  await expect(runStatement(other.url, 'select from mine')).rejects.toThrow('does not exist')
  await runStatement(other.url, 'select from kysely_migration')

  const open = new pg.Client({ connectionString: one.url })
  const lost = new Promise((resolve) => open.on('error', resolve))
  await open.connect()
  await one.drop()
  await lost
  await expect(runStatement(one.url, 'select')).rejects.toThrow('does not exist')
  await other.drop()
})
