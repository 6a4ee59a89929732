import { expect, test } from '@jest/globals'
import { sql } from 'kysely'
import {
  CommitOutcomeUnknown,
  type Database,
  openDatabase,
} from '../../../../src/infra/postgres/database.ts'
import { useDatabase } from '../../../support/store.ts'

const fixture = useDatabase()

async function withDatabase(
  url: string,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const database = openDatabase({ databaseUrl: url, poolMax: 1 })
  try {
    await work(database)
  } finally {
    await database.close()
  }
}

function insert(userId: string) {
  return sql`insert into portfolio (user_id) values (${userId})`
}

async function isThere(userId: string): Promise<boolean> {
  const { rowCount } = await fixture.raw.query('select from portfolio where user_id = $1', [userId])
  return rowCount === 1
}

test('a commit that PostgreSQL answers with ROLLBACK is not taken for one', async () => {
  await withDatabase(fixture.url, async (database) => {
    await expect(
      database.transaction(async (transaction) => {
        await insert('swallowed').execute(transaction)
        await sql`select 1 / 0`.execute(transaction).catch(() => undefined)
        return { commit: true, result: 'acknowledged' }
      }),
    ).rejects.toThrow('commit was answered with ROLLBACK')
    expect(await isThere('swallowed')).toBe(false)
  })
})

test('statements that went out together are rolled back together', async () => {
  await withDatabase(fixture.url, async (database) => {
    await expect(
      database.transaction(async (transaction) => {
        await Promise.all([
          insert('pipelined').execute(transaction),
          sql`select 1 / 0`.execute(transaction),
          insert('pipelined too').execute(transaction),
        ])
        return { commit: true, result: undefined }
      }),
    ).rejects.toMatchObject({ code: '22012' })
    await expect(
      database.transaction(async (transaction) => {
        await insert('unwanted').execute(transaction)
        return { commit: false, result: 'an answer' }
      }),
    ).resolves.toBe('an answer')
    // The pool has one connection: it has to be free again, and outside of any transaction.
    await insert('kept').execute(database.kysely)
    expect(
      await Promise.all(['pipelined', 'pipelined too', 'unwanted', 'kept'].map(isThere)),
    ).toEqual([false, false, false, true])
  })
})

test('a commit is durable before it is answered, whatever the database is set to', async () => {
  const name = new URL(fixture.url).pathname.slice(1)
  await fixture.raw.query(`alter database ${name} set synchronous_commit = off`)
  try {
    await withDatabase(fixture.url, async (database) => {
      const { rows } = await sql`show synchronous_commit`.execute(database.kysely)
      expect(rows).toEqual([{ synchronous_commit: 'on' }])
    })
  } finally {
    await fixture.raw.query(`alter database ${name} reset synchronous_commit`)
  }
})

test.each([/^begin/, /^insert into portfolio/])(
  'a connection lost at %s is an error like any other, and is replaced',
  async (pattern) => {
    const proxy = await fixture.openProxy()
    await withDatabase(proxy.url, async (database) => {
      const run = () =>
        database.transaction(async (transaction) => {
          await Promise.all([
            insert(`lost at ${pattern.source}`).execute(transaction),
            sql`select 1`.execute(transaction),
          ])
          return { commit: true, result: 'done' }
        })
      const held = proxy.hold(pattern)
      const [outcome] = await Promise.all([
        run().catch((error: unknown) => error),
        held.then((statement) => statement.cut()),
      ])
      expect(outcome).toBeInstanceOf(Error)
      expect(outcome).not.toBeInstanceOf(CommitOutcomeUnknown)
      await expect(run()).resolves.toBe('done')
    })
  },
)

test('a connection lost at COMMIT leaves the outcome unknown', async () => {
  const proxy = await fixture.openProxy()
  await withDatabase(proxy.url, async (database) => {
    const run = (userId: string) =>
      database
        .transaction(async (transaction) => {
          await insert(userId).execute(transaction)
          return { commit: true, result: undefined }
        })
        .catch((error: unknown) => error)
    const before = proxy.hold(/^commit/)
    const lost = run('before')
    ;(await before).cut()
    expect(await lost).toBeInstanceOf(CommitOutcomeUnknown)
    const after = proxy.hold(/^commit/)
    const kept = run('after')
    await (await after).loseAnswer('cut')
    expect(await kept).toBeInstanceOf(CommitOutcomeUnknown)
    expect([await isThere('before'), await isThere('after')]).toEqual([false, true])
  })
})
