import { expect, test } from '@jest/globals'
import { record, reverse } from '../../../support/rich-store.ts'
import { useDatabase } from '../../../support/store.ts'
import { rich } from '../../../unit/domain/portfolio/rich-drafts.ts'
import { expectConsistent } from './consistency.ts'

const database = useDatabase()

const bought = (seconds: number, externalId = '', source = 'broker') =>
  rich('BUY', seconds, { quantity: '1', price: '10', externalId, source })

async function externalIds(userId: string): Promise<unknown> {
  const { rows } = await database.raw.query(
    `select source, external_id as id, sequence::int from external_id where user_id = $1
     order by 1, 2`,
    [userId],
  )
  return rows
}

test('ids are recorded once: the same content is answered again, and nothing is written', async () => {
  const store = database.openStore()
  const first = await record(store, 'replaying', [bought(1, 'a'), bought(2, 'b')])
  const again = await record(store, 'replaying', [bought(2, 'b'), bought(1, 'a')])
  expect(again.answer.outcomes).toMatchObject([
    { sequence: 2, disposition: 'REPLAYED' },
    { sequence: 1, disposition: 'REPLAYED' },
  ])
  expect(again.answer.etag).toBe(first.answer.etag)
  expect(await expectConsistent(store, database.raw, 'replaying')).toHaveLength(2)
})

test('ids that are new are recorded beside those that are not, in place', async () => {
  const store = database.openStore()
  await record(store, 'mixed', [bought(1, 'a')])
  const { answer } = await record(store, 'mixed', [
    bought(2, 'b'),
    bought(1, 'a'),
    rich('TRANSFER_IN', 0, { quantity: '1', externalId: 'c', source: 'broker' }),
  ])
  expect(answer.outcomes).toMatchObject([
    { sequence: 2, disposition: 'APPLIED', warnings: ['UNKNOWN_INSTRUMENT'] },
    { sequence: 1, disposition: 'REPLAYED', warnings: [] },
    {
      sequence: 3,
      disposition: 'APPLIED',
      warnings: ['BACKDATED', 'BASIS_UNKNOWN', 'UNKNOWN_INSTRUMENT'],
    },
  ])
  await expectConsistent(store, database.raw, 'mixed')
})

test('ids whose transaction is refused beside a known one are blamed at their own place', async () => {
  const store = database.openStore()
  await record(store, 'blamed', [bought(1, 'a')])
  const sale = rich('SELL', 2, { quantity: '9', price: '1', externalId: 's', source: 'broker' })
  await expect(record(store, 'blamed', [bought(1, 'a'), sale])).rejects.toMatchObject({
    reason: 'INSUFFICIENT_QUANTITY',
    metadata: { index: '1' },
  })
  expect(await externalIds('blamed')).toEqual([{ source: 'broker', id: 'a', sequence: 1 }])
})

test('ids used for other content are refused, all of them named', async () => {
  const store = database.openStore()
  await record(store, 'reused', [bought(1, 'a'), bought(2, 'b')])
  await expect(
    record(store, 'reused', [bought(9, 'a'), bought(1, 'new'), bought(9, 'b')]),
  ).rejects.toMatchObject({
    reason: 'EXTERNAL_ID_REUSED',
    violations: [
      { field: 'transactions[0].external_id' },
      { field: 'transactions[2].external_id' },
    ],
  })
  expect(await expectConsistent(store, database.raw, 'reused')).toHaveLength(2)
})

test('ids twice in one request are refused, whatever they say', async () => {
  const store = database.openStore()
  await expect(record(store, 'twice', [bought(1, 'a'), bought(1, 'a')])).rejects.toMatchObject({
    reason: 'EXTERNAL_ID_REUSED',
  })
})

test('ids are of a source and of a user', async () => {
  const store = database.openStore()
  await record(store, 'sources', [bought(1, 'a'), bought(1, 'a', 'other'), bought(1, 'a', '')])
  await record(store, 'sources 2', [bought(2, 'a')])
  expect(await externalIds('sources')).toHaveLength(3)
  expect(await externalIds('sources 2')).toHaveLength(1)
})

test('ids of transactions without a time are told by what was said', async () => {
  const store = database.openStore()
  const { effectiveAt: _, ...untimed } = bought(1, 'now')
  const now = { ...untimed, effectiveAt: undefined }
  await record(store, 'untimed', [now])
  const { answer } = await record(store, 'untimed', [now])
  expect(answer.outcomes).toMatchObject([{ disposition: 'REPLAYED' }])
})

test('ids that are skipped keep what is recorded, the others apply', async () => {
  const store = database.openStore()
  await record(store, 'skipping', [bought(1, 'a')])
  const { answer } = await record(store, 'skipping', [bought(7, 'a'), bought(8, 'b')], {
    skipRecorded: true,
  })
  expect(answer.outcomes).toMatchObject([
    { sequence: 1, disposition: 'REPLAYED' },
    { sequence: 2, disposition: 'APPLIED' },
  ])
  const entries = await expectConsistent(store, database.raw, 'skipping')
  expect(entries.map(({ effectiveAt }) => effectiveAt)).toEqual([
    bought(1).effectiveAt,
    bought(8).effectiveAt,
  ])
})

test('ids are recorded once by 20 requests at once', async () => {
  const stores = [database.openStore(), database.openStore()]
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      record(stores[index % 2]!, 'racing', [bought(1, 'a')]),
    ),
  )
  const applied = results.filter(({ answer }) => answer.outcomes[0]!.disposition === 'APPLIED')
  expect(applied).toHaveLength(1)
  expect(await expectConsistent(stores[0]!, database.raw, 'racing')).toHaveLength(1)
})

test('ids pass to what replaces their transaction, and only so', async () => {
  const store = database.openStore()
  await record(store, 'passing', [bought(1, 'a'), bought(2, 'b')])
  await reverse(store, 'passing', { sequence: 1, replacement: bought(3, 'a') })
  expect(await externalIds('passing')).toEqual([
    { source: 'broker', id: 'a', sequence: 4 },
    { source: 'broker', id: 'b', sequence: 2 },
  ])
  const { answer } = await record(store, 'passing', [bought(3, 'a')])
  expect(answer.outcomes).toMatchObject([{ sequence: 4, disposition: 'REPLAYED' }])
  await expect(record(store, 'passing', [bought(1, 'a')])).rejects.toMatchObject({
    reason: 'EXTERNAL_ID_REUSED',
  })
  await expect(
    reverse(store, 'passing', { sequence: 4, replacement: bought(5, 'b') }),
  ).rejects.toMatchObject({ reason: 'EXTERNAL_ID_REUSED' })
  await expectConsistent(store, database.raw, 'passing')
})
