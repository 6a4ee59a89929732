import { describe, expect, it } from '@jest/globals'
import type { ActionTerms } from '../../../../src/domain/market-data/corporate-action.ts'
import {
  buy,
  ingest,
  keptRows,
  newName,
  noon,
  seriesOf,
  useHistory,
  WEEK,
} from '../../../support/history.ts'
import { reverse } from '../../../support/rich-store.ts'
import { draft, write } from '../../../support/store.ts'
import { merger, split } from '../../../unit/domain/portfolio/actions.ts'

const fixture = useHistory()

const leaves = (symbol: string) => draft('TRANSFER_OUT', symbol, 10, { at: noon('2024-03-07') })

describe('the kept history of a portfolio of which actions are left out', () => {
  it('is made again as a whole when actions begin to be left out, and when they end to be', async () => {
    const { user, symbol } = await fixture.tenUnits()
    const { actionStore } = fixture.store.postgres
    await write(fixture.store, user, [
      draft('TRANSFER_OUT', symbol, 10, { at: noon('2024-03-07') }),
    ])
    const moment = { exDay: '2024-03-06', effectiveAt: noon('2024-03-06') - 1 }
    const action = { instrumentId: symbol, ...moment, terms: split(1, 2) }
    const request = { caller: '', requestId: '', contentHash: new Uint8Array(32) }
    await actionStore.record(action, request, fixture.clock.now())
    const told = async () =>
      (await keptRows(fixture.raw, user)).map((row) => `${row.value} ${row.completeness}`)
    await fixture.replica.run()
    expect(await told()).toEqual(['1000', '1100', '990', '0'].map((value) => `${value} PARTIAL`))
    await reverse(fixture.store, user, { sequence: 2 })
    await fixture.replica.run()
    expect(await told()).toEqual(
      ['1000', '1100', '495', '522.5'].map((value) => `${value} COMPLETE`),
    )
  })

  it('is made again as a whole when actions of another instrument are left out instead', async () => {
    const [user, one, other, target] = [newName(), newName(), newName(), newName()]
    const act = async (instrumentId: string, exDay: string, terms: ActionTerms) => {
      const action = { instrumentId, exDay, effectiveAt: noon(exDay) - 1, terms }
      const request = { caller: instrumentId, requestId: '', contentHash: new Uint8Array(32) }
      await fixture.store.postgres.actionStore.record(action, request, fixture.clock.now())
    }
    for (const symbol of [one, other]) await ingest(fixture.store, symbol, WEEK)
    const bought = [one, other].map((symbol) => buy(symbol, 10, 100, '2024-03-04'))
    await write(fixture.store, user, [...bought, leaves(one)])
    await act(one, '2024-03-05', split(1, 2))
    await fixture.replica.run()
    await reverse(fixture.store, user, { sequence: 3 })
    await write(fixture.store, user, [leaves(other)])
    // Of its own it changes no day before the 6th.
    await act(other, '2024-03-07', merger(target, '0.5'))
    await fixture.replica.run()
    const series = await seriesOf(fixture.store, fixture.pool, user)
    const rows = await keptRows(fixture.raw, user)
    expect(rows.map(({ value }) => Number(value))).toEqual(
      series.slice(0, -1).map(({ value }) => value),
    )
    expect(new Set(rows.map(({ completeness }) => completeness))).toEqual(new Set(['PARTIAL']))
  })
})
