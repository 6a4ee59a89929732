import { expect, test } from '@jest/globals'
import { PortfolioError } from '../../../../src/domain/errors.ts'
import type { TransactionDraft } from '../../../../src/domain/portfolio/transaction.ts'
import { callContext, draft, type TestStore, useDatabase, write } from '../../../support/store.ts'
import { expectConsistent } from './consistency.ts'

const CLIENTS = 16
const REQUESTS_PER_CLIENT = 40
const USERS = 50
const FIRST_AT = 1_600_000_000_000_000
const DAY = 86_400_000_000

const database = useDatabase()

test('clients of two replicas that write at once leave only what a ledger can explain', async () => {
  const stores = [database.openStore(), database.openStore()] as const
  const accepted = new Map<string, number>()
  const refused = { count: 0 }
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, client) =>
      runClient(stores[client % 2]!, client + 1, { accepted, refused }),
    ),
  )
  expect(refused.count).toBeGreaterThan(20)
  expect(accepted.size).toBeGreaterThan(300)
  // Clients did share transactions, or nothing above was put to the test.
  expect(Math.max(...stores.flatMap(({ committed }) => committed))).toBeGreaterThan(3)
  expect(stores.flatMap(({ failed }) => failed)).toEqual([])

  const written = new Map<string, number>()
  const superseded = await database.raw.query('select from lot_match where to_version is not null')
  expect(superseded.rowCount).toBeGreaterThan(10)
  for (let user = 0; user < USERS; user += 1) {
    const entries = await expectConsistent(stores[0], database.raw, `user-${user}`)
    for (const { requestId } of entries) written.set(requestId, (written.get(requestId) ?? 0) + 1)
    const requests = new Set(entries.map(({ requestId }) => requestId)).size
    const read = await stores[1].portfolios.read(`user-${user}`, callContext())
    expect(read?.state.version).toBe(requests)
  }
  expect(written).toEqual(accepted)
})

test('matches of the very moment a late transaction is dated are known anew from then on', async () => {
  const store = database.openStore()
  const at = FIRST_AT
  await write(store, 'moment', [draft('BUY', 'A', 9, { at }), draft('SELL', 'A', 4, { at })])
  await write(store, 'moment', [draft('SELL', 'A', 1, { at: at + DAY })])
  await write(store, 'moment', [draft('BUY', 'A', 1, { at })])
  await write(store, 'moment', [draft('BUY', 'A', 1, { price: 2, at: at - DAY })])
  expect(await expectConsistent(store, database.raw, 'moment')).toHaveLength(5)
  const { rows } = await database.raw.query<{ ended: string | null }>(
    `select to_version as ended from lot_match where user_id = 'moment' order by 1, from_version`,
  )
  expect(rows.map(({ ended }) => ended)).toEqual(['3', '3', '4', '4', null, null, null])
})

/** Notes how many rows each acknowledged request must have left. */
async function runClient(
  store: TestStore,
  seed: number,
  noted: { readonly accepted: Map<string, number>; readonly refused: { count: number } },
): Promise<void> {
  const random = generator(seed)
  for (let request = 0; request < REQUESTS_PER_CLIENT; request += 1) {
    const requestId = `${seed}-${request}`
    const drafts = Array.from({ length: 1 + random(3) }, () => randomDraft(random))
    try {
      await write(store, `user-${random(USERS)}`, drafts, { requestId })
      noted.accepted.set(requestId, drafts.length)
    } catch (error) {
      if (!(error instanceof PortfolioError) || error.reason !== 'INSUFFICIENT_QUANTITY') {
        throw error
      }
      noted.refused.count += 1
    }
  }
}

function randomDraft(random: (below: number) => number): TransactionDraft {
  const types = ['BUY', 'BUY', 'BUY', 'TRANSFER_IN', 'SELL', 'SELL', 'TRANSFER_OUT'] as const
  const type = types[random(types.length)]!
  return draft(type, `S${random(3)}`, `${1 + random(9)}.${random(10)}`, {
    price: type === 'TRANSFER_OUT' || (type === 'TRANSFER_IN' && random(2) === 0) ? 0 : '3.07',
    account: random(2) === 0 ? '' : 'depot',
    ...(random(4) === 0 ? {} : { at: FIRST_AT + random(20) * DAY }),
  })
}

/** Numbers that only look random: a failure repeats. */
function generator(seed: number): (below: number) => number {
  let state = seed * 7_919
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
