import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { stateAsOf } from '../../../../src/app/portfolio/past-state.ts'
import { recordTransactions } from '../../../../src/app/portfolio/record-transactions.ts'
import { reverseTransaction } from '../../../../src/app/portfolio/reverse-transaction.ts'
import { updatePortfolioSettings } from '../../../../src/app/portfolio/update-portfolio-settings.ts'
import type { PortfolioStore } from '../../../../src/app/ports.ts'
import { decimal, ZERO } from '../../../../src/domain/decimal.ts'
import { PortfolioError } from '../../../../src/domain/errors.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import type { PortfolioState } from '../../../../src/domain/portfolio/state.ts'
import { NO_TERMS, type TransactionDraft } from '../../../../src/domain/portfolio/transaction.ts'
import { callContext, type TestStore, useDatabase } from '../../../support/store.ts'

const SECOND = 1_000_000
const START = 1_700_000_000 * SECOND
/** Few, so that many entries are of one moment. */
const MOMENTS = 8

const database = useDatabase()

let users = 0
let nowSecond = 0

/** Every write is recorded one second after the one before. */
const clock = {
  now: () => START + (nowSecond += 1) * SECOND,
  monotonicMs: () => performance.now(),
}

interface Reader {
  readonly store: TestStore
  readonly found: { count: number }
}

/** A store that takes snapshots of a few entries already, waits for them, and folds anew for each read. */
function openReader(entriesMin = 2): Reader {
  const store = database.openStore({ clock })
  const found = { count: 0 }
  const { past } = store.portfolios
  const portfolios: PortfolioStore = {
    ...store.portfolios,
    past: {
      ...past,
      limits: { snapshotEntriesMin: entriesMin, snapshotsMax: 1_000 },
      recall: () => undefined,
      findSnapshot: async (userId, query) => {
        const snapshot = await past.findSnapshot(userId, query)
        if (snapshot !== undefined) found.count += 1
        return snapshot
      },
    },
  }
  return { store: { ...store, portfolios }, found }
}

type Step =
  | { readonly kind: 'record'; readonly drafts: readonly TransactionDraft[] }
  | { readonly kind: 'reverse'; readonly place: number }
  | { readonly kind: 'method'; readonly method: 'FIFO' | 'LIFO' | 'AVERAGE_COST' }
  | { readonly kind: 'read'; readonly moment: number; readonly known: number | undefined }

const moment = fc.integer({ min: 0, max: MOMENTS - 1 })

const units = fc
  .record({
    type: fc.constantFrom('BUY', 'BUY', 'BUY', 'SELL', 'TRANSFER_IN', 'TRANSFER_OUT'),
    instrumentId: fc.constantFrom('A', 'B'),
    accountId: fc.constantFrom('', 'x', 'y'),
    quantity: fc.integer({ min: 1, max: 9 }).map(decimal),
    price: fc.integer({ min: 1, max: 7 }).map(decimal),
    moment,
  })
  .map(({ type, instrumentId, accountId, quantity, price, moment: at }): TransactionDraft => ({
    type: type as TransactionDraft['type'],
    instrumentId,
    accountId,
    quantity,
    price: type === 'TRANSFER_OUT' ? ZERO : price,
    effectiveAt: START + at * SECOND,
    terms: NO_TERMS,
  }))

const money = fc
  .record({
    type: fc.constantFrom('DEPOSIT', 'WITHDRAWAL', 'DIVIDEND', 'FEE', 'RETURN_OF_CAPITAL'),
    amount: fc.integer({ min: 1, max: 9 }).map(decimal),
    moment,
  })
  .map(({ type, amount, moment: at }): TransactionDraft => ({
    type: type as TransactionDraft['type'],
    instrumentId: type === 'DEPOSIT' || type === 'WITHDRAWAL' ? '' : 'A',
    accountId: '',
    quantity: ZERO,
    price: ZERO,
    effectiveAt: START + at * SECOND,
    terms: { ...NO_TERMS, amount },
  }))

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      drafts: fc.array(fc.oneof({ weight: 3, arbitrary: units }, money), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reverse' as const), place: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('method' as const),
      method: fc.constantFrom('FIFO', 'LIFO', 'AVERAGE_COST'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      moment,
      known: fc.option(fc.nat(), { nil: undefined }),
    }),
  },
)

/** What a refusal leaves is what was there before. */
async function unlessRefused(write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!(error instanceof PortfolioError)) throw error
  }
}

const COMMAND = { key: undefined, ifMatch: undefined, validateOnly: false } as const

async function run({ store }: Reader, userId: string, next: Step): Promise<void> {
  const present = (await store.portfolios.read(userId, callContext()))?.state
  const count = present?.lastSequence ?? 0
  switch (next.kind) {
    case 'record':
      return unlessRefused(() =>
        recordTransactions(
          store,
          { ...COMMAND, userId, drafts: next.drafts, skipRecorded: false },
          callContext(),
        ),
      )
    case 'reverse': {
      if (count === 0) return
      const sequence = 1 + (next.place % count)
      const command = { ...COMMAND, userId, sequence, reason: '', replacement: undefined }
      return unlessRefused(() => reverseTransaction(store, command, callContext()))
    }
    case 'method':
      if (present === undefined) return
      return unlessRefused(() =>
        updatePortfolioSettings(
          store,
          {
            userId,
            settings: { ...present.settings, lotMethod: next.method },
            key: undefined,
            ifMatch: undefined,
          },
          callContext(),
        ),
      )
    case 'read':
      if (present !== undefined) await expectSameAsFold(store, present, next)
  }
}

async function expectSameAsFold(
  store: TestStore,
  present: PortfolioState,
  { moment: at, known }: { readonly moment: number; readonly known: number | undefined },
): Promise<void> {
  const { userId, settings } = present
  const ledger = await store.portfolios.ledger(userId, {})
  const recorded = [...new Set(ledger.map(({ recordedAt }) => recordedAt))]
  const recordedUntil =
    known === undefined ? undefined : recorded.toSorted((a, b) => a - b)[known % recorded.length]
  const when = { at: START + at * SECOND, recordedUntil, reportingCurrency: undefined }
  const { state } = await stateAsOf(store, present, when)
  const wanted = ledger.filter(
    ({ effectiveAt, recordedAt }) =>
      effectiveAt <= when.at && recordedAt <= (recordedUntil ?? Infinity),
  )
  const folded = foldLedger(userId, wanted, { ...settings, allowShort: true })
  const { chainHead } = state
  expect(state).toEqual({ ...folded, books: asLoaded(folded, state), settings, chainHead })
}

/** The books without the lots that the other state has not loaded. */
function asLoaded(folded: PortfolioState, { books }: PortfolioState): PortfolioState['books'] {
  return new Map(
    [...folded.books].map(([instrumentId, book]) => [
      instrumentId,
      new Map(
        [...book].map(([accountId, holding]) => {
          const other = books.get(instrumentId)?.get(accountId)
          const lots = other !== undefined && other.lots === undefined ? undefined : holding.lots
          return [accountId, Object.assign({}, holding, { lots })]
        }),
      ),
    ]),
  )
}

test('whatever was written in between, a past read answers what a fold of the whole ledger does', async () => {
  const reader = openReader()
  const kept: Promise<void>[] = []
  const { past } = reader.store.portfolios
  const waiting: Reader = {
    ...reader,
    store: {
      ...reader.store,
      portfolios: {
        ...reader.store.portfolios,
        past: {
          ...past,
          keepSnapshots: (snapshots) => {
            const written = past.keepSnapshots(snapshots)
            kept.push(written)
            return written
          },
        },
      },
    },
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 25, maxLength: 40 }), async (steps) => {
      const userId = `random-${(users += 1)}`
      for (const next of steps) {
        await run(waiting, userId, next)
        await Promise.all(kept.splice(0))
      }
    }),
    { numRuns: 40, endOnFailure: true },
  )
  // Else nothing was tried.
  expect(reader.found.count).toBeGreaterThan(100)
}, 120_000)

function read(at: number, known?: number): Step {
  return { kind: 'read', moment: at, known }
}

function bought(...moments: readonly number[]): Step {
  const drafts = moments.map((at): TransactionDraft => ({
    type: 'BUY',
    instrumentId: 'A',
    accountId: '',
    quantity: decimal(1),
    price: decimal(at + 1),
    effectiveAt: START + at * SECOND,
  }))
  return { kind: 'record', drafts }
}

test('what a read of what was known once leaves behind does not stand for what is known now', async () => {
  const reader = openReader()
  const { past } = reader.store.portfolios
  let kept = Promise.resolve()
  const store: TestStore = {
    ...reader.store,
    portfolios: {
      ...reader.store.portfolios,
      past: { ...past, keepSnapshots: (snapshots) => (kept = past.keepSnapshots(snapshots)) },
    },
  }
  // The third write reaches between what the second one knew and the snapshot that the first read leaves.
  for (const next of [
    bought(0, 1),
    bought(3, 4),
    bought(2),
    read(1),
    read(4, 1),
    read(5),
    read(4, 1),
  ]) {
    await run({ ...reader, store }, 'known-once', next)
    await kept
  }
  expect(reader.found.count).toBe(3)
})
