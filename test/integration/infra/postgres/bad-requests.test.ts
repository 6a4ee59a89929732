import { describe, expect, test } from '@jest/globals'
import type { Decision, LockedState } from '../../../../src/app/ports.ts'
import { decimal } from '../../../../src/domain/decimal.ts'
import type { PortfolioChange } from '../../../../src/domain/portfolio/portfolio-change.ts'
import {
  NO_HISTORIES,
  recordTransactions,
} from '../../../../src/domain/portfolio/record-transactions.ts'
import type { LedgerEntry } from '../../../../src/domain/portfolio/transaction.ts'
import {
  callContext,
  draft,
  ledgerRows,
  NO_ROWS,
  rowCounts,
  type TestStore,
  useDatabase,
  write,
} from '../../../support/store.ts'

const database = useDatabase()

/** Submits seven good requests and a bad one in the middle, in one turn, so that they share a batch. */
async function writeAround(
  store: TestStore,
  name: string,
  bad: () => Promise<unknown>,
): Promise<{ users: readonly string[]; badOutcome: PromiseSettledResult<unknown> }> {
  const users = Array.from({ length: 7 }, (_, index) => `${name}-${index}`)
  const good = users.map((user) => () => write(store, user, [draft('BUY', 'AAPL', 2)]))
  const outcomes = await Promise.allSettled(
    good.toSpliced(3, 0, bad as (typeof good)[number]).map((writeOne) => writeOne()),
  )
  const [badOutcome] = outcomes.splice(3, 1)
  expect(outcomes.map(({ status }) => status)).toEqual(users.map(() => 'fulfilled'))
  for (const user of users) {
    expect(await ledgerRows(database.raw, user)).toHaveLength(1)
    await expect(write(store, user, [draft('SELL', 'AAPL', 2)])).resolves.toMatchObject({
      answer: { version: 2 },
    })
  }
  return { users, badOutcome: badOutcome! }
}

function submit(
  store: TestStore,
  userId: string,
  decide: (locked: LockedState) => Decision<unknown>,
): Promise<unknown> {
  const call = callContext()
  return store.portfolios.change({
    userId,
    instrumentIds: ['AAPL'],
    entryCount: 1,
    key: undefined,
    externalIds: [],
    call,
    decide,
  })
}

test('a decision that throws fails alone, in the transaction that commits the others', async () => {
  const store = database.openStore()
  const thrown = new Error('a bug')
  const { badOutcome } = await writeAround(store, 'throwing', () =>
    submit(store, 'thrower', () => {
      throw thrown
    }),
  )
  expect(badOutcome).toEqual({ status: 'rejected', reason: thrown })
  expect(store.committed[0]).toBe(8)
  expect(store.failed).toEqual([])
  expect(await rowCounts(database.raw, 'thrower')).toEqual(NO_ROWS)
})

const POISONS: {
  name: string
  error: object
  poison: (change: PortfolioChange) => PortfolioChange
}[] = [
  {
    name: 'a quantity that is no number',
    error: { code: '23514' },
    poison: withEntry({ quantity: decimal(NaN) }),
  },
  { name: 'a negative price', error: { code: '23514' }, poison: withEntry({ price: decimal(-1) }) },
  {
    name: 'text that PostgreSQL cannot hold',
    error: { code: '22021' },
    poison: withEntry({ requestId: 'a\0b' }),
  },
  {
    name: 'an amount beyond all bounds',
    error: { code: '22003' },
    poison: withEntry({ price: decimal('1e200000') }),
  },
  {
    name: 'one sequence twice',
    error: { code: '23505' },
    poison: (change) => ({ ...change, entries: [...change.entries, ...change.entries] }),
  },
  {
    name: 'a version that the portfolio does not have',
    error: { message: 'a locked portfolio changed its version' },
    poison: (change) => ({ ...change, before: { ...change.before, version: 7 } }),
  },
]

function withEntry(wrong: Partial<LedgerEntry>): (change: PortfolioChange) => PortfolioChange {
  return (change) => ({
    ...change,
    entries: change.entries.map(({ entry, hash }) => ({ entry: { ...entry, ...wrong }, hash })),
  })
}

test.each(POISONS)('$name is told apart from its batch', async ({ name, error, poison }) => {
  const store = database.openStore()
  const { badOutcome } = await writeAround(store, name, () =>
    submit(store, `poisoned by ${name}`, ({ state }) => {
      const recording = recordTransactions(state, [draft('BUY', 'AAPL', 1)], {
        now: store.clock.now(),
        requestId: 'poisoned',
        histories: NO_HISTORIES,
      })
      if (recording.kind !== 'recorded') throw new Error('a purchase was not recorded')
      return { kind: 'accept', change: poison(recording.change), answer: {} }
    }),
  )
  expect(badOutcome).toMatchObject({ status: 'rejected', reason: error })
  // Eight together, then the half, the quarter and the one with the poison in it.
  expect(store.failed).toEqual(['poison', 'poison', 'poison', 'poison'])
  expect(store.committed.slice(0, 3).toSorted((left, right) => left - right)).toEqual([1, 2, 4])
  expect(await rowCounts(database.raw, `poisoned by ${name}`)).toEqual(NO_ROWS)
})

describe('what is refused leaves nothing behind', () => {
  const OVERSOLD = { reason: 'INSUFFICIENT_QUANTITY' }

  test('when it is alone', async () => {
    const store = database.openStore()
    await expect(
      write(store, 'alone', [draft('SELL', 'AAPL')], { key: 'k' }),
    ).rejects.toMatchObject(OVERSOLD)
    expect(await rowCounts(database.raw, 'alone')).toEqual(NO_ROWS)
    expect(await store.portfolios.read('alone', callContext())).toBeUndefined()
  })

  test('when others of its batch commit', async () => {
    const store = database.openStore()
    const { badOutcome } = await writeAround(store, 'selling', () =>
      write(store, 'seller', [draft('SELL', 'AAPL')], { key: 'k' }),
    )
    expect(badOutcome).toMatchObject({ reason: OVERSOLD })
    expect(store.committed[0]).toBe(8)
    expect(await rowCounts(database.raw, 'seller')).toEqual(NO_ROWS)
  })

  test('when one transaction of several is refused, of a user who has some', async () => {
    const store = database.openStore()
    await write(store, 'partial', [draft('BUY', 'AAPL', 5)])
    const before = await rowCounts(database.raw, 'partial')
    await expect(
      write(store, 'partial', [draft('BUY', 'MSFT'), draft('SELL', 'AAPL', 6)]),
    ).rejects.toMatchObject(OVERSOLD)
    expect(await rowCounts(database.raw, 'partial')).toEqual(before)
    await expect(write(store, 'partial', [draft('SELL', 'AAPL', 5)])).resolves.toMatchObject({
      answer: { version: 2 },
    })
  })

  test('and a dry run neither, alone or not', async () => {
    const store = database.openStore()
    const dryRun = () =>
      write(store, 'dry', [draft('BUY', 'AAPL', 3)], { validateOnly: true, key: 'k' })
    const answer = { answer: { version: 0, summary: { assets: [{ quantity: 3 }] } } }
    await expect(dryRun()).resolves.toMatchObject(answer)
    const { badOutcome } = await writeAround(store, 'running', dryRun)
    expect(badOutcome).toMatchObject({ value: answer })
    expect(await rowCounts(database.raw, 'dry')).toEqual(NO_ROWS)
  })
})
