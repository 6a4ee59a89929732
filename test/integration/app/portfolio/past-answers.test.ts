import { expect, test } from '@jest/globals'
import { getPortfolio } from '../../../../src/app/portfolio/get-portfolio.ts'
import { stateAsOf } from '../../../../src/app/portfolio/past-state.ts'
import { updatePortfolioSettings } from '../../../../src/app/portfolio/update-portfolio-settings.ts'
import type { PortfolioStore } from '../../../../src/app/ports.ts'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import { DEFAULT_SETTINGS, type PortfolioSettings } from '../../../../src/domain/portfolio/state.ts'
import { callContext, draft, type TestStore, useDatabase, write } from '../../../support/store.ts'

const SECOND = 1_000_000
const START = 1_700_000_000 * SECOND

const database = useDatabase()

function at(second: number): number {
  return START + second * SECOND
}

/** Snapshots of every few entries, and a read that waits for them. */
function openReader(snapshotEntriesMin: number) {
  const store = database.openStore()
  const { past } = store.portfolios
  let kept = Promise.resolve()
  const portfolios: PortfolioStore = {
    ...store.portfolios,
    past: {
      ...past,
      limits: { ...past.limits, snapshotEntriesMin },
      recall: () => undefined,
      keepSnapshots: (snapshots) => (kept = past.keepSnapshots(snapshots)),
    },
  }
  const reading: TestStore = { ...store, portfolios }
  return {
    store: reading,
    async held(userId: string, second: number): Promise<string> {
      const present = await store.portfolios.read(userId, callContext())
      const when = { at: at(second), recordedUntil: undefined, reportingCurrency: undefined }
      const { state } = await stateAsOf(reading, present!.state, when)
      await kept
      const holding = state.books.get('A')?.get('')
      return `${decimalText(holding!.quantity)} for ${decimalText(holding!.basis)}`
    },
  }
}

async function snapshotRows(userId: string) {
  const { rows } = await database.raw.query<{ lot_method: string; entry_count: number }>(
    `select lot_method, entry_count::int from snapshot where user_id = $1 order by effective_at`,
    [userId],
  )
  return rows
}

function buys(count: number, from = 0) {
  return Array.from({ length: count }, (_, index) => {
    const second = from + index
    return draft('BUY', 'A', 1, { price: second + 1, at: at(second) })
  })
}

async function change(store: TestStore, userId: string, settings: Partial<PortfolioSettings>) {
  const command = {
    userId,
    settings: { ...DEFAULT_SETTINGS, ...settings },
    key: undefined,
    ifMatch: undefined,
  }
  await updatePortfolioSettings(store, command, callContext())
}

function query(userId: string, second: number) {
  return {
    userId,
    at: at(second),
    recordedUntil: undefined,
    reportingCurrency: undefined,
    ifNoneMatch: undefined,
    versionMin: undefined,
  }
}

test('a past answer is remembered until the user writes, and its prices can still be corrected', async () => {
  const store = database.openStore()
  await write(store, 'remembered', buys(3))
  const ask = async () => {
    const view = await getPortfolio(store, query('remembered', 1), callContext())
    return [decimalText(view.valuation.totalValue), view.cached]
  }
  expect(await ask()).toEqual(['4', false])
  expect(await ask()).toEqual(['4', true])
  const quote = {
    instrumentId: 'A',
    currency: 'USD',
    pricedAt: at(1),
    source: 'x',
    kind: 'CLOSE',
    splitAdjusted: true,
  } as const
  await store.quoteStore.append([{ ...quote, price: decimal(7) }], at(9))
  expect(await ask()).toEqual(['14', true])
  await write(store, 'remembered', buys(1, 1))
  expect(await ask()).toEqual(['21', false])
  // The present is none of it.
  const present = await getPortfolio(
    store,
    { ...query('remembered', 0), at: undefined },
    callContext(),
  )
  expect(decimalText(present.valuation.totalValue)).toBe('12')
})

test('snapshots of one user are bounded, however often the past is read', async () => {
  const reader = openReader(1)
  for (let round = 0; round < 6; round += 1) {
    await write(reader.store, 'bounded', buys(20, 20 * round))
    expect(await reader.held('bounded', 20 * round + 19)).toMatch(`${20 * (round + 1)} for `)
  }
  const { snapshotsMax } = reader.store.portfolios.past.limits
  const rows = await snapshotRows('bounded')
  expect(rows).toHaveLength(snapshotsMax)
  // Spread over all of it.
  expect(rows[0]!.entry_count).toBeLessThan(20)
  expect(rows.at(-1)!.entry_count).toBeGreaterThan(110)
})

test('a backdated write outdates what lies behind it, and the next reads replace it', async () => {
  const reader = openReader(3)
  await write(reader.store, 'backdated', buys(12))
  expect(await reader.held('backdated', 11)).toBe('12 for 78')
  expect(await snapshotRows('backdated')).toHaveLength(4)
  await write(reader.store, 'backdated', [draft('BUY', 'A', 1, { price: 100, at: at(4.5) })])
  expect(await reader.held('backdated', 11)).toBe('13 for 178')
  expect(await reader.held('backdated', 4)).toBe('5 for 15')
  for (let round = 0; round < 3; round += 1) await reader.held('backdated', 11)
  expect((await snapshotRows('backdated')).length).toBeLessThanOrEqual(4 + 4)
})

test('another lot method has snapshots of its own, in place of the ones before', async () => {
  const reader = openReader(2)
  const { store } = reader
  await write(store, 'method', [...buys(4), draft('SELL', 'A', 2, { price: 9, at: at(5) })])
  expect(await reader.held('method', 6)).toBe('2 for 7')
  await change(store, 'method', { lotMethod: 'LIFO' })
  expect(await reader.held('method', 6)).toBe('2 for 3')
  expect(new Set((await snapshotRows('method')).map((row) => row.lot_method))).toEqual(
    new Set(['LIFO']),
  )
  expect(await reader.held('method', 6)).toBe('2 for 3')
})

test('a snapshot that cannot be read is as good as none', async () => {
  const writer = openReader(2)
  await write(writer.store, 'garbage', buys(6))
  await writer.held('garbage', 9)
  await database.raw.query(`update snapshot set folded = '[[' where user_id = 'garbage'`)
  expect(await openReader(2).held('garbage', 9)).toBe('6 for 21')
})

test('a short position of the past is answered when shorts are allowed no longer', async () => {
  const store = database.openStore()
  await change(store, 'short', { allowShort: true })
  await write(store, 'short', [draft('SELL', 'A', 5, { price: 10, at: at(10) })])
  const { state } = (await store.portfolios.read('short', callContext()))!
  await write(store, 'short', [draft('BUY', 'A', 5, { price: 8, at: at(5) })])
  await change(store, 'short', {})
  const known = { ...query('short', 20), recordedUntil: state.lastRecordedAt }
  const view = await getPortfolio(store, known, callContext())
  expect(view.valuation.positions.map(({ holding }) => decimalText(holding.quantity))).toEqual([
    '-5',
  ])
})
