import { describe, expect, it } from '@jest/globals'
import type { AnalyticsStore } from '../../../../src/app/analytics-store.ts'
import { packCloses } from '../../../../src/app/analytics/pack-closes.ts'
import { decimal } from '../../../../src/domain/decimal.ts'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import type { Instant } from '../../../../src/domain/time.ts'
import { backendWaitingForLock, useDatabase } from '../../../support/store.ts'

const database = useDatabase()

const instant = (text: string): Instant => Date.parse(text) * 1_000
const NOW = instant('2024-06-15T12:00:00Z')
const CLOCK = { now: () => NOW, monotonicMs: () => 0 }

function quote(instrumentId: string, at: string, price: number, facts: Partial<Quote> = {}): Quote {
  return {
    instrumentId,
    price: decimal(price),
    currency: 'USD',
    pricedAt: instant(at),
    source: 'exchange',
    kind: 'CLOSE',
    splitAdjusted: false,
    ...facts,
  }
}

/** What a store says of instruments, as plain numbers. */
async function told(store: AnalyticsStore, ids: readonly string[], recordedUntil?: Instant) {
  const histories = await store.closes(ids, { recordedUntil, withUnits: true })
  return Object.fromEntries(
    histories.map(({ instrumentId, currency, days, prices, unitsOf }) => {
      const closes = [...days].map((day, at) => [day, prices[at], unitsOf?.[at]])
      return [instrumentId, [currency, ...closes]]
    }),
  )
}

function pricesOf(history: readonly (string | readonly (number | undefined)[])[] = []): unknown {
  return history.slice(1).map((close) => close[1])
}

async function packedIds(): Promise<string[]> {
  const { rows } = await database.raw.query<{ instrument_id: string }>(
    'select instrument_id from packed_closes where prices is not null order by 1',
  )
  return rows.map((row) => row.instrument_id)
}

function open() {
  const { postgres } = database.openStore({ clock: CLOCK })
  const { analyticsStore: store, quoteStore, leases } = postgres
  const { signal } = new AbortController()
  const pack = (): Promise<void> => packCloses({ clock: CLOCK, store, leases }, 'one', signal)
  return { store, quoteStore, leases, pack }
}

const MIXED = [
  quote('PLAIN', '2023-01-02T21:00:00Z', 10),
  quote('PLAIN', '2023-01-02T22:00:00Z', 11),
  quote('PLAIN', '2024-05-31T23:59:59Z', 12, { splitAdjusted: true }),
  quote('PLAIN', '2024-06-01T00:00:00Z', 13),
  quote('OLD', '2020-02-03T21:00:00Z', 7),
  quote('NEW', '2024-06-14T21:00:00Z', 8),
  quote('MOVED', '2022-02-03T21:00:00Z', 5, { currency: 'EUR' }),
  quote('MOVED', '2023-02-03T21:00:00Z', 6),
  quote('MOVES', '2023-02-03T21:00:00Z', 6),
  quote('MOVES', '2024-06-03T21:00:00Z', 9, { currency: 'EUR' }),
]
const IDS = ['PLAIN', 'OLD', 'NEW', 'MOVED', 'MOVES', 'NOBODY']

describe('packed closes', () => {
  it('say what the quotes say, whenever those came', async () => {
    const { store, quoteStore, pack } = open()
    await quoteStore.append(MIXED, NOW)
    const exact = await told(store, IDS)
    await pack()
    expect(await packedIds()).toEqual(['MOVES', 'OLD', 'PLAIN'])
    expect(await told(store, IDS)).toEqual(exact)
    const late = [
      quote('PLAIN', '2023-01-02T21:30:00Z', 10.5),
      quote('PLAIN', '2023-01-02T22:00:00Z', 11.5),
      quote('PLAIN', '2024-06-10T21:00:00Z', 14),
      quote('OLD', '2024-06-10T21:00:00Z', 7.5),
    ]
    await quoteStore.append(late, NOW + 1_000_000)
    // Of this month nothing is packed, and what is late makes its history be packed anew.
    expect(await packedIds()).toEqual(['MOVES', 'OLD'])
    const corrected = await told(store, IDS)
    expect(pricesOf(corrected['PLAIN'])).toEqual([11.5, 12, 13, 14])
    expect(pricesOf(corrected['OLD'])).toEqual([7, 7.5])
    await pack()
    expect(await packedIds()).toEqual(['MOVES', 'OLD', 'PLAIN'])
    expect(await told(store, IDS)).toEqual(corrected)
    // What was known before is not what is packed.
    expect(await told(store, IDS, NOW)).toEqual(exact)
  })

  it('are packed no further once the service is to end', async () => {
    const { store, quoteStore, leases } = open()
    const before = (await packedIds()).length
    const many = Array.from({ length: 30 }, (_, at) => quote(`END${at}`, '2024-05-02T21:00:00Z', 1))
    await quoteStore.append(many, NOW)
    const stopping = new AbortController()
    const stopped = {
      packCloses: (now: Instant) => {
        stopping.abort()
        return store.packCloses(now)
      },
    }
    await packCloses({ clock: CLOCK, store: stopped, leases }, 'one', stopping.signal)
    // What it was at is done.
    expect((await packedIds()).length).toBeGreaterThan(before)
    expect((await packedIds()).length).toBeLessThan(before + 30)
  })

  it('are not kept when a quote of their time came while they were packed', async () => {
    const { store, quoteStore, pack } = open()
    await quoteStore.append([quote('RACED', '2024-05-02T21:00:00Z', 1)], NOW)
    const appender = await database.connect()
    await appender.query('begin')
    await appender.query(
      `insert into quote values ('RACED', '2024-05-03T21:00:00Z', 'x', 2, 'USD', 'CLOSE', false, now())`,
    )
    await appender.query(
      `update packed_closes set revision = revision + 1, prices = null where instrument_id = 'RACED'`,
    )
    const packing = pack()
    await backendWaitingForLock(database.raw)
    await appender.query('commit')
    await packing
    expect((await told(store, ['RACED']))['RACED']).toHaveLength(3)
  })
})
