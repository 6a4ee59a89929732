import { describe, expect, it } from '@jest/globals'
import { ResidentPrices } from '../../../../src/app/analytics/resident-prices.ts'
import { lastClose } from '../../../../src/domain/analytics/close-matrix.ts'
import type { AnalyticsStore } from '../../../../src/app/analytics-store.ts'
import { createActionTable } from '../../../../src/app/market-data/action-table.ts'
import { createInstrumentTable } from '../../../../src/app/market-data/instrument-table.ts'
import { action, split } from '../../domain/portfolio/actions.ts'

const CLOCK = { now: () => 1_704_067_200_000_000, monotonicMs: () => 0 }
const DAY = 19_000

type Asked = Parameters<AnalyticsStore['closes']>

/** A store whose answers wait until they are let go, and what it was asked for. */
function waitingStore() {
  const asked: Asked[] = []
  const answers: (() => void)[] = []
  const closes: AnalyticsStore['closes'] = (instrumentIds, how) => {
    asked.push([instrumentIds, how])
    return new Promise((resolve) =>
      answers.push(() => {
        const unitsOf = how.withUnits ? Float64Array.of(0) : undefined
        resolve(
          instrumentIds.map((instrumentId) => ({
            instrumentId,
            currency: 'USD',
            days: Int32Array.of(DAY),
            prices: Float64Array.of(10),
            unitsOf,
          })),
        )
      }),
    )
  }
  let looks = 0
  const closesSince: AnalyticsStore['closesSince'] = () => {
    looks += 1
    const found = { instrumentId: 'A', currency: 'USD', day: DAY, price: 10 + looks, unitsOf: 0 }
    return new Promise((resolve) =>
      answers.push(() => resolve({ closes: [found], recordedUntil: CLOCK.now() })),
    )
  }
  return { store: { closes, closesSince } as AnalyticsStore, asked, answers }
}

function turn(): Promise<string> {
  return new Promise((resolve) => setImmediate(resolve, 'waits'))
}

function open() {
  const { store, asked, answers } = waitingStore()
  const actions = createActionTable()
  const instruments = createInstrumentTable()
  const prices = new ResidentPrices({ clock: CLOCK, store, instruments, actions })
  /** Lets the statements under way answer until a call has all it asked for. */
  const answerAll = async (until: Promise<void>): Promise<void> => {
    const done = until.then(() => 'done')
    while ((await Promise.race([done, turn()])) === 'waits') {
      answers.splice(0).forEach((answer) => answer())
    }
  }
  return { store, prices, actions, asked, answers, answerAll }
}

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`)

describe('ResidentPrices', () => {
  it('reads much with few statements at once, so that others get theirs', async () => {
    const { prices, asked, answers, answerAll } = open()
    const large = prices.ensure(named('L', 250))
    await new Promise(setImmediate)
    expect(answers).toHaveLength(2)
    const others = ['A', 'B', 'C'].map((prefix) => prices.ensure(named(prefix, 60)))
    await new Promise(setImmediate)
    expect(answers).toHaveLength(4)
    await answerAll(Promise.all([large, ...others]).then(() => undefined))
    expect(asked).toHaveLength(5 + 3 * 2)
    expect(prices.closes.has('L249')).toBe(true)
  })

  it('reads what two calls ask for once', async () => {
    const { prices, asked, answerAll } = open()
    await answerAll(
      Promise.all([prices.ensure(['A', 'B']), prices.ensure(['B', 'A'])]).then(() => undefined),
    )
    expect(asked.map(([ids]) => ids)).toEqual([['A', 'B']])
  })

  it('has the news that a look under way brings, or that came after it had begun', async () => {
    const { prices, answerAll } = open()
    const priceOfA = (): number => lastClose(prices.closes.matrix, prices.closes.rowOf('A'), DAY)
    await answerAll(prices.ensure(['A']))
    prices.markStale()
    const look = prices.refresh()
    await answerAll(prices.ensure(['A']))
    expect(priceOfA()).toBe(11)
    await look
    const early = prices.refresh()
    prices.markStale()
    await answerAll(prices.ensure(['A']))
    expect(priceOfA()).toBe(13)
    await early
  })

  it('gives up where closes never become what their splits make of them', async () => {
    const { store, prices, actions, asked, answerAll } = open()
    actions.publish({ actions: [action(1, 0, split(2, 1), { instrumentId: 'A' })], epoch: 1 })
    const closes = store.closes.bind(store)
    // An answer that does not say what its prices are of.
    store.closes = (ids, how) => closes(ids, { ...how, withUnits: false })
    const given = prices.ensure(['A'])
    const failure = given.catch((error: unknown) => error)
    await answerAll(given.catch(() => undefined))
    expect(await failure).toMatchObject({ reason: 'ANALYSIS_FAILED' })
    expect(asked).toHaveLength(20)
  })

  it('reads again what was split while it was read, with what each price is of', async () => {
    const { prices, actions, asked, answerAll } = open()
    const first = prices.ensure(['A'])
    await new Promise(setImmediate)
    actions.publish({ actions: [action(1, 0, split(2, 1), { instrumentId: 'A' })], epoch: 1 })
    await answerAll(first)
    expect(asked.map(([, { withUnits }]) => withUnits)).toEqual([false, true])
  })
})
