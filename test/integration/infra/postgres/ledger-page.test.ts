import { beforeAll, describe, expect, test } from '@jest/globals'
import type { LedgerOrder, LedgerPageQuery, ListedEntry } from '../../../../src/app/ports.ts'
import type { LedgerEntry } from '../../../../src/domain/portfolio/transaction.ts'
import { record, reverse, WHOLE_LEDGER } from '../../../support/rich-store.ts'
import { callContext, openStore, type TestStore, useDatabase } from '../../../support/store.ts'
import { rich } from '../../../unit/domain/portfolio/rich-drafts.ts'
import { at } from '../../../unit/domain/portfolio/scenario.ts'

const database = useDatabase()
const USER = 'listed'
const ORDERS: readonly LedgerOrder[] = ['EFFECTIVE_DESC', 'EFFECTIVE_ASC', 'RECORDED_ASC']

let store: TestStore
let all: readonly ListedEntry[]

/** Three instruments, three accounts, several types, equal times, ids, a key, a replaced and a cancelled one. */
beforeAll(async () => {
  store = openStore({ url: database.url })
  for (let index = 0; index < 12; index += 1) {
    const instrumentId = ['ACME', 'BETA', 'GAMMA'][index % 3]!
    const accountId = ['', 'A', 'B'][(index >> 1) % 3]!
    await record(
      store,
      USER,
      [
        rich('BUY', 7 - (index % 4), {
          instrumentId,
          accountId,
          quantity: '2',
          price: `${index + 1}`,
          externalId: `id-${index}`,
          source: index % 2 === 0 ? 'one' : 'two',
        }),
        rich('DIVIDEND', 20 + index, { instrumentId, accountId, amount: '1' }),
      ],
      index === 5 ? { key: 'the key' } : {},
    )
  }
  await record(store, 'someone else', [rich('BUY', 1, { quantity: '1', externalId: 'id-1' })])
  await reverse(store, USER, { sequence: 3 })
  const replacement = rich('BUY', 9, { quantity: '3', price: '1', accountId: 'A' })
  await reverse(store, USER, { sequence: 5, replacement })
  const entries = await store.portfolios.ledger(USER, {})
  const by = new Map(entries.map(({ sequence, terms }) => [terms?.reverses?.sequence, sequence]))
  all = entries
    .toSorted((left, right) => left.sequence - right.sequence)
    .map((entry) => ({ entry, reversedBy: by.get(entry.sequence) }))
  await store.postgres.close()
})

const COMPARE: Record<LedgerOrder, (left: LedgerEntry, right: LedgerEntry) => number> = {
  EFFECTIVE_ASC: (left, right) =>
    left.effectiveAt - right.effectiveAt || left.sequence - right.sequence,
  EFFECTIVE_DESC: (left, right) => COMPARE.EFFECTIVE_ASC(right, left),
  RECORDED_ASC: (left, right) => left.sequence - right.sequence,
}

/** What a listing without pages should show, chosen from everything in memory. */
function expected(query: LedgerPageQuery, includes: (entry: LedgerEntry) => boolean): number[] {
  return all
    .filter(({ entry, reversedBy }) => {
      const counts = query.includeReversed || (reversedBy === undefined && !entry.terms?.reverses)
      return counts && includes(entry)
    })
    .toSorted((left, right) => COMPARE[query.order](left.entry, right.entry))
    .map(({ entry }) => entry.sequence)
}

/** All pages of a listing, one by one. */
async function list(query: LedgerPageQuery): Promise<readonly ListedEntry[]> {
  const { portfolios } = database.openStore()
  const found: ListedEntry[] = []
  let page: readonly ListedEntry[]
  do {
    page = await portfolios.ledgerPage(USER, { ...query, after: found.at(-1)?.entry })
    expect(page.length).toBeLessThanOrEqual(query.size)
    found.push(...page)
  } while (page.length === query.size)
  return found
}

type Case = readonly [string, Partial<LedgerPageQuery>, (entry: LedgerEntry) => boolean]

const recordedAt = (sequence: number): number => all[sequence - 1]!.entry.recordedAt

const FILTERS: readonly Case[] = [
  ['nothing', {}, () => true],
  ['an instrument', { instrumentIds: ['BETA'] }, (entry) => entry.instrumentId === 'BETA'],
  [
    'several instruments',
    { instrumentIds: ['BETA', 'GAMMA', 'NONE'] },
    (entry) => entry.instrumentId !== 'ACME',
  ],
  ['a type', { types: ['DIVIDEND'] }, (entry) => entry.type === 'DIVIDEND'],
  ['the unnamed account', { accountIds: [''] }, (entry) => entry.accountId === ''],
  ['two accounts', { accountIds: ['A', 'B'] }, (entry) => entry.accountId !== ''],
  [
    'external ids',
    { externalIds: ['id-1', 'id-4', 'none'] },
    (entry) => ['id-1', 'id-4'].includes(entry.terms?.externalId ?? ''),
  ],
  ['what a key wrote', { idempotencyKey: 'the key' }, (entry) => entry.version === 6],
  ['a key that wrote nothing', { idempotencyKey: 'no key' }, () => false],
  [
    'a time, both ends included',
    { effectiveFrom: at(5), effectiveUntil: at(21) },
    (entry) => entry.effectiveAt >= at(5) && entry.effectiveAt <= at(21),
  ],
  [
    'all at once',
    { types: ['BUY'], instrumentIds: ['ACME'], accountIds: ['A'], effectiveFrom: at(6) },
    (entry) =>
      entry.type === 'BUY' &&
      entry.instrumentId === 'ACME' &&
      entry.accountId === 'A' &&
      entry.effectiveAt >= at(6),
  ],
]

describe.each(ORDERS)('%s', (order) => {
  test.each(FILTERS)('by %s', async (_, filter, includes) => {
    for (const includeReversed of [true, false]) {
      for (const size of [1, 3, 1_000]) {
        const query = { ...WHOLE_LEDGER, order, includeReversed, size, ...filter }
        const found = await list(query)
        expect(found.map(({ entry }) => entry.sequence)).toEqual(expected(query, includes))
      }
    }
  })
})

const bought = (seconds: number) => rich('BUY', seconds, { quantity: '1', price: `${seconds + 1}` })

describe('a listing', () => {
  test('shows entries whole, and what took them back', async () => {
    expect(await list(WHOLE_LEDGER)).toEqual(all)
    expect(all.filter(({ reversedBy }) => reversedBy !== undefined)).toHaveLength(2)
  })

  test('as known before a reversal shows the reversed entry as it was', async () => {
    const query = { ...WHOLE_LEDGER, recordedUntil: recordedAt(24), includeReversed: false }
    const found = await list(query)
    expect(found.map(({ entry }) => entry.sequence)).toEqual(
      Array.from({ length: 24 }, (_, index) => index + 1),
    )
    expect(found.every(({ reversedBy }) => reversedBy === undefined)).toBe(true)
    const [later] = await list({ ...query, recordedUntil: recordedAt(25), size: 3 })
    expect(later?.entry.sequence).toBe(1)
  })

  test('up to a sequence does not know of what came later, reversals included', async () => {
    const found = await list({ ...WHOLE_LEDGER, sequenceUntil: 25, includeReversed: false })
    expect(found.map(({ entry }) => entry.sequence)).toEqual(
      Array.from({ length: 24 }, (_, index) => index + 1).filter((sequence) => sequence !== 3),
    )
  })

  test.each(ORDERS)('%s does not shift while others write and take back', async (order) => {
    const writer = database.openStore()
    const user = `writing ${order}`
    await record(
      writer,
      user,
      Array.from({ length: 10 }, (_, index) => bought(index * 2)),
    )
    const { state } = (await writer.portfolios.read(user, callContext()))!
    const query = {
      ...WHOLE_LEDGER,
      order,
      size: 3,
      sequenceUntil: state.lastSequence,
      includeReversed: false,
    }
    const found: LedgerEntry[] = []
    for (let page = 0; page < 4; page += 1) {
      const entries = await writer.portfolios.ledgerPage(user, { ...query, after: found.at(-1) })
      found.push(...entries.map(({ entry }) => entry))
      // Before, among and after what is shown; and one that is still to be shown goes.
      await record(writer, user, [bought(page * 5 + 1), bought(100 + page)])
      await reverse(writer, user, { sequence: page + 4 })
    }
    const sequences = Array.from({ length: 10 }, (_, index) => index + 1)
    expect(found.map(({ sequence }) => sequence)).toEqual(
      order === 'EFFECTIVE_DESC' ? sequences.toReversed() : sequences,
    )
  })
})
