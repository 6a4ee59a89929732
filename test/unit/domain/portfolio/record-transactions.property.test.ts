import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BookFold } from '../../../../src/domain/portfolio/book-fold.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import type { Holding, LotMatch } from '../../../../src/domain/portfolio/holding.ts'
import {
  compareEntries,
  type LedgerEntry,
  type TransactionDraft,
} from '../../../../src/domain/portfolio/transaction.ts'
import { ALL_METHODS, datedAt, movements } from './histories.ts'
import { Scenario } from './scenario.ts'
import { plain, rowsOfState } from './stored-rows.ts'

const settings = fc.record({
  lotMethod: fc.constantFrom(...ALL_METHODS),
  allowShort: fc.boolean(),
})
const SHAPE = { accounts: ['', 'A'], instruments: ['ACME', 'OTHER'] }
const RUNS = { numRuns: 250 }

/** Requests of one to three transactions, at times that often collide. */
const requests = fc.array(
  fc.array(
    fc.tuple(movements(SHAPE), fc.nat(8)).map(([movement, time]) => datedAt(movement, time)),
    {
      minLength: 1,
      maxLength: 3,
    },
  ),
  { maxLength: 12 },
)

/** What a fold of the whole ledger from nothing realises. */
function matchesFromScratch({ ledger, state }: Scenario): readonly LotMatch[] {
  const instruments = new Set(ledger.map(({ instrumentId }) => instrumentId))
  return [...instruments].flatMap((instrumentId) => {
    const fold = new BookFold(undefined, state.settings)
    const own = ledger.filter((entry) => entry.instrumentId === instrumentId)
    for (const entry of own.toSorted(compareEntries)) fold.apply(entry)
    return fold.matches
  })
}

describe('whatever requests arrive', () => {
  it('state and stored rows are those of the ledger folded from nothing', () => {
    fc.assert(
      fc.property(requests, settings, (list, rules) => {
        const scenario = new Scenario(rules)
        for (const drafts of list) scenario.request(...drafts)
        const { ledger, state, rows } = scenario
        expect(plain(state)).toEqual(plain({ ...foldLedger('user-1', ledger, state.settings) }))
        expect(rows.content()).toEqual(rowsOfState(state, matchesFromScratch(scenario)))
      }),
      { numRuns: 500 },
    )
  })

  it('exactly those are refused that make the holding negative at some moment', () => {
    const trades = movements({ types: ['BUY', 'SELL', 'TRANSFER_IN', 'TRANSFER_OUT'] })
    const dated = fc.tuple(trades, fc.nat(8)).map(([movement, time]) => datedAt(movement, time))
    fc.assert(
      fc.property(fc.array(dated, { maxLength: 25 }), (list) => {
        const scenario = new Scenario()
        for (const draft of list) {
          const legal = neverNegative([...scenario.ledger, draft])
          expect(scenario.request(draft).kind).toBe(legal ? 'recorded' : 'refused')
        }
      }),
      RUNS,
    )
  })

  it('a refused one leaves no trace', () => {
    fc.assert(
      fc.property(requests, (list) => {
        const scenario = new Scenario()
        for (const drafts of list) {
          const { state, ledger } = scenario
          const recorded = ledger.length
          if (scenario.request(...drafts).kind === 'recorded') continue
          expect(scenario.state).toBe(state)
          expect(ledger).toHaveLength(recorded)
        }
      }),
      RUNS,
    )
  })
})

/** The running sum by effective time, then arrival: naively, in tenths. */
function neverNegative(list: readonly (LedgerEntry | TransactionDraft)[]): boolean {
  let held = 0
  const inOrder = list.toSorted((left, right) => left.effectiveAt! - right.effectiveAt!)
  return inOrder.every(({ type, quantity }) => {
    const tenths = quantity.times(10).toNumber()
    held += type === 'BUY' || type === 'TRANSFER_IN' ? tenths : -tenths
    return held >= 0
  })
}

describe('order of arrival (V16)', () => {
  const ranked = fc.array(fc.tuple(movements(SHAPE), fc.nat()), { minLength: 1, maxLength: 10 })

  it('leaves no trace in holdings, lots and results when effective times differ', () => {
    fc.assert(
      fc.property(ranked, settings, (list, rules) => {
        const inTime = new Scenario(rules)
        const accepted: [TransactionDraft, number][] = []
        for (const [time, [movement, rank]] of list.entries()) {
          const draft = datedAt(movement, time)
          if (inTime.request(draft).kind === 'recorded') accepted.push([draft, rank])
        }
        const shuffled = new Scenario(rules)
        const waiting = accepted.toSorted(([, left], [, right]) => left - right)
        // What is not legal yet waits until it is; what stays illegal in this order is no case of V16.
        for (let tries = waiting.length ** 2; waiting.length > 0 && tries > 0; tries -= 1) {
          const [draft, rank] = waiting.shift()!
          if (shuffled.request(draft).kind === 'refused') waiting.push([draft, rank])
        }
        fc.pre(waiting.length === 0)
        expect(timeless(shuffled)).toEqual(timeless(inTime))
      }),
      { numRuns: 500 },
    )
  })

  it('of a batch in another order makes no difference either', () => {
    fc.assert(
      fc.property(ranked, settings, (list, rules) => {
        const drafts = list.map(([movement], time) => datedAt(movement, time))
        const [forth, back] = [new Scenario(rules), new Scenario(rules)]
        const outcome = forth.request(...drafts)
        expect(back.request(...drafts.toReversed()).kind).toBe(outcome.kind)
        expect(timeless(back)).toEqual(timeless(forth))
      }),
      RUNS,
    )
  })
})

/** Everything but the numbers that count arrivals: entries are named by their effective times. */
function timeless({ ledger, state, rows }: Scenario): unknown {
  const timeOf = new Map(ledger.map(({ sequence, effectiveAt }) => [sequence, effectiveAt]))
  const holdings: Holding[] = []
  for (const book of state.books.values()) holdings.push(...book.values())
  const named = (key: string, value: unknown): unknown =>
    /[sS]equence$/.test(key) ? timeOf.get(value as number) : value
  return [holdings, rows.matches()].map((list) =>
    list.map((item) => JSON.stringify(plain(item), named)).toSorted(),
  )
}

describe('a batch', () => {
  it('split into its transactions, in order of time, makes the same book', () => {
    const batch = fc.array(fc.tuple(movements(SHAPE), fc.nat(5)), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(batch, settings, (list, rules) => {
        const inTime = list.toSorted(([, left], [, right]) => left - right)
        const drafts = inTime.map(([movement, time]) => datedAt(movement, time))
        const [whole, split] = [new Scenario(rules), new Scenario(rules)]
        const outcomes = drafts.map((draft) => split.request(draft).kind)
        const legal = drafts.filter((_, index) => outcomes[index] === 'recorded')
        if (legal.length > 0) whole.record(...legal)
        expect(plain(whole.state.books)).toEqual(plain(split.state.books))
        expect(whole.rows.content()).toEqual(split.rows.content())
        const all = new Scenario(rules).request(...drafts)
        expect(all.kind).toBe(legal.length === drafts.length ? 'recorded' : 'refused')
      }),
      RUNS,
    )
  })
})
