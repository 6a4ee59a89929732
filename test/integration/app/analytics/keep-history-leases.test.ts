import { describe, expect, it } from '@jest/globals'
import { buy, ingest, newName, openKeeper, WEEK, useHistory } from '../../../support/history.ts'
import { backendWaitingForLock, waitUntil, write } from '../../../support/store.ts'

const fixture = useHistory()

describe('of two replicas', () => {
  it('one does it, and the other once the first has let go', async () => {
    const [first, second] = [
      openKeeper(fixture.store, fixture.pool),
      openKeeper(fixture.store, fixture.pool),
    ]
    const [user, symbol] = [newName(), newName()]
    await ingest(fixture.store, symbol, WEEK)
    await write(fixture.store, user, [buy(symbol, 10, 100, '2024-03-04')])
    const rows = await Promise.all([first.run(), second.run()])
    expect(rows.toSorted((a, b) => a - b)).toEqual([0, 4])
    const [holder, other] = first.told.leased ? [first, second] : [second, first]
    await write(fixture.store, user, [buy(symbol, 1, 100, '2024-03-04')])
    expect(await other.run()).toBe(0)
    await holder.keeper.release()
    expect(await other.run()).toBe(4)
    expect(await holder.run()).toBe(0)
  })

  it('the other goes on when the first dies, after its term', async () => {
    const first = openKeeper(fixture.store, fixture.pool, { leaseMs: 1_500 })
    const second = openKeeper(fixture.store, fixture.pool)
    const [user, symbol] = [newName(), newName()]
    await first.run()
    await ingest(fixture.store, symbol, WEEK)
    await write(fixture.store, user, [buy(symbol, 10, 100, '2024-03-04')])
    expect(await second.run()).toBe(0)
    await fixture.raw.query(
      `select pg_sleep_until(expires_at + interval '1 millisecond') from lease
       where name = 'valuation-history'`,
    )
    expect(await second.run()).toBe(4)
    expect(second.told.leased).toBe(true)
  })

  it('the slow one cannot write any more once the other has the lease', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await write(fixture.store, user, [buy(symbol, 1, 100, '2024-03-04')])
    const { historyStore, leases } = fixture.store.postgres
    // The slow one is about to write while its lease runs out.
    const other = openKeeper(fixture.store, fixture.pool)
    const slow = openKeeper(
      {
        ...fixture.store,
        postgres: {
          ...fixture.store.postgres,
          historyStore: {
            ...historyStore,
            write: async (...given) => {
              await fixture.raw.query('update lease set expires_at = now()')
              await write(fixture.store, user, [buy(symbol, 1, 100, '2024-03-04')])
              expect(await other.run()).toBe(4)
              return historyStore.write(...given)
            },
          },
        },
      },
      fixture.pool,
    )
    await fixture.replica.keeper.release()
    await expect(slow.run()).rejects.toMatchObject({ name: 'LeaseLost' })
    expect((await fixture.values(user))[0]).toBe('2024-03-04 1200')
    const { rows } = await fixture.raw.query<{ token: string }>('select token from lease')
    const lease = { name: 'valuation-history', token: Number(rows[0]!.token) }
    await expect(historyStore.confirm(lease, [])).resolves.toBeUndefined()
    await leases.release(lease)
    // Nobody took it, and it has run out all the same.
    await expect(historyStore.confirm(lease, [])).rejects.toMatchObject({ name: 'LeaseLost' })
  })

  it('the other waits for a write under way before it takes over', async () => {
    const { user } = await fixture.tenUnits()
    const { historyStore, leases } = fixture.store.postgres
    const lease = await leases.claim('valuation-history', 'second', 60_000)
    expect(lease).toBeUndefined()
    await fixture.replica.keeper.release()
    const rival = await fixture.connect()
    await rival.query('begin')
    await rival.query('select from valuation_head where user_id = $1 for update', [user])
    const short = await leases.claim('valuation-history', 'first', 200)
    const writing = historyStore.confirm(short!, [{ userId: user, version: 7, keptUntil: 1 }])
    await backendWaitingForLock(fixture.raw)
    await fixture.raw.query('select pg_sleep_until(expires_at) from lease')
    let isTaken = false
    const taking = leases.claim('valuation-history', 'second', 60_000).then((taken) => {
      isTaken = true
      return taken
    })
    await waitUntil(async () => {
      const { rows } = await fixture.raw.query(
        `select from pg_stat_activity where datname = current_database()
         and wait_event_type = 'Lock'`,
      )
      return rows.length === 2 || isTaken
    })
    expect(isTaken).toBe(false)
    await rival.query('commit')
    await writing
    expect(await taking).toEqual({ ...short, token: short!.token + 1 })
  })
})
