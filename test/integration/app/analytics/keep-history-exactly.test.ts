import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  buy,
  deposit,
  ingest,
  type KeptRow,
  keptRows,
  newName,
  noon,
  openKeeper,
  seriesOf,
  type TestKeeper,
  useHistory,
} from '../../../support/history.ts'
import { record, reverse } from '../../../support/rich-store.ts'
import { draft, write } from '../../../support/store.ts'
import { dividend, split } from '../../../unit/domain/portfolio/actions.ts'

/** More runs on demand take longer. */
const RUNS = Number(process.env['HISTORY_RUNS'] ?? 25)
const PATIENCE_MS = 300_000
const RATE = 'GBP/USD'
const TODAYS = ['2024-03-05', '2024-03-06', '2024-03-08', '2024-03-09'] as const
const MICROSECONDS_PER_DAY = 86_400_000_000

const fixture = useHistory()

interface World {
  readonly user: string
  /** Quoted in dollars, and in pounds of which a rate may be known. */
  readonly symbols: readonly [string, string]
  readonly keeper: TestKeeper
  today: number
}

const day = fc.constantFrom('2024-03-01', '2024-03-02', '2024-03-04', '2024-03-05', '2024-03-07')
const amount = fc.integer({ min: 1, max: 999_999 }).map((cents) => cents / 100)
const fact = fc.record({
  kind: fc.constantFrom(
    'BUY',
    'SELL',
    'deposit',
    'price',
    'rate',
    'split',
    'dividend',
    'undo',
    'next',
    'keep',
  ),
  day,
  amount,
  of: fc.constantFrom(0, 1),
  sequence: fc.integer({ min: 1, max: 5 }),
})
type Fact = typeof fact extends fc.Arbitrary<infer Value> ? Value : never

function act(instrumentId: string, { kind, day: exDay, amount: paid }: Fact): Promise<unknown> {
  const terms = kind === 'split' ? split(3, 1) : dividend(`${paid}`)
  const action = { instrumentId, exDay, effectiveAt: noon(exDay) - 1, terms }
  const request = { caller: '', requestId: '', contentHash: new Uint8Array(32) }
  const { store, clock } = fixture
  return store.postgres.actionStore.record(action, request, clock.now())
}

/** What comes too early, or sells what is not there: then nothing happened. */
const refused = (): undefined => undefined

const HAPPENINGS: Readonly<
  Record<Fact['kind'], (world: World, symbol: string, each: Fact) => unknown>
> = {
  BUY: trade,
  SELL: trade,
  deposit: ({ user }, _, each) =>
    record(fixture.store, user, [deposit(each.amount, each.day)]).catch(refused),
  price: (_, symbol, each) =>
    ingest(fixture.store, symbol, { [each.day]: each.amount }, each.of === 1 ? 'GBP' : ''),
  rate: (_, __, each) => ingest(fixture.store, RATE, { [each.day]: each.amount }),
  split: (_, symbol, each) => act(symbol, each),
  dividend: (_, symbol, each) => act(symbol, each),
  undo: ({ user }, _, { sequence }) => reverse(fixture.store, user, { sequence }).catch(refused),
  next: (world) => {
    world.today = Math.min(world.today + 1, TODAYS.length - 1)
    fixture.clock.set(TODAYS[world.today] ?? '')
  },
  keep: ({ keeper }) => keeper.run(),
}

function trade({ user }: World, symbol: string, { kind, amount: units, day: of }: Fact) {
  const type = kind === 'SELL' ? 'SELL' : 'BUY'
  const drafts = [draft(type, symbol, units, { price: 7.3, at: noon(of) })]
  return write(fixture.store, user, drafts).catch(refused)
}

/** Days with value, net flow and the growths linked so far, as a daily series has them. */
function linked(rows: readonly KeptRow[]) {
  let growth: number | undefined = 1
  return rows.map((row) => {
    const isUntold = row.value === null && row.inflow === '0' && row.outflow === '0'
    if (row.growth !== null && growth !== undefined) growth *= Number(row.growth)
    else if (!isUntold) growth = undefined
    return {
      day: Date.parse(row.day) / 86_400_000,
      value: Number(row.value ?? NaN),
      netFlow: Number(row.inflow ?? NaN) - Number(row.outflow ?? NaN),
      cumulativeReturn: growth === undefined ? undefined : growth - 1,
    }
  })
}

async function isKeptExactly(isTracked: boolean, facts: readonly Fact[]): Promise<void> {
  const { store, pool, raw, clock } = fixture
  await raw.query(`delete from quote where instrument_id = '${RATE}'`)
  await raw.query('truncate valuation, valuation_head, lease')
  const world: World = {
    user: newName(),
    symbols: [newName(), newName()],
    keeper: openKeeper(store, pool),
    today: 0,
  }
  clock.set(TODAYS[0])
  const { user, symbols, keeper } = world
  const first = isTracked ? deposit(1e6, '2024-03-01') : buy(symbols[0], 3, 10.1, '2024-03-01')
  await record(store, user, [first])
  for (const each of facts) {
    await HAPPENINGS[each.kind](world, symbols[each.of === 0 ? 0 : 1], each)
  }
  await keeper.run()
  expect(keeper.failed).toEqual([])
  const today = Math.floor(clock.now() / MICROSECONDS_PER_DAY)
  const past = (await seriesOf(store, pool, user)).filter((point) => point.day < today)
  expect(linked(await keptRows(raw, user))).toEqual(
    past.map((point) => ({
      day: point.day,
      value: point.value,
      netFlow: point.netFlow,
      cumulativeReturn: point.cumulativeReturn,
    })),
  )
}

it(
  'holds what GetPerformance says, to the last digit, however it came about',
  async () => {
    const facts = fc.array(fact, { minLength: 3, maxLength: 14 })
    await fc.assert(fc.asyncProperty(fc.boolean(), facts, isKeptExactly), { numRuns: RUNS })
  },
  PATIENCE_MS,
)
