import { describe, expect, it } from '@jest/globals'
import { getPortfolio } from '../../../../src/app/portfolio/get-portfolio.ts'
import { listLots, type LotsQuery } from '../../../../src/app/portfolio/list-lots.ts'
import { stateOfVersion } from '../../../../src/app/portfolio/past-state.ts'
import { decimalText } from '../../../../src/domain/decimal.ts'
import type { Quality } from '../../../../src/domain/portfolio/quality.ts'
import { valuePortfolio } from '../../../../src/domain/portfolio/valuation.ts'
import { record } from '../../../support/rich-store.ts'
import { act } from '../../../support/stored-actions.ts'
import { callContext, draft, type TestStore, useDatabase, write } from '../../../support/store.ts'
import { dividend, split } from '../../../unit/domain/portfolio/actions.ts'
import { rich } from '../../../unit/domain/portfolio/rich-drafts.ts'
import { at as onDay } from '../../../unit/domain/portfolio/scenario.ts'

const database = useDatabase()

let names = 0
/** An instrument, and a user, that no other test has. */
const newName = (): string => `L${(names += 1)}`

/** A sale of a named lot that a reverse split, recorded after it, makes too small; and a split that goes with all. */
async function misfit(store: TestStore) {
  const [userId, symbol, other] = [newName(), newName(), newName()]
  await write(store, userId, [
    draft('BUY', symbol, 10, { price: 1, at: onDay(50) }),
    draft('BUY', symbol, 10, { price: 2, at: onDay(60) }),
    draft('BUY', other, 3, { price: 1, at: onDay(70) }),
  ])
  const named = { instrumentId: symbol, lots: [['1.0', '8']] } as const
  await record(store, userId, [rich('SELL', 150, { quantity: '8', price: '3', ...named })])
  await act(store, symbol, onDay(100), split(1, 2))
  await act(store, other, onDay(100), split(2, 1))
  return { userId, symbol, other }
}

function leftOut({ issues }: Quality): readonly string[] {
  return issues.flatMap(({ reason, symbol }) => (reason === 'ACTION_LEFT_OUT' ? [symbol] : []))
}

const NOW = {
  at: undefined,
  recordedUntil: undefined,
  reportingCurrency: undefined,
  ifNoneMatch: undefined,
  versionMin: undefined,
}

async function lotsOf(store: TestStore, query: Partial<LotsQuery> & Pick<LotsQuery, 'userId'>) {
  const whole = { ...NOW, symbol: undefined, includeClosed: false, method: undefined, ...query }
  const { lots, quality } = await listLots(store, whole, callContext())
  return { lots: lots.map((lot) => `${lot.symbol} ${lot.quantityOpen} for ${lot.basis}`), quality }
}

describe('an action that what was recorded does not go with', () => {
  it('is left out and named in reads of now and then, and the others count', async () => {
    const store = database.openStore()
    const { userId, symbol, other } = await misfit(store)
    for (const at of [undefined, onDay(200)]) {
      const view = await getPortfolio(store, { ...NOW, userId, at }, callContext())
      const { positions, quality } = view.valuation
      expect(positions.map(({ holding }) => decimalText(holding.quantity))).toEqual(['12', '6'])
      expect([leftOut(quality), quality.completeness]).toEqual([[symbol], 'PARTIAL'])
    }
    // The sale had not happened yet: both actions go with that.
    const early = { ...NOW, userId, at: onDay(120) }
    const { valuation } = await getPortfolio(store, early, callContext())
    expect(valuation.positions.map(({ holding }) => decimalText(holding.quantity))).toEqual([
      '10',
      '6',
    ])
    expect(leftOut(valuation.quality)).toEqual([])
    expect([symbol, other].toSorted()).toEqual(valuation.assets.map((asset) => asset.symbol))
  })

  it('is left out of lots, by any method, and named where they are asked for', async () => {
    const store = database.openStore()
    const { userId, symbol, other } = await misfit(store)
    const all = [`${symbol} 2 for 2`, `${symbol} 10 for 20`, `${other} 6 for 3`]
    for (const at of [undefined, onDay(200)]) {
      for (const method of [undefined, 'LIFO'] as const) {
        const { lots, quality } = await lotsOf(store, { userId, at, method })
        expect([lots, leftOut(quality)]).toEqual([all, [symbol]])
      }
    }
    expect(leftOut((await lotsOf(store, { userId, symbol })).quality)).toEqual([symbol])
    expect(leftOut((await lotsOf(store, { userId, symbol: other })).quality)).toEqual([])
  })

  it('that makes a holding negative shows the lot sold short', async () => {
    const store = database.openStore()
    const [userId, symbol] = [newName(), newName()]
    await write(store, userId, [draft('BUY', symbol, 10, { price: 1, at: onDay(50) })])
    await write(store, userId, [draft('SELL', symbol, 8, { price: 2, at: onDay(150) })])
    await act(store, symbol, onDay(100), split(1, 10))
    const { lots, quality } = await lotsOf(store, { userId })
    expect([lots, leftOut(quality)]).toEqual([[`${symbol} -7 for -14`], []])
  })

  it('is left out of the state that a version left, when that is asked for again', async () => {
    const store = database.openStore()
    const { userId, symbol } = await misfit(store)
    await write(store, userId, [draft('BUY', newName(), 1, { price: 1, at: onDay(300) })])
    const asked = { version: 3, reportingCurrency: undefined }
    const { state, quotes } = await stateOfVersion(store, userId, asked, callContext())
    const { quality } = valuePortfolio(state, quotes, state.lastRecordedAt)
    expect(leftOut(quality)).toEqual([symbol])
  })

  it('for want of a rate is named in past reads, from a snapshot too', async () => {
    const store = database.openStore()
    const { past } = store.portfolios
    let kept = Promise.resolve()
    const portfolios = {
      ...store.portfolios,
      past: {
        ...past,
        limits: { snapshotEntriesMin: 2, snapshotsMax: 1_000 },
        recall: () => undefined,
        keepSnapshots: (added: Parameters<typeof past.keepSnapshots>[0]) =>
          (kept = past.keepSnapshots(added)),
      },
    }
    const [userId, symbol] = [newName(), newName()]
    for (const second of [50, 60, 150, 160]) {
      await write(store, userId, [draft('BUY', symbol, 1, { price: 1, at: onDay(second) })])
    }
    await act(store, symbol, onDay(100), dividend('1', { currency: 'CHF' }))
    const reasons = async (second: number) => {
      const query = { ...NOW, userId, at: onDay(second) }
      const view = await getPortfolio({ ...store, portfolios }, query, callContext())
      await kept
      return view.valuation.quality.issues.map(({ reason }) => reason)
    }
    expect(await reasons(70)).toEqual(['PRICE_STALE'])
    expect(await reasons(170)).toEqual(['PRICE_STALE', 'FX_MISSING'])
    const { rows } = await database.raw.query('select from snapshot where user_id = $1', [userId])
    expect(rows.length).toBeGreaterThan(0)
    expect(await reasons(170)).toEqual(['PRICE_STALE', 'FX_MISSING'])
  })
})
