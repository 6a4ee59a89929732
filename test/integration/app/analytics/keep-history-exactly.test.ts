import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  buy,
  deposit,
  ingest,
  keptRows,
  newName,
  noon,
  openKeeper,
  seriesOf,
  useHistory,
} from '../../../support/history.ts'
import { record, reverse } from '../../../support/rich-store.ts'
import { draft, write } from '../../../support/store.ts'

/** More runs on demand take longer. */
const PATIENCE_MS = 300_000

const fixture = useHistory()

it(
  'holds what GetPerformance says, to the last digit, however it came about',
  async () => {
    const days = ['2024-03-01', '2024-03-02', '2024-03-04', '2024-03-05', '2024-03-07']
    const day = fc.constantFrom(...days)
    const amount = fc.integer({ min: 1, max: 999_999 }).map((cents) => cents / 100)
    const step = fc.oneof(
      fc.record({ kind: fc.constant('buy' as const), day, amount, of: fc.nat(1) }),
      fc.record({ kind: fc.constant('sell' as const), day, amount, of: fc.nat(1) }),
      fc.record({ kind: fc.constant('price' as const), day, amount, of: fc.nat(2) }),
      fc.record({ kind: fc.constant('deposit' as const), day, amount }),
      fc.record({ kind: fc.constant('undo' as const), of: fc.nat(5) }),
      fc.record({ kind: fc.constant('next' as const) }),
      fc.record({ kind: fc.constant('keep' as const) }),
    )
    const dates = ['2024-03-05', '2024-03-06', '2024-03-08', '2024-03-09']
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(step, { minLength: 3, maxLength: 14 }),
        async (isTracked, steps) => {
          const [user, home, foreign, rate] = [newName(), newName(), newName(), 'GBP/USD'] as const
          await fixture.raw.query("delete from quote where instrument_id = 'GBP/USD'")
          await fixture.raw.query('truncate valuation, valuation_head')
          const fresh = openKeeper(fixture.store, fixture.pool)
          await fixture.raw.query('delete from lease')
          let date = 0
          fixture.clock.set(dates[date]!)
          const first = isTracked ? deposit(1e6, '2024-03-01') : buy(home, 3, 10.1, '2024-03-01')
          await record(fixture.store, user, [first])
          for (const each of steps) {
            // What comes too early, or sells what is not there, is refused: then nothing happened.
            if (each.kind === 'buy' || each.kind === 'sell') {
              const symbol = each.of === 0 ? home : foreign
              const type = each.kind === 'buy' ? 'BUY' : 'SELL'
              const trade = draft(type, symbol, each.amount, { price: 7.3, at: noon(each.day) })
              await write(fixture.store, user, [trade]).catch(() => undefined)
            }
            if (each.kind === 'deposit') {
              await record(fixture.store, user, [deposit(each.amount, each.day)]).catch(
                () => undefined,
              )
            }
            if (each.kind === 'price') {
              const symbol = [home, foreign, rate][each.of] ?? rate
              await ingest(
                fixture.store,
                symbol,
                { [each.day]: each.amount },
                each.of === 1 ? 'GBP' : '',
              )
            }
            if (each.kind === 'undo') {
              await reverse(fixture.store, user, { sequence: each.of }).catch(() => undefined)
            }
            if (each.kind === 'next') fixture.clock.set(dates[(date = Math.min(date + 1, 3))]!)
            if (each.kind === 'keep') await fresh.run()
          }
          await fresh.run()
          expect(fresh.failed).toEqual([])
          const series = await seriesOf(fixture.store, fixture.pool, user)
          const today = noon(dates[date]!) / 86_400_000_000
          const past = series.filter((point) => point.day < Math.floor(today))
          const kept = await keptRows(fixture.raw, user)
          let linked: number | undefined = 1
          const told = kept.map((row) => {
            const netFlow = Number(row.inflow ?? NaN) - Number(row.outflow ?? NaN)
            const isUntold = row.value === null && row.inflow === '0' && row.outflow === '0'
            if (row.growth !== null && linked !== undefined) linked *= Number(row.growth)
            else if (!isUntold) linked = undefined
            const cumulative = linked === undefined ? undefined : linked - 1
            return [Date.parse(row.day) / 86_400_000, Number(row.value ?? NaN), netFlow, cumulative]
          })
          expect(told).toEqual(
            past.map((point) => [point.day, point.value, point.netFlow, point.cumulativeReturn]),
          )
        },
      ),
      { numRuns: Number(process.env['HISTORY_RUNS'] ?? 25) },
    )
  },
  PATIENCE_MS,
)
