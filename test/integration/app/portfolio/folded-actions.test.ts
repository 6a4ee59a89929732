import { describe, expect, it } from '@jest/globals'
import { stateAsOf } from '../../../../src/app/portfolio/past-state.ts'
import type { Instant } from '../../../../src/domain/time.ts'
import { act, learnActions } from '../../../support/stored-actions.ts'
import { callContext, draft, type TestStore, useDatabase, write } from '../../../support/store.ts'
import { dividend, merger, spinOff, split } from '../../../unit/domain/portfolio/actions.ts'
import { decimalText } from '../../../../src/domain/decimal.ts'
import type { PortfolioState } from '../../../../src/domain/portfolio/state.ts'

const database = useDatabase()
const SECOND = 1_000_000
const START = 1_700_000_000 * SECOND
const at = (seconds: number): Instant => START + seconds * SECOND

let names = 100
/** An instrument, and a user, that no other test has. */
const newName = (): string => `F${(names += 1)}`

async function lotRows(userId: string): Promise<readonly string[]> {
  const { rows } = await database.raw.query<{ lot: string }>(
    `select instrument_id || ' ' || quantity || ' for ' || basis as lot from lot
      where user_id = $1 order by instrument_id, acquired_at, part`,
    [userId],
  )
  return rows.map(({ lot }) => lot)
}

function quantitiesOf({ books }: PortfolioState): Record<string, string> {
  return Object.fromEntries(
    [...books].map(([id, book]) => [id, decimalText(book.get('')!.quantity)]),
  )
}

describe('actions in holdings', () => {
  it('are written by a write to another instrument, whose lots are read for it', async () => {
    const [userId, parent, child, other] = [newName(), newName(), newName(), newName()]
    const first = database.openStore()
    await write(first, userId, [draft('BUY', parent, 10, { price: 10, at: at(0) })])
    await write(first, userId, [draft('BUY', parent, 2, { price: 20, at: at(200) })])
    await act(first, parent, at(100), spinOff(child, '0.5', '0.25'))
    await act(first, child, at(150), split(2, 1))
    const read = await first.portfolios.read(userId, callContext())
    expect(quantitiesOf(read!.state)).toEqual({ [parent]: '12', [child]: '10' })
    expect(await lotRows(userId)).toEqual([`${parent} 10 for 100`, `${parent} 2 for 40`])

    // Nothing of the user is in this one's memory.
    const second = database.openStore()
    await learnActions(second)
    await write(second, userId, [draft('BUY', other, 1, { price: 1, at: at(300) })])
    expect(await lotRows(userId)).toEqual([
      `${parent} 10 for 75`,
      `${parent} 2 for 40`,
      `${child} 10 for 25`,
      `${other} 1 for 1`,
    ])
    // The first one's memory is of another version: it reads what the second wrote, and finds nothing to fold.
    const again = await first.portfolios.read(userId, callContext())
    expect(quantitiesOf(again!.state)).toEqual({ [parent]: '12', [child]: '10', [other]: '1' })
    expect(again!.state.books.get(parent)!.get('')!.actionEpoch).toBe(1)
  })

  it('written by a replica that does not know them yet are mended by one that does', async () => {
    const [userId, symbol] = [newName(), newName()]
    const [here, there] = [database.openStore(), database.openStore()]
    await write(here, userId, [draft('BUY', symbol, 10, { price: 10, at: at(0) })])
    await act(here, symbol, at(100), split(4, 1))
    await write(here, userId, [draft('BUY', symbol, 1, { price: 3, at: at(200) })])
    // Backdated, and folded from the ledger without the split.
    await write(there, userId, [draft('BUY', symbol, 1, { price: 8, at: at(50) })])
    const read = await here.portfolios.read(userId, callContext())
    expect(quantitiesOf(read!.state)).toEqual({ [symbol]: '45' })
    await write(here, userId, [draft('BUY', symbol, 1, { price: 3, at: at(300) })])
    expect(await lotRows(userId)).toEqual([
      `${symbol} 40 for 100`,
      `${symbol} 4 for 8`,
      `${symbol} 1 for 3`,
      `${symbol} 1 for 3`,
    ])
  })

  it('close the rows of lots that nothing read for the request', async () => {
    const [userId, gone, kept, other] = [newName(), newName(), newName(), newName()]
    const first = database.openStore()
    await write(first, userId, [draft('BUY', gone, 10, { price: 10, at: at(0) })])
    await act(first, gone, at(100), merger(kept, '2'))
    const second = database.openStore()
    await learnActions(second)
    await write(second, userId, [draft('BUY', other, 1, { price: 1, at: at(300) })])
    expect(await lotRows(userId)).toEqual([`${kept} 20 for 100`, `${other} 1 for 1`])
  })
})

/** Takes a snapshot of a few entries already, and folds anew for each read. */
function openReader() {
  const store = database.openStore()
  const { past } = store.portfolios
  const found: number[] = []
  let kept = Promise.resolve()
  const portfolios = {
    ...store.portfolios,
    past: {
      ...past,
      limits: { snapshotEntriesMin: 2, snapshotsMax: 1_000 },
      recall: () => undefined,
      // Nobody else waits for them.
      keepSnapshots: (added: Parameters<typeof past.keepSnapshots>[0]) => {
        kept = past.keepSnapshots(added)
        return kept
      },
      findSnapshot: async (...asked: Parameters<typeof past.findSnapshot>) => {
        const snapshot = await past.findSnapshot(...asked)
        found.push(snapshot?.entryCount ?? 0)
        return snapshot
      },
    },
  }
  return { store: { ...store, portfolios }, found, kept: () => kept }
}

async function quantityAt(
  store: TestStore,
  userId: string,
  seconds: number,
  recordedUntil?: Instant,
): Promise<string> {
  const present = await store.portfolios.read(userId, callContext())
  const when = { at: at(seconds), recordedUntil, reportingCurrency: undefined }
  const { state } = await stateAsOf(store, present!.state, when)
  return Object.values(quantitiesOf(state)).join()
}

describe('snapshots and actions', () => {
  it('are used where they know the same actions, and not where one reaches into them', async () => {
    const [userId, symbol, other] = [newName(), newName(), newName()]
    const { store, found, kept } = openReader()
    for (let second = 0; second < 10; second += 1) {
      await write(store, userId, [draft('BUY', symbol, 1, { price: 1, at: at(second * 10) })])
    }
    const before = store.clock.now()
    const read = async (...asked: [number, Instant?]) => {
      const quantity = await quantityAt(store, userId, ...asked)
      await kept()
      return [quantity, found.at(-1)]
    }
    expect((await read(95))[0]).toBe('10')
    expect(await read(95)).toEqual(['10', 10])
    await act(store, other, at(45), split(3, 1))
    expect(await read(95)).toEqual(['10', 10])
    const actionId = await act(store, symbol, at(45), split(2, 1))
    // What is of before the action serves, what is of after it does not.
    expect(await read(95)).toEqual(['15', 4])
    expect((await read(95, before))[0]).toBe('10')
    expect((await read(95))[0]).toBe('15')
    await act(store, symbol, at(94), dividend('1'))
    expect((await read(95))[0]).toBe('15')
    const request = { caller: '', requestId: '', contentHash: new Uint8Array(32) }
    await store.postgres.actionStore.reverse(actionId, '', request, store.clock.now())
    await learnActions(store)
    expect((await read(95))[0]).toBe('10')
    expect((await read(43))[0]).toBe('5')
  })
})
