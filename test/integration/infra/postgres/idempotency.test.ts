import { expect, test } from '@jest/globals'
import { decimal } from '../../../../src/domain/decimal.ts'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import { MICROSECONDS_PER_DAY } from '../../../../src/domain/time.ts'
import {
  draft,
  ledgerRows,
  NO_ROWS,
  rowCounts,
  type TestStore,
  useDatabase,
  write,
} from '../../../support/store.ts'

const database = useDatabase()

test('one key sent many times at once, to two replicas, has one effect and one answer', async () => {
  const stores = [database.openStore(), database.openStore()] as const
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      write(stores[index % 2]!, 'many', [draft('BUY', 'AAPL', 3)], { key: 'same' }),
    ),
  )
  expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
  const [first] = results
  for (const { answer } of results) expect(answer).toEqual(first!.answer)
  expect(await rowCounts(database.raw, 'many')).toEqual({
    ...NO_ROWS,
    portfolio: 1,
    ledger: 1,
    holding: 1,
    lot: 1,
    request_key: 1,
  })
})

test('a key means nothing to another user, another caller, or without its content', async () => {
  const store = database.openStore()
  const twice = { key: 'same', caller: 'one' }
  await write(store, 'scope-1', [draft('BUY', 'AAPL', 3)], twice)
  await expect(write(store, 'scope-2', [draft('BUY', 'AAPL', 3)], twice)).resolves.toMatchObject({
    replayed: false,
  })
  await expect(
    write(store, 'scope-1', [draft('BUY', 'AAPL', 3)], { ...twice, caller: 'other' }),
  ).resolves.toMatchObject({ replayed: false, answer: { version: 2 } })

  const before = await rowCounts(database.raw, 'scope-1')
  await expect(write(store, 'scope-1', [draft('BUY', 'AAPL', 4)], twice)).rejects.toMatchObject({
    reason: 'IDEMPOTENCY_KEY_REUSED',
  })
  expect(await rowCounts(database.raw, 'scope-1')).toEqual(before)
})

test('a failure is not stored: the same request can succeed later', async () => {
  const store = database.openStore()
  const sell = () => write(store, 'failing', [draft('SELL', 'AAPL', 2)], { key: 'sale' })
  await expect(sell()).rejects.toMatchObject({ reason: 'INSUFFICIENT_QUANTITY' })
  await write(store, 'failing', [draft('BUY', 'AAPL', 2)])
  await expect(sell()).resolves.toMatchObject({ replayed: false, answer: { version: 2 } })
  await expect(sell()).resolves.toMatchObject({ replayed: true, answer: { version: 2 } })
})

test('an answer is kept three days word for word, then recomputed, and forgotten after thirty', async () => {
  const store = database.openStore()
  const day = (days: number) =>
    store.postgres.expireKeys(store.clock.now() + days * MICROSECONDS_PER_DAY)
  const buy = () => write(store, 'keeping', [draft('BUY', 'AAPL', 3, { price: 90 })], { key: 'k' })
  await publish(store, quote('100.25', store.clock.now()))
  const first = await buy()
  expect(first.answer).toMatchObject({
    version: 1,
    summary: { totalValue: 300.75, totalProfitLoss: 30.75, assets: [{ quantity: 3 }] },
  })
  // Nothing that happens later may show in the recomputed answer.
  await write(store, 'keeping', [draft('SELL', 'AAPL', 1, { price: 120 })])
  await write(store, 'keeping', [draft('BUY', 'AAPL', 7, { price: 10, at: 1e15 })])
  await publish(store, quote('250', store.clock.now()))

  await day(2.99)
  expect(await storedAnswers('keeping')).toEqual([expect.any(String)])
  await expect(buy()).resolves.toEqual({ replayed: true, answer: first.answer })
  await day(3.01)
  expect(await storedAnswers('keeping')).toEqual([null])
  await expect(buy()).resolves.toEqual({ replayed: true, answer: first.answer })
  await expect(
    write(store, 'keeping', [draft('BUY', 'AAPL', 4)], { key: 'k' }),
  ).rejects.toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' })
  expect(await ledgerRows(database.raw, 'keeping')).toHaveLength(3)

  await day(29.99)
  await expect(buy()).resolves.toMatchObject({ replayed: true })
  await day(30.01)
  expect(await storedAnswers('keeping')).toEqual([])
  await expect(buy()).resolves.toMatchObject({ replayed: false, answer: { version: 4 } })
})

async function publish(store: TestStore, ...quotes: readonly Quote[]): Promise<void> {
  await store.quoteStore.append(quotes, store.clock.now())
  store.quotes.publish(quotes)
}

function quote(price: string, pricedAt: number): Quote {
  return {
    instrumentId: 'AAPL',
    price: decimal(price),
    currency: 'USD',
    pricedAt,
    source: 'test',
    kind: 'REALTIME',
    splitAdjusted: false,
  }
}

async function storedAnswers(userId: string): Promise<readonly (string | null)[]> {
  const { rows } = await database.raw.query<{ answer: string | null }>(
    'select answer from request_key where user_id = $1',
    [userId],
  )
  return rows.map(({ answer }) => answer)
}
