import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import {
  buy,
  deposit,
  describeOption,
  ingest,
  keptRows,
  newName,
  noon,
  seriesOf,
  spoil,
  spoiled,
  WEEK,
  useHistory,
} from '../../../support/history.ts'
import { changeSettings, record, reverse } from '../../../support/rich-store.ts'
import { draft, write } from '../../../support/store.ts'
import { dividend, split } from '../../../unit/domain/portfolio/actions.ts'

const fixture = useHistory()

describe('the kept history', () => {
  it('is a row for each day that is over, with its flows and its growth', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await ingest(fixture.store, symbol, { '2024-03-08': 200 })
    await write(fixture.store, user, [
      draft('SELL', symbol, 2, { price: 98, at: noon('2024-03-06') }),
    ])
    expect(await fixture.replica.run()).toBe(2)
    const rows = await keptRows(fixture.raw, user)
    expect(rows.map((row) => [row.day, row.value, row.inflow, row.outflow])).toEqual([
      ['2024-03-04', '1000', '1000', '0'],
      ['2024-03-05', '1100', '0', '0'],
      ['2024-03-06', '792', '0', '196'],
      ['2024-03-07', '836', '0', '0'],
    ])
    const growths = rows.map(({ growth }) => Number(growth))
    expect(growths).toEqual([1, 1.1, (792 + 196) / 1100, 836 / 792])
    expect(rows.map(({ version }) => version)).toEqual([1, 1, 2, 2])
    const { rows: facts } = await fixture.raw.query(
      `select distinct currency, completeness, observed, action_epoch,
         quotes_until < now() and quotes_until > now() - interval '1 hour' as priced
       from valuation`,
    )
    expect(facts).toEqual([
      {
        currency: 'USD',
        completeness: 'COMPLETE',
        observed: true,
        action_epoch: '0',
        priced: true,
      },
    ])
  })

  it('grows by a day when the day is over, and is written once', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await ingest(fixture.store, symbol, { '2024-03-08': 120 })
    expect(await fixture.replica.run()).toBe(0)
    fixture.clock.set('2024-03-09')
    expect(await fixture.replica.run()).toBe(1)
    // Nobody has a price of the weekend.
    fixture.clock.set('2024-03-11')
    expect(await fixture.replica.run()).toBe(0)
    expect(await fixture.replica.run()).toBe(0)
    expect((await fixture.values(user)).slice(-2)).toEqual(['2024-03-07 1045', '2024-03-08 1200'])
    expect(fixture.replica.told).toMatchObject({ users: 0, days: 0, leased: true })
  })

  it('is made again from the day of a backdated write on, and not before', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await spoil(fixture.raw, user)
    await write(fixture.store, user, [buy(symbol, 1, 100, '2024-03-06')])
    expect(await fixture.replica.run()).toBe(2)
    expect(await fixture.values(user)).toEqual([
      '2024-03-04 666',
      '2024-03-05 666',
      '2024-03-06 1089',
      '2024-03-07 1149.5',
    ])
  })

  it('is not written again where it comes out the same', async () => {
    const { user, symbol } = await fixture.tenUnits()
    const before = await keptRows(fixture.raw, user)
    // Of the morning: no close changes.
    await fixture.raw.query(
      `insert into quote (instrument_id, priced_at, source, price, currency, kind, split_adjusted,
         recorded_at)
       values ($1, '2024-03-04T08:00:00Z', 'test', 7, '', 'REALTIME', false, now())`,
      [symbol],
    )
    await write(fixture.store, user, [
      buy(symbol, 1, 100, '2024-03-07'),
      draft('SELL', symbol, 1, { price: 100, at: noon('2024-03-07') + 1 }),
    ])
    expect(await fixture.replica.run()).toBe(1)
    const after = await keptRows(fixture.raw, user)
    expect(after.slice(0, 3)).toEqual(before.slice(0, 3))
    expect(after[3]).toMatchObject({ inflow: '100', outflow: '100', version: 2 })
  })

  it('does not touch a past that a write of today leaves alone', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await spoil(fixture.raw, user)
    await write(fixture.store, user, [buy(symbol, 1, 100, '2024-03-08')])
    expect(await fixture.replica.run()).toBe(0)
    expect(await spoiled(fixture.raw, user)).toHaveLength(4)
    expect(fixture.replica.told.users).toBe(0)
  })

  it('begins with a portfolio of today when the day is over', async () => {
    const [user, symbol] = [newName(), newName()]
    await ingest(fixture.store, symbol, { ...WEEK, '2024-03-08': 120 })
    await write(fixture.store, user, [buy(symbol, 10, 100, '2024-03-08')])
    expect(await fixture.replica.run()).toBe(0)
    expect(await fixture.replica.run()).toBe(0)
    fixture.clock.set('2024-03-09')
    expect(await fixture.replica.run()).toBe(1)
    await write(fixture.store, user, [buy(symbol, 10, 100, '2024-03-07')])
    await fixture.replica.run()
    expect(await fixture.values(user)).toEqual(['2024-03-07 1045', '2024-03-08 2400'])
  })

  it('begins later when its first transaction is taken back, and earlier with an earlier one', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await write(fixture.store, user, [buy(symbol, 1, 100, '2024-03-06')])
    await reverse(fixture.store, user, { sequence: 1 })
    await fixture.replica.run()
    expect(await fixture.values(user)).toEqual(['2024-03-06 99', '2024-03-07 104.5'])
    await write(fixture.store, user, [buy(symbol, 2, 100, '2024-03-05')])
    await fixture.replica.run()
    expect((await fixture.values(user))[0]).toBe('2024-03-05 220')
  })

  it('is made again from the day of a late or corrected price on', async () => {
    const { user, symbol } = await fixture.tenUnits()
    const other = await fixture.tenUnits()
    await spoil(fixture.raw, user)
    await spoil(fixture.raw, other.user)
    await ingest(fixture.store, symbol, { '2024-03-06': 98 })
    expect(await fixture.replica.run()).toBe(2)
    expect(await spoiled(fixture.raw, user)).toEqual(['2024-03-04', '2024-03-05'])
    expect((await fixture.values(user))[2]).toBe('2024-03-06 980')
    expect(await spoiled(fixture.raw, other.user)).toHaveLength(4)
  })

  it('is made again from the day of a late rate on, where a currency is held', async () => {
    const [user, symbol] = [newName(), newName()]
    await ingest(fixture.store, 'EUR/USD', {
      '2024-03-04': 1.1,
      '2024-03-05': 1.1,
      '2024-03-06': 1.1,
    })
    await ingest(fixture.store, symbol, WEEK, 'EUR')
    await record(fixture.store, user, [buy(symbol, 10, 100, '2024-03-04')])
    const { user: another } = await fixture.tenUnits()
    await fixture.replica.run()
    await spoil(fixture.raw, user)
    await spoil(fixture.raw, another)
    await ingest(fixture.store, 'EUR/USD', { '2024-03-06': 1.2 })
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toEqual(['2024-03-04', '2024-03-05'])
    expect((await fixture.values(user)).slice(2)).toEqual(['2024-03-06 1188', '2024-03-07 1254'])
    expect(await spoiled(fixture.raw, another)).toHaveLength(4)
  })

  it('is made again as a whole when an instrument is quoted in another currency', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await spoil(fixture.raw, user)
    await ingest(fixture.store, 'SEK/USD', { '2024-03-01': 2 })
    await ingest(fixture.store, symbol, { '2024-03-07': 100 }, 'SEK')
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toEqual([])
    const series = await seriesOf(fixture.store, fixture.pool, user)
    expect((await fixture.values(user)).at(-1)).toBe('2024-03-07 2000')
    expect((await fixture.values(user)).map((row) => Number(row.slice(11)))).toEqual(
      series.slice(0, -1).map(({ value }) => value),
    )
  })

  it.each([
    ['a dividend', dividend('1'), ['2024-03-04']],
    ['a split', split(2, 1), []],
  ])('is made again from the day of %s on, recorded or reversed', async (_, terms, before) => {
    const { user, symbol } = await fixture.tenUnits()
    const { actionStore } = fixture.store.postgres
    const request = { caller: '', requestId: '', contentHash: new Uint8Array(32) }
    const action = { instrumentId: symbol, exDay: '2024-03-06', effectiveAt: noon('2024-03-06') }
    await spoil(fixture.raw, user)
    const { actionId } = await actionStore.record(
      { ...action, terms },
      request,
      fixture.clock.now(),
    )
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toEqual(before)
    await spoil(fixture.raw, user)
    await actionStore.reverse(actionId, 'wrong', request, fixture.clock.now())
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toEqual(before)
    await spoil(fixture.raw, user)
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toHaveLength(4)
  })

  it('is made again as a whole when settings or a description change', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await spoil(fixture.raw, user)
    await changeSettings(fixture.store, user, { timeZone: 'Asia/Tokyo' })
    await write(fixture.store, user, [buy(symbol, 1, 100, '2024-03-07')])
    await fixture.replica.run()
    expect(await spoiled(fixture.raw, user)).toEqual([])
    await spoil(fixture.raw, user)
    await describeOption(fixture.raw, symbol, 1)
    await fixture.replica.run()
    expect((await fixture.values(user))[0]).toBe('2024-03-04 100000')
    expect(await spoiled(fixture.raw, user)).toEqual([])
  })

  it('says where a value cannot be known', async () => {
    const [user, symbol] = [newName(), newName()]
    await ingest(fixture.store, symbol, WEEK, 'CHF')
    await write(fixture.store, user, [buy(symbol, 10, 100, '2024-03-04')])
    await fixture.replica.run()
    const rows = await keptRows(fixture.raw, user)
    expect(rows.map((row) => [row.value, row.growth, row.completeness])).toEqual(
      Array.from({ length: 4 }, () => [null, null, 'PARTIAL']),
    )
    // The next known value grows from none, until the rate of the first day is told.
    await ingest(fixture.store, 'CHF/USD', { '2024-03-04': 1 }, 'USD')
    await fixture.replica.run()
    expect((await keptRows(fixture.raw, user)).map(({ value }) => value)).toEqual([
      '1000',
      '1100',
      '990',
      '1045',
    ])
  })

  it('measures over a day that cannot be valued, whenever the next one is made', async () => {
    const [user, symbol] = [newName(), newName()]
    await ingest(fixture.store, symbol, WEEK, 'NOK')
    await ingest(fixture.store, 'NOK/USD', { '2024-03-07': 1 })
    await record(fixture.store, user, [deposit(1_000, '2024-03-04')])
    await write(fixture.store, user, [buy(symbol, 10, 100, '2024-03-05')])
    const growths = async () =>
      (await keptRows(fixture.raw, user)).map((row) => `${row.day} ${row.growth}`)
    const untold = ['2024-03-04 1', '2024-03-05 null', '2024-03-06 null']
    fixture.clock.set('2024-03-07')
    await fixture.replica.run()
    expect(await growths()).toEqual(untold)
    fixture.clock.set('2024-03-08')
    await fixture.replica.run()
    expect(await growths()).toEqual([...untold, '2024-03-07 1.045'])
    await fixture.raw.query('truncate valuation, valuation_head')
    await fixture.replica.run()
    expect(await growths()).toEqual([...untold, '2024-03-07 1.045'])
  })

  it('is read as the documentation says', async () => {
    const { user } = await fixture.tenUnits()
    const text = readFileSync(new URL('../../../../docs/history.md', import.meta.url), 'utf8')
    const [days, months, failed] = (/```sql\n(.*?)```/s.exec(text)?.[1] ?? '')
      .replaceAll('alice', user)
      .split(/;\s*/)
    expect((await fixture.raw.query(days!)).rows.at(-1)).toMatchObject({
      value: '1045',
      net_flow: '0',
      completeness: 'COMPLETE',
    })
    const { rows } = await fixture.raw.query<{ time_weighted_return: string }>(months!)
    expect(rows.map((row) => Number(row.time_weighted_return))).toEqual([expect.closeTo(0.045, 12)])
    expect((await fixture.raw.query(failed!)).rows).toEqual([])
  })
})
