import { expect, it } from '@jest/globals'
import { expireQuarantine } from '../../../src/app/market-data/expire-quarantine.ts'
import { decimal } from '../../../src/domain/decimal.ts'
import { MICROSECONDS_PER_DAY } from '../../../src/domain/time.ts'
import { systemClock, useDatabase } from '../../support/store.ts'

const database = useDatabase()
const HOUR = 3_600_000_000

it('forgets what was quarantined longer ago than is configured, and nothing else', async () => {
  const start = systemClock.now()
  let now = start
  const clock = { ...systemClock, now: () => now }
  const { quoteStore, leases } = database.openStore({ clock }).postgres
  const quote = {
    instrumentId: 'HELD',
    currency: 'USD',
    source: 'x',
    kind: 'CLOSE',
    splitAdjusted: false,
    reason: 'OUTLIER',
  } as const
  for (const hour of [0, 1, 5, 50]) {
    const pricedAt = start + hour * HOUR
    const quarantined = [{ ...quote, price: '3', pricedAt }]
    await quoteStore.append([{ ...quote, price: decimal('3'), pricedAt }], pricedAt, {
      quarantined,
      released: [],
    })
  }
  const held = async (quarantinedOnly: boolean) => {
    const query = { instrumentId: 'HELD', quarantinedOnly, size: 100 }
    const bounds = { from: undefined, until: undefined, after: undefined }
    const rows = await quoteStore.list({ ...query, ...bounds })
    return rows.map(({ pricedAt }) => (pricedAt - start) / HOUR)
  }
  const ports = { clock, quoteStore, leases }
  now = start + 31 * MICROSECONDS_PER_DAY + HOUR
  await expireQuarantine(ports, 31, 'first')
  expect(await held(true)).toEqual([1, 5, 50])
  now += 2 * HOUR
  await expireQuarantine(ports, 31, 'second')
  expect(await held(true)).toEqual([1, 5, 50])
  now += 47 * HOUR
  await database.raw.query('update lease set expires_at = now()')
  await expireQuarantine(ports, 31, 'second')
  expect(await held(true)).toEqual([50])
  expect(await held(false)).toEqual([0, 1, 5, 50])
})
