import { describe, expect, it } from '@jest/globals'
import type { AnalysisBatch } from '../../../../src/app/analysis-pool.ts'
import {
  buy,
  describeOption,
  ingest,
  newName,
  openKeeper,
  spoil,
  spoiled,
  useHistory,
} from '../../../support/history.ts'
import { reverse } from '../../../support/rich-store.ts'
import { write } from '../../../support/store.ts'

const fixture = useHistory()

describe('a portfolio that cannot be kept', () => {
  it.each([
    ['whose thread throws', 666_004, 'ANALYSIS_FAILED'],
    ['whose thread exits', 666_001, 'ANALYSIS_CRASHED'],
  ])(
    '%s is tried again, in the end once a day, and keeps nobody waiting',
    async (_, units, reason) => {
      const [poisoned, symbol] = [newName(), newName()]
      await write(fixture.store, poisoned, [buy(symbol, units, 1, '2024-03-04')])
      const { user } = await fixture.tenUnits()
      expect(await fixture.values(user)).toHaveLength(4)
      const delays: number[] = []
      for (let pass = 1; pass <= 14; pass += 1) {
        const { rows } = await fixture.raw.query<{ attempts: number; minutes: number }>(
          `select attempts, (extract(epoch from retry_at - now()) / 60)::float8 as minutes
         from valuation_head where user_id = $1`,
          [poisoned],
        )
        expect(rows[0]!.attempts).toBe(pass)
        delays.push(Math.round(rows[0]!.minutes))
        // Not before its time.
        await fixture.replica.run()
        expect(fixture.replica.failed).toHaveLength(pass)
        await fixture.raw.query('update valuation_head set retry_at = now() where attempts > 0')
        await fixture.replica.run()
      }
      expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_440, 1_440, 1_440])
      // After years of it the time is still one.
      await fixture.raw.query(
        'update valuation_head set retry_at = now(), attempts = 100000 where attempts > 0',
      )
      await fixture.replica.run()
      expect(fixture.replica.failed).toHaveLength(16)
      expect(new Set(fixture.replica.failed)).toEqual(new Set([`${poisoned} ${reason}`]))
      expect(await fixture.values(poisoned)).toEqual([])
      // A change is another chance.
      await reverse(fixture.store, poisoned, { sequence: 1 })
      await write(fixture.store, poisoned, [buy(symbol, 1, 1, '2024-03-04')])
      await fixture.replica.run()
      expect(await fixture.values(poisoned)).toEqual(['2024-03-04 1'])
    },
  )

  it('is kept by the next try once the fault is mended elsewhere', async () => {
    const { user } = await fixture.tenUnits()
    const retryAt = async (moment: string): Promise<void> => {
      await fixture.raw.query(`update valuation_head set retry_at = ${moment}, attempts = 8`)
    }
    await fixture.raw.query(`update ledger set terms = '{"fee":"'`)
    await fixture.raw.query('truncate valuation, valuation_head')
    await fixture.replica.run()
    expect(fixture.replica.failed).toEqual([`${user} LEDGER_UNREADABLE`])
    await fixture.raw.query('update ledger set terms = null')
    await retryAt(`now() + interval '1 day'`)
    await fixture.replica.run()
    expect(await fixture.values(user)).toEqual([])
    // As a release that gave up after the eighth try left it.
    await retryAt(`'infinity'`)
    await fixture.replica.run()
    expect(await fixture.values(user)).toHaveLength(4)
    const { rows } = await fixture.raw.query('select attempts, retry_at from valuation_head')
    expect(rows).toEqual([{ attempts: 0, retry_at: null }])
  })

  it('since its ledger is garbage leaves the others of its statement alone', async () => {
    const { symbol } = await fixture.tenUnits()
    const users = [newName(), newName(), newName()]
    for (const user of users) await write(fixture.store, user, [buy(symbol, 1, 1, '2024-03-04')])
    await fixture.raw.query(`update ledger set terms = '{"fee":"' where user_id = $1`, [users[1]])
    await fixture.replica.keeper.release()
    const other = openKeeper(fixture.store, fixture.pool)
    await other.run()
    expect(other.failed).toEqual([`${users[1]} LEDGER_UNREADABLE`])
    for (const user of [users[0]!, users[2]!]) expect(await fixture.values(user)).toHaveLength(4)
    expect(other.told).toMatchObject({ users: 1 })
  })

  it('since its rows are refused leaves the others of its transaction alone', async () => {
    const { symbol } = await fixture.tenUnits()
    const users = [newName(), newName(), newName()]
    for (const user of users) await write(fixture.store, user, [buy(symbol, 1, 1, '2024-03-04')])
    const client = await fixture.connect()
    await client.query(
      `alter table valuation add constraint broken check (user_id <> '${users[1]}')`,
    )
    try {
      await fixture.replica.run()
    } finally {
      await client.query('alter table valuation drop constraint broken')
    }
    expect(fixture.replica.failed).toEqual([`${users[1]} NOT_WRITABLE`])
    for (const user of [users[0]!, users[2]!]) expect(await fixture.values(user)).toHaveLength(4)
  })
})

describe('a pass', () => {
  it('brings a limited number of portfolios up to date, and the next goes on', async () => {
    const { symbol } = await fixture.tenUnits()
    await fixture.raw.query(
      `insert into portfolio (user_id, version, last_sequence)
       select 'many-' || n, 1, 1 from generate_series(1, 2500) n`,
    )
    await fixture.raw.query(
      `insert into ledger (user_id, sequence, version, effective_at, recorded_at, instrument_id,
         account_id, type, quantity, price, request_id, hash)
       select 'many-' || n, 1, 1, '2024-03-06T12:00:00Z', now(), $1, '', 'BUY', n, 99, '',
         decode(repeat('ab', 32), 'hex') from generate_series(1, 2500) n`,
      [symbol],
    )
    const kept = async (): Promise<number> => {
      const { rows } = await fixture.raw.query<{ count: number }>(
        `select count(*)::int from valuation_head where user_id like 'many-%'`,
      )
      return rows[0]!.count
    }
    await fixture.replica.keeper.release()
    const replica = openKeeper(fixture.store, fixture.pool)
    expect(await replica.pass()).toBe(true)
    // One is the first portfolio: of its prices a replica that just began does not know that they are known.
    expect(await kept()).toBe(999)
    expect(replica.told.users).toBe(1_501)
    expect(await replica.pass()).toBe(true)
    // What a round has before it is counted once a minute.
    expect(replica.told.users).toBe(1_501)
    expect(await replica.pass()).toBe(false)
    expect(replica.told.users).toBe(0)
    expect(await kept()).toBe(2_500)
    expect(replica.told.rows).toBe(5_000)
    // Of what all of them hold one late price outdates them all.
    await ingest(fixture.store, symbol, { '2024-03-07': 105 })
    expect(await replica.run()).toBe(2_501)
  })

  it('gives a sign of life between the chunks of work that a thread does', async () => {
    const symbol = newName()
    await ingest(fixture.store, symbol, { '2004-03-08': 1 })
    for (let count = 0; count < 16; count += 1) {
      await write(fixture.store, newName(), [buy(symbol, 1, 1, '2004-03-08')])
    }
    const terms: string[] = []
    const { pool } = fixture
    const openBatch = (): AnalysisBatch => {
      const batch = pool.openBatch()
      const run: AnalysisBatch['run'] = async (...given) => {
        const { rows } = await fixture.raw.query<{ term: string }>(
          'select expires_at::text as term from lease',
        )
        terms.push(rows[0]!.term)
        return batch.run(...given)
      }
      return { ...batch, run }
    }
    const replica = openKeeper(fixture.store, { ...pool, openBatch })
    expect(await replica.run()).toBe(16)
    expect(terms.length).toBeGreaterThan(1)
    expect(new Set(terms).size).toBe(terms.length)
  })

  it('finds a description that changed after a symbol began', async () => {
    const { user, symbol } = await fixture.tenUnits()
    const [renamed, newSymbol] = [newName(), newName()]
    await describeOption(fixture.raw, renamed, 1)
    await fixture.raw.query(
      `insert into alias (symbol, from_day, to_day, instrument_id)
       values ($1, '', '2024-03-08', $1), ($2, '2024-03-09', '', $1)`,
      [renamed, newSymbol],
    )
    await fixture.replica.run()
    fixture.clock.set('2024-03-09')
    await fixture.replica.run()
    await describeOption(fixture.raw, symbol, 2)
    await fixture.replica.run()
    expect((await fixture.values(user))[0]).toBe('2024-03-04 100000')
  })

  it('finds a price that was stamped before the last look and committed after it, once', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await fixture.raw.query(
      `insert into quote (instrument_id, priced_at, source, price, currency, kind, split_adjusted,
         recorded_at)
       select $1, '2024-03-06T13:00:00Z', 'late', 98, '', 'CLOSE', false,
         quotes_until - interval '10 seconds' from valuation_news`,
      [symbol],
    )
    await fixture.replica.run()
    expect((await fixture.values(user))[2]).toBe('2024-03-06 980')
    await spoil(fixture.raw, user)
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toHaveLength(4)
    await ingest(fixture.store, symbol, { '2024-03-07': 106 })
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toEqual(['2024-03-04', '2024-03-05', '2024-03-06'])
  })

  it('ends after what it is at when it is told to, and another goes on from there', async () => {
    const { symbol } = await fixture.tenUnits()
    const users = Array.from({ length: 6 }, newName)
    for (const user of users) await write(fixture.store, user, [buy(symbol, 1, 1, '2024-03-04')])
    // So long that each is read by itself.
    await fixture.raw.query('update portfolio set last_sequence = 4000')
    const { postgres } = fixture.store
    const historyStore = {
      ...postgres.historyStore,
      write: (...given: Parameters<typeof postgres.historyStore.write>) => {
        stopped.stop()
        return postgres.historyStore.write(...given)
      },
    }
    await fixture.replica.keeper.release()
    const stopped = openKeeper(
      { ...fixture.store, postgres: { ...postgres, historyStore } },
      fixture.pool,
    )
    expect(await stopped.pass()).toBe(false)
    expect(stopped.told.rows).toBeLessThanOrEqual(4)
    await stopped.keeper.release()
    expect(await openKeeper(fixture.store, fixture.pool).run()).toBe(24 - stopped.told.rows)
  })
})

it('rests four times as long as it works, since clients come first', async () => {
  await fixture.tenUnits()
  await fixture.raw.query('truncate valuation, valuation_head')
  await fixture.replica.keeper.release()
  const { store, pool, clock } = fixture
  let workedMs = 0
  // Whenever it looks 125 ms have gone by: twice, about the ledgers' reading and about the rest.
  const monotonicMs = (): number => (workedMs += 125)
  const worker = openKeeper({ ...store, clock: { now: () => clock.now(), monotonicMs } }, pool)
  const began = performance.now()
  expect(await worker.run()).toBeGreaterThan(0)
  expect(performance.now() - began).toBeGreaterThanOrEqual(2 * 4 * 125 - 2)
})
