import { expect, test } from '@jest/globals'
import { callContext, draft, useDatabase, write } from '../../../support/store.ts'
import { expectConsistent } from './consistency.ts'

const database = useDatabase()

test('a replica whose cache is behind decides by what the other one wrote', async () => {
  const [here, there] = [database.openStore(), database.openStore()]
  await write(here, 'behind', [draft('BUY', 'AAPL', 10, { price: 7, at: 1e15 })])
  await write(there, 'behind', [draft('SELL', 'AAPL', 8, { price: 9, at: 2e15 })])
  await expect(write(here, 'behind', [draft('SELL', 'AAPL', 3)])).rejects.toMatchObject({
    reason: 'INSUFFICIENT_QUANTITY',
  })
  const { answer } = await write(here, 'behind', [draft('SELL', 'AAPL', 2, { price: 9 })])
  expect(answer).toMatchObject({ version: 3, summary: { assets: [] } })
  await write(there, 'behind', [draft('BUY', 'AAPL', 1)])
  await write(here, 'behind', [draft('SELL', 'AAPL', 1)])
  await expectConsistent(here, database.raw, 'behind')
})

test('a read is never behind either, and says whether it came from the cache', async () => {
  const [here, there] = [database.openStore(), database.openStore()]
  const read = () => here.portfolios.read('read', callContext())
  await expect(read()).resolves.toBeUndefined()
  await write(here, 'read', [draft('BUY', 'AAPL', 10)])
  await expect(read()).resolves.toMatchObject({ source: 'memory', state: { version: 1 } })
  await write(there, 'read', [draft('BUY', 'AAPL', 5)])
  const fresh = await read()
  expect(fresh).toMatchObject({ source: 'database', state: { version: 2 } })
  expect(fresh?.state.books.get('AAPL')?.get('')?.quantity.toNumber()).toBe(15)
  await expect(read()).resolves.toMatchObject({ source: 'memory', state: { version: 2 } })
  // What was read has no lots in it; a sale needs them.
  await write(here, 'read', [draft('SELL', 'AAPL', 12)])
  await expectConsistent(here, database.raw, 'read')
})

test('an equal version of another history does not pass for the cached one', async () => {
  const [here, there] = [database.openStore(), database.openStore()]
  await write(here, 'restored', [draft('BUY', 'AAPL', 10)])
  // As after a restored backup: the user's version 1 is gone, and another one was written.
  for (const table of ['portfolio', 'ledger', 'holding', 'lot', 'outbox']) {
    await database.raw.query(`delete from ${table} where user_id = 'restored'`)
  }
  await write(there, 'restored', [draft('BUY', 'AAPL', 4)])
  const read = await here.portfolios.read('restored', callContext())
  expect(read?.state.books.get('AAPL')?.get('')?.quantity.toNumber()).toBe(4)
  await expect(
    write(database.openStore(), 'restored', [draft('SELL', 'AAPL', 5)]),
  ).rejects.toMatchObject({ reason: 'INSUFFICIENT_QUANTITY' })
  await write(here, 'restored', [draft('SELL', 'AAPL', 4)])
  await expectConsistent(here, database.raw, 'restored')
})

test('a write decides by the database where a cached equal version is of another history', async () => {
  const [here, there] = [database.openStore(), database.openStore()]
  await write(here, 'replaced', [draft('BUY', 'AAPL', 10)])
  for (const table of ['portfolio', 'ledger', 'holding', 'lot', 'outbox']) {
    await database.raw.query(`delete from ${table} where user_id = 'replaced'`)
  }
  await write(there, 'replaced', [draft('BUY', 'AAPL', 4)])
  await expect(write(here, 'replaced', [draft('SELL', 'AAPL', 5)])).rejects.toMatchObject({
    reason: 'INSUFFICIENT_QUANTITY',
  })
})

test('a state without its lots that a read put there during a write is not sold from', async () => {
  const proxy = await database.openProxy()
  const [here, there] = [database.openStore({ url: proxy.url }), database.openStore()]
  await write(here, 'overtaken', [draft('BUY', 'AAPL', 3)])
  const held = proxy.hold(/for update/)
  const selling = write(here, 'overtaken', [draft('SELL', 'AAPL', 4)])
  const lock = await held
  await write(there, 'overtaken', [draft('BUY', 'AAPL', 2)])
  const read = await here.portfolios.read('overtaken', callContext())
  expect(read).toMatchObject({ source: 'database', state: { version: 2 } })
  lock.pass()
  await expect(selling).resolves.toMatchObject({ answer: { version: 3 } })
  await expectConsistent(here, database.raw, 'overtaken')
})

test('lots that do not fit their holding refuse a sale rather than guess', async () => {
  await write(database.openStore(), 'damaged', [draft('BUY', 'A', 1), draft('BUY', 'A', 1)])
  await database.raw.query("delete from lot where user_id = 'damaged' and opened_sequence = 1")
  await expect(write(database.openStore(), 'damaged', [draft('SELL', 'A', 1)])).rejects.toThrow(
    'open lots do not match their holding',
  )
  const { rows } = await database.raw.query("select from ledger where user_id = 'damaged'")
  expect(rows).toHaveLength(2)
})

test('a cache far too small for its users changes nothing but the speed', async () => {
  const store = database.openStore({ stateCacheUsersMax: 2 })
  const users = Array.from({ length: 12 }, (_, index) => `small-${index}`)
  for (let round = 1; round <= 4; round += 1) {
    await Promise.all(
      users.map((user) =>
        write(store, user, [
          draft('BUY', 'AAPL', 3, { price: round }),
          draft('SELL', 'AAPL', 2, { price: round + 1 }),
          draft('BUY', `S${round}`, 1, { account: 'depot' }),
        ]),
      ),
    )
  }
  for (const user of users) {
    const entries = await expectConsistent(store, database.raw, user)
    expect(entries).toHaveLength(12)
  }
})

test('a portfolio too large for the whole cache is still written rightly', async () => {
  const store = database.openStore({ stateCacheUsersMax: 1 })
  const instruments = Array.from({ length: 60 }, (_, index) => `S${index}`)
  await write(
    store,
    'large',
    instruments.map((id) => draft('BUY', id, 2)),
  )
  await write(
    store,
    'large',
    instruments.map((id) => draft('SELL', id, 1)),
  )
  expect(await expectConsistent(store, database.raw, 'large')).toHaveLength(120)
})
