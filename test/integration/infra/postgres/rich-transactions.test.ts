import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { PortfolioError } from '../../../../src/domain/errors.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import { changeSettings, record, reverse } from '../../../support/rich-store.ts'
import { callContext, draft, useDatabase, write } from '../../../support/store.ts'
import { ALL_METHODS, datedAt } from '../../../unit/domain/portfolio/histories.ts'
import { rich } from '../../../unit/domain/portfolio/rich-drafts.ts'
import { richMovements } from '../../../unit/domain/portfolio/rich-histories.ts'
import { plain } from '../../../unit/domain/portfolio/stored-rows.ts'
import { expectConsistent } from './consistency.ts'

const database = useDatabase()

const bought = (seconds: number) => rich('BUY', seconds, { quantity: '1', price: '10' })

describe('reversals', () => {
  test('are entries of their own: the old row is not touched', async () => {
    const store = database.openStore()
    await record(store, 'reversing', [bought(1), bought(2)])
    const rows = () =>
      database.raw.query(`select * from ledger where user_id = 'reversing' order by sequence`)
    const before = (await rows()).rows
    const { written, answer } = await reverse(store, 'reversing', { sequence: 1 })
    expect(written).toMatchObject([{ sequence: 3, terms: { reverses: { sequence: 1 } } }])
    expect(answer.outcomes).toMatchObject([{ sequence: 3, disposition: 'APPLIED' }])
    expect((await rows()).rows.slice(0, 2)).toEqual(before)
    await expectConsistent(store, database.raw, 'reversing')
  })

  test('of all that is held leave an empty row, for whoever reads it next', async () => {
    const store = database.openStore()
    await record(store, 'emptied', [bought(1)])
    await reverse(store, 'emptied', { sequence: 1 })
    await expectConsistent(store, database.raw, 'emptied')
    const elsewhere = database.openStore()
    const read = await elsewhere.portfolios.read('emptied', callContext())
    expect(read?.state.books.get('ACME')?.get('')?.quantity.isZero()).toBe(true)
    await expect(
      record(elsewhere, 'emptied', [rich('SELL', 3, { quantity: '1' })]),
    ).rejects.toThrow('0 held')
    await record(elsewhere, 'emptied', [bought(1)])
    await expectConsistent(store, database.raw, 'emptied')
  })

  test('at once of one transaction: one succeeds, the others are told', async () => {
    const stores = [database.openStore(), database.openStore()]
    await record(stores[0]!, 'contested', [bought(1), bought(2)])
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        reverse(stores[index % 2]!, 'contested', { sequence: 1 }),
      ),
    )
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(9)
    for (const { reason } of refused) expect(reason).toMatchObject({ reason: 'ALREADY_REVERSED' })
    await expectConsistent(stores[0]!, database.raw, 'contested')
  })

  test('cannot be stored twice, whoever writes them', async () => {
    const store = database.openStore()
    await record(store, 'unique', [bought(1)])
    await reverse(store, 'unique', { sequence: 1 })
    await expect(
      database.raw.query(
        `insert into ledger select user_id, 9, 9, effective_at, recorded_at, instrument_id, account_id,
           type, quantity, price, request_id, hash, terms, reverses_sequence
         from ledger where user_id = 'unique' and sequence = 2`,
      ),
    ).rejects.toMatchObject({ code: '23505', constraint: 'ledger_reversal' })
  })

  test('in a dry run write nothing', async () => {
    const store = database.openStore()
    await record(store, 'trying', [bought(1)])
    const { written, answer } = await reverse(
      store,
      'trying',
      { sequence: 1, replacement: bought(2) },
      { validateOnly: true },
    )
    expect(written).toEqual([])
    expect(answer.outcomes).toMatchObject([
      { sequence: 0, disposition: 'VALIDATED' },
      { sequence: 0, disposition: 'VALIDATED' },
    ])
    expect(await expectConsistent(store, database.raw, 'trying')).toHaveLength(1)
  })

  test('under a key are answered again, with what they wrote', async () => {
    const store = database.openStore()
    await record(store, 'keyed', [bought(1)])
    const facts = { sequence: 1, replacement: bought(2) }
    const first = await reverse(store, 'keyed', facts, { key: 'k' })
    const again = await reverse(store, 'keyed', facts, { key: 'k' })
    expect(again).toEqual({ ...first, replayed: true })
    expect(await expectConsistent(store, database.raw, 'keyed')).toHaveLength(3)
  })
})

describe('other settings', () => {
  test('fold all that is recorded anew, with lots that no cache holds', async () => {
    // Room for one user alone: the other's state goes with every write.
    const store = database.openStore({ stateCacheUsersMax: 1 })
    for (const user of ['refolded', 'rival', 'refolded']) {
      await record(store, user, [
        rich('BUY', 1, { quantity: '10', price: '100', fee: '1' }),
        rich('BUY', 2, { quantity: '10', price: '130' }),
        rich('SELL', 3, { quantity: '4', price: '150', fee: '1' }),
        rich('BUY', 1, { quantity: '5', price: '7', instrumentId: 'OTHER', accountId: 'A' }),
        rich('RETURN_OF_CAPITAL', 4, { amount: '3' }),
      ])
    }
    await write(store, 'rival', [draft('BUY', 'X')])
    await changeSettings(store, 'refolded', { lotMethod: 'HIFO' })
    expect(await expectConsistent(store, database.raw, 'refolded', [3])).toHaveLength(10)
    await write(store, 'rival', [draft('BUY', 'X')])
    await changeSettings(store, 'refolded', { lotMethod: 'AVERAGE_COST' })
    await expectConsistent(store, database.raw, 'refolded', [3, 4])
    await record(store, 'refolded', [rich('SELL', 5, { quantity: '20', price: '1' })])
    await expectConsistent(store, database.raw, 'refolded', [3, 4])
  })

  test('create the portfolio, empty', async () => {
    const store = database.openStore()
    await changeSettings(store, 'created', { baseCurrency: 'EUR', timeZone: 'Asia/Tokyo' })
    const read = await database.openStore().portfolios.read('created', callContext())
    expect(read?.state).toMatchObject({
      version: 1,
      lastSequence: 0,
      settings: { baseCurrency: 'EUR', timeZone: 'Asia/Tokyo' },
    })
  })

  test('that the recorded sales do not allow are refused, and change nothing', async () => {
    const store = database.openStore()
    await changeSettings(store, 'stuck', { allowShort: true })
    await record(store, 'stuck', [rich('SHORT_SELL', 1, { quantity: '1', price: '2', fee: '5' })])
    await expect(changeSettings(store, 'stuck', {})).rejects.toMatchObject({
      reason: 'INSUFFICIENT_QUANTITY',
    })
    expect(await expectConsistent(store, database.raw, 'stuck', [1])).toHaveLength(1)
  })

  test('at the same time as writes make one history', async () => {
    const stores = [database.openStore(), database.openStore({ stateCacheUsersMax: 1 })]
    await record(stores[0]!, 'busy', [
      rich('BUY', 1, { quantity: '50', price: '1' }),
      rich('BUY', 2, { quantity: '50', price: '2' }),
    ])
    const work = ALL_METHODS.filter((method) => method !== 'SPECIFIC_ID').flatMap(
      (lotMethod, index) => [
        changeSettings(stores[index % 2]!, 'busy', { lotMethod }),
        record(stores[(index + 1) % 2]!, 'busy', [
          rich('SELL', 10 + index, { quantity: '1', price: '3' }),
        ]),
        record(stores[index % 2]!, 'busy', [rich('BUY', 3, { quantity: '1', price: '9' })]),
      ],
    )
    await Promise.all(work)
    const { rows } = await database.raw.query<{ version: number }>(
      `select distinct version::int from ledger where user_id = 'busy'`,
    )
    const written = new Set(rows.map(({ version }) => version))
    const changed = Array.from({ length: 16 }, (_, index) => index + 1).filter(
      (version) => !written.has(version),
    )
    expect(changed).toHaveLength(5)
    await expectConsistent(stores[0]!, database.raw, 'busy', changed)
  })
})

describe('cash', () => {
  test('is kept by currency, found again by another replica, and gone with its deposit', async () => {
    const store = database.openStore()
    await record(store, 'cash', [rich('BUY', 1, { quantity: '1', price: '10' })])
    await record(store, 'cash', [
      rich('DEPOSIT', 2, { amount: '100' }),
      rich('DEPOSIT', 2, { amount: '50', currency: 'EUR', exchangeRate: '1.25' }),
    ])
    await record(store, 'cash', [
      rich('BUY', 3, {
        quantity: '1',
        price: '20',
        fee: '1',
        currency: 'EUR',
        exchangeRate: '1.3',
      }),
    ])
    await expectConsistent(store, database.raw, 'cash')
    const read = await database.openStore().portfolios.read('cash', callContext())
    expect(plain(read?.state.cash.balances)).toEqual([
      ['', '100'],
      ['EUR', '29'],
    ])
    await reverse(store, 'cash', { sequence: 3 })
    await expectConsistent(store, database.raw, 'cash')
    await reverse(store, 'cash', { sequence: 2 })
    await expectConsistent(store, database.raw, 'cash')
    const { rows } = await database.raw.query(`select * from cash where user_id = 'cash'`)
    expect(rows).toEqual([])
  })

  test('is counted anew for a deposit before all that is recorded', async () => {
    const store = database.openStore({ stateCacheUsersMax: 1 })
    await record(store, 'backdated', [rich('BUY', 5, { quantity: '1', price: '10' })])
    await record(store, 'else', [bought(1)])
    await record(store, 'backdated', [rich('DEPOSIT', 1, { amount: '100' })])
    await expectConsistent(store, database.raw, 'backdated')
    const { rows } = await database.raw.query(
      `select amount::text from cash where user_id = 'backdated'`,
    )
    expect(rows).toEqual([{ amount: '90' }])
  })
})

function onlyRefused(error: unknown): undefined {
  if (!(error instanceof PortfolioError)) throw error
}

describe('whatever is recorded', () => {
  test('comes back from the database as it went in', async () => {
    const store = database.openStore()
    const drafts = fc.sample(richMovements({ foreign: true }), { numRuns: 60, seed: 7 })
    const user = 'anything'
    await changeSettings(store, user, { allowShort: true, lotMethod: 'LIFO' })
    for (const [index, movement] of drafts.entries()) {
      await record(store, user, [datedAt(movement, index)]).catch(onlyRefused)
    }
    const entries = await expectConsistent(store, database.raw, user, [1])
    expect(entries.length).toBeGreaterThan(40)
    const elsewhere = await database.openStore().portfolios.read(user, callContext())
    const folded = foldLedger(user, entries, elsewhere!.state.settings)
    expect(plain(elsewhere!.state.cash)).toEqual(plain(folded.cash))
  })

  test('by two replicas with too small a cache, at random, is consistent', async () => {
    const stores = [
      database.openStore({ stateCacheUsersMax: 1 }),
      database.openStore({ stateCacheUsersMax: 1 }),
    ]
    const users = ['random 1', 'random 2']
    const drafts = fc.sample(richMovements(), { numRuns: 120, seed: 11 })
    await Promise.all(
      drafts.map(async (movement, index) => {
        const [store, user] = [stores[index % 2]!, users[(index >> 1) % 2]!]
        const written = datedAt(movement, index % 17)
        const outcome =
          index % 9 === 8
            ? reverse(store, user, { sequence: 1 + (index % 13) })
            : record(store, user, [written])
        await outcome.catch(onlyRefused)
      }),
    )
    for (const user of users) {
      const entries = await expectConsistent(stores[0]!, database.raw, user)
      expect(entries.length).toBeGreaterThan(20)
    }
  })
})
