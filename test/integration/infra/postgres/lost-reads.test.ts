import { expect, test } from '@jest/globals'
import { callContext, draft, type TestStore, useDatabase, write } from '../../../support/store.ts'

const database = useDatabase()
const USER = 'reader'

const READS: { name: string; at: RegExp; read: (store: TestStore) => Promise<unknown> }[] = [
  {
    name: 'a portfolio',
    at: /left join holding/,
    read: ({ portfolios }) => portfolios.read(USER, callContext()),
  },
  {
    name: 'a ledger',
    at: /from "ledger"/,
    read: ({ portfolios }) => portfolios.ledger(USER, {}),
  },
  {
    name: 'the newest quotes',
    at: /from "newest_quote"/,
    read: ({ quoteStore }) => quoteStore.readNewest(undefined),
  },
  {
    name: 'past quotes',
    at: /cross join lateral/,
    read: ({ quoteStore }) => quoteStore.readAsOf(['AAPL'], 1e15, undefined),
  },
]

test.each(READS)(
  'a connection lost under a read of $name fails that read by name',
  async ({ at, read }) => {
    const proxy = await database.openProxy()
    const store = database.openStore({ url: proxy.url })
    await write(database.openStore(), USER, [draft('BUY', 'AAPL')])
    const held = proxy.hold(at)
    const reading = read(store).catch((error: unknown) => error)
    ;(await held).cut()
    expect(await reading).toMatchObject({ reason: 'DATABASE_UNAVAILABLE' })
    await expect(read(store)).resolves.not.toHaveProperty('reason')
  },
)

test('a connection that is lost while nobody uses it is replaced', async () => {
  const store = database.openStore()
  await store.postgres.ping()
  await database.raw.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and application_name = 'portfolio-tracking-service'`,
  )
  await expect(write(store, 'idle', [draft('BUY', 'AAPL')])).resolves.toBeDefined()
})
