import { expect, it } from '@jest/globals'
import type { Leases } from '../../../../src/app/ports.ts'
import { useDatabase } from '../../../support/store.ts'

const database = useDatabase()
const TERM_MS = 60_000

function open(): Leases {
  return database.openStore().postgres.leases
}

async function isClaimed(name: string, holder: string): Promise<boolean> {
  return (await open().claim(name, holder, TERM_MS)) !== undefined
}

async function runOut(name: string): Promise<void> {
  await database.raw.query('update lease set expires_at = now() where name = $1', [name])
}

it('is claimed by one replica at a time, which may renew it, and by another once it has run out', async () => {
  const leases = open()
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, holder) => leases.claim('one', `${holder}`, TERM_MS)),
  )
  expect(claims.filter(Boolean)).toEqual([{ name: 'one', token: 1 }])
  const holder = String(claims.findIndex((claimed) => claimed !== undefined))
  expect(await leases.claim('one', holder, TERM_MS)).toEqual({ name: 'one', token: 1 })
  expect(await isClaimed('one', 'other')).toBe(false)
  expect(await isClaimed('two', 'other')).toBe(true)
  await runOut('one')
  expect(await leases.claim('one', 'other', TERM_MS)).toEqual({ name: 'one', token: 2 })
  expect(await isClaimed('one', holder)).toBe(false)
})

it('lasts as long as was asked for, by the clock of the database', async () => {
  const leases = database.openStore({
    clock: { now: () => 0, monotonicMs: () => 0 },
  }).postgres.leases
  await leases.claim('timed', 'one', 3 * 3_600_000)
  const { rows } = await database.raw.query<{ minutes: number }>(
    `select round(extract(epoch from expires_at - now()) / 60)::int as minutes from lease
     where name = 'timed'`,
  )
  expect(rows).toEqual([{ minutes: 180 }])
})

it('is given back by who has it, and by nobody else', async () => {
  const leases = open()
  const first = await leases.claim('given', 'first', TERM_MS)
  await runOut('given')
  const second = await leases.claim('given', 'second', TERM_MS)
  await leases.release(first!)
  expect(await isClaimed('given', 'first')).toBe(false)
  await leases.release(second!)
  expect(await isClaimed('given', 'first')).toBe(true)
})

/** As a release before this one does: by its own clock, without a token. */
async function isClaimedBefore(holder: string): Promise<boolean> {
  const { rowCount } = await database.raw.query(
    `insert into lease (name, holder, expires_at)
     values ('rolling', $1, now() + interval '1 minute')
     on conflict (name) do update
       set holder = excluded.holder, expires_at = excluded.expires_at
       where lease.holder = excluded.holder or lease.expires_at <= now()`,
    [holder],
  )
  return rowCount === 1
}

it('is one lease to a replica of the release before and to one of this, in a rolling upgrade', async () => {
  expect(await isClaimedBefore('old')).toBe(true)
  expect(await isClaimed('rolling', 'new')).toBe(false)
  await runOut('rolling')
  expect(await isClaimed('rolling', 'new')).toBe(true)
  expect(await isClaimedBefore('old')).toBe(false)
  await runOut('rolling')
  expect(await isClaimedBefore('old')).toBe(true)
  expect(await isClaimed('rolling', 'new')).toBe(false)
})
