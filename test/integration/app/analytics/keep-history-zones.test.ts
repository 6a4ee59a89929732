import { describe, expect, it } from '@jest/globals'
import type { HistoryStore, OwedUntil } from '../../../../src/app/history-store.ts'
import { type EpochDay, epochDay } from '../../../../src/domain/analytics/epoch-day.ts'
import { buy, deposit, ingest, newName, openKeeper, useHistory } from '../../../support/history.ts'
import { changeSettings, record } from '../../../support/rich-store.ts'
import { write } from '../../../support/store.ts'

const fixture = useHistory()

/** The first replica lets go; this one also says whom each pass found behind. */
async function openWatched() {
  await fixture.replica.keeper.release()
  const { postgres } = fixture.store
  let found: string[] = []
  const behind: HistoryStore['behind'] = async (...given) => {
    const page = await postgres.historyStore.behind(...given)
    found.push(...page.portfolios.map(({ userId }) => userId))
    return page
  }
  const historyStore = { ...postgres.historyStore, behind }
  const replica = openKeeper(
    { ...fixture.store, postgres: { ...postgres, historyStore } },
    fixture.pool,
  )
  return {
    ...replica,
    async pass() {
      found = []
      await replica.pass()
      return found
    },
  }
}

function setClock(moment: string): void {
  const [day = '', time] = moment.split('T')
  fixture.clock.set(day, time)
}

/** In the west it is a day less. */
function owedUntil(day: EpochDay): OwedUntil {
  return (timeZone) => day - Number(timeZone === 'US/Pacific')
}

describe('the kept history of a portfolio with a time zone', () => {
  it('ends with the day in the time zone of the portfolio', async () => {
    const { user, symbol } = await fixture.tenUnits()
    await ingest(fixture.store, symbol, { '2024-03-08': 120, '2024-03-09': 130 })
    await changeSettings(fixture.store, user, { timeZone: 'Pacific/Pago_Pago' })
    // In Pago Pago it is one in the morning, eleven hours behind.
    fixture.clock.set('2024-03-09')
    await fixture.replica.run()
    expect((await fixture.values(user)).at(-1)).toBe('2024-03-08 1200')
    fixture.clock.set('2024-03-09', '10:00')
    await write(fixture.store, user, [buy(symbol, 1, 1, '2024-03-07')])
    await fixture.replica.run()
    expect((await fixture.values(user)).at(-1)).toBe('2024-03-07 1149.5')
  })

  it.each([
    ['west', 'Pacific/Pago_Pago', '2024-03-09T10:59', '2024-03-09T11:00'],
    ['east', 'Pacific/Kiritimati', '2024-03-08T23:59', '2024-03-09T00:00'],
  ])(
    '%s of UTC is behind once its own day is over and that of UTC, and not before',
    async (_, timeZone, before, end) => {
      const { user, symbol } = await fixture.tenUnits()
      await ingest(fixture.store, symbol, { '2024-03-08': 120 })
      await changeSettings(fixture.store, user, { timeZone })
      const replica = await openWatched()
      setClock(before)
      // The price of just now is news.
      expect(await replica.pass()).toEqual([user])
      expect(await replica.pass()).toEqual([])
      setClock(end)
      expect(await replica.pass()).toEqual([user])
      expect((await fixture.values(user)).at(-1)).toBe('2024-03-08 1200')
      expect(await replica.pass()).toEqual([])
    },
  )

  it('is found once, and left alone, by a replica that does not know the time zone yet', async () => {
    const user = newName()
    await record(fixture.store, user, [deposit(100, '2024-03-04')])
    await changeSettings(fixture.store, user, { timeZone: 'Pacific/Pago_Pago' })
    await fixture.replica.run()
    const headOf = async () => {
      const { rows } = await fixture.raw.query<Readonly<Record<string, string>>>(
        'select kept_until::text, xmin::text as written from valuation_head',
      )
      return rows
    }
    const head = await headOf()
    expect(head).toMatchObject([{ kept_until: '2024-03-07' }])
    setClock('2024-03-09T10:59')
    const replica = await openWatched()
    expect(await replica.pass()).toEqual([user])
    expect(replica.told).toMatchObject({ leased: true, users: 0, days: 0 })
    expect(await replica.pass()).toEqual([])
    expect(await headOf()).toEqual(head)
  })

  it('is behind by its own days, beside portfolios of other zones', async () => {
    const { user: west } = await fixture.tenUnits()
    const { user: london } = await fixture.tenUnits()
    await changeSettings(fixture.store, west, { timeZone: 'US/Pacific' })
    await changeSettings(fixture.store, london, { timeZone: 'Europe/London' })
    await fixture.replica.run()
    const kept = epochDay('2024-03-07')
    const { historyStore } = fixture.store.postgres
    const found = async (day: EpochDay) => {
      const owed = { untilDay: day, lateZones: ['US/Pacific'] }
      const { portfolios } = await historyStore.behind('', owed)
      return portfolios.map(({ userId }) => userId)
    }
    expect(await found(kept)).toEqual([])
    expect(await historyStore.lag('', owedUntil(kept))).toEqual({ users: 0, days: 0 })
    expect(await found(kept + 1)).toEqual([london])
    expect(await historyStore.lag('', owedUntil(kept + 1))).toEqual({ users: 1, days: 1 })
    expect(await found(kept + 3)).toEqual([west, london].toSorted())
    expect(await historyStore.lag('', owedUntil(kept + 3))).toEqual({ users: 2, days: 3 })
  })
})
