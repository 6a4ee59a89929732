import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type Decimal,
  decimal,
  decimalText,
  multiply,
  sum,
} from '../../../../src/domain/decimal.ts'
import { cashEffects } from '../../../../src/domain/portfolio/amounts.ts'
import { BookFold } from '../../../../src/domain/portfolio/book-fold.ts'
import { detailOf } from '../../../../src/domain/portfolio/detail.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import type { LotMatch } from '../../../../src/domain/portfolio/holding.ts'
import { activeEntries } from '../../../../src/domain/portfolio/reversals.ts'
import type { PortfolioState } from '../../../../src/domain/portfolio/state.ts'
import { compareEntries, type LedgerEntry } from '../../../../src/domain/portfolio/transaction.ts'
import { resultOfPosition } from '../../../../src/domain/portfolio/valuation.ts'
import { ALL_METHODS, datedAt } from './histories.ts'
import { reversalOf, rich } from './rich-drafts.ts'
import { ALL_TYPES, richMovements } from './rich-histories.ts'
import { Scenario } from './scenario.ts'
import { plain, rowsOfState } from './stored-rows.ts'

const RUNS = { numRuns: 300 }
const settings = fc.record({
  lotMethod: fc.constantFrom(...ALL_METHODS),
  allowShort: fc.boolean(),
})
const dated = (movements = richMovements({ foreign: true })) =>
  fc.tuple(movements, fc.nat(12)).map(([movement, time]) => datedAt(movement, time))

/** A request: transactions, or the reversal of an earlier one, chosen by its place, with or without another. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(dated(), { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.record({ place: fc.nat(), replacement: fc.option(dated()) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never
const steps = fc.array(step, { maxLength: 12 })

/** Sends the step; whatever the portfolio does not allow is refused and leaves it as it was. */
function send(scenario: Scenario, sent: Step): boolean {
  if (Array.isArray(sent)) return scenario.request(...sent).kind === 'recorded'
  const { ledger } = scenario
  const target = ledger[sent.place % Math.max(ledger.length, 1)]
  if (target === undefined) return false
  const replacement = sent.replacement === null ? [] : [sent.replacement]
  return scenario.request(reversalOf(target), ...replacement).kind === 'recorded'
}

/** The state without what says nothing: rows of accounts all of whose entries were taken back. */
function said(state: PortfolioState): unknown {
  const books = [...state.books].flatMap(([instrumentId, book]) => {
    const holdings = [...book].filter(([, { transactionCount }]) => transactionCount > 0)
    return holdings.length === 0 ? [] : [[instrumentId, new Map(holdings)] as const]
  })
  return plain({ ...state, books: new Map(books) })
}

function matchesOf(ledger: readonly LedgerEntry[], state: PortfolioState): readonly LotMatch[] {
  const folds = new Map<string, BookFold>()
  for (const entry of activeEntries(ledger.toSorted(compareEntries))) {
    const fold = folds.get(entry.instrumentId) ?? new BookFold(undefined, state.settings)
    folds.set(entry.instrumentId, fold)
    fold.apply(entry)
  }
  return [...folds.values()].flatMap((fold) => fold.matches)
}

describe('a ledger of all types with reversals', () => {
  it('draws every type, and records each', () => {
    const recorded = new Set<string>()
    fc.assert(
      fc.property(steps, settings, (list, rules) => {
        const scenario = new Scenario(rules)
        for (const sent of list) send(scenario, sent)
        for (const { type } of scenario.ledger) recorded.add(type)
      }),
      RUNS,
    )
    expect([...recorded].toSorted()).toEqual(ALL_TYPES.toSorted())
  })

  it('makes the state and the rows that it makes folded from nothing', () => {
    fc.assert(
      fc.property(steps, settings, (list, rules) => {
        const scenario = new Scenario(rules)
        for (const sent of list) send(scenario, sent)
        const { ledger, state, rows } = scenario
        expect(said(state)).toEqual(said(foldLedger('user-1', ledger, state.settings)))
        expect(rows.content()).toEqual(rowsOfState(state, matchesOf(ledger, state)))
      }),
      { numRuns: 500 },
    )
  })

  it('was at each version what its entries up to then make', () => {
    fc.assert(
      fc.property(steps, settings, (list, rules) => {
        const scenario = new Scenario(rules)
        for (const sent of list) {
          if (!send(scenario, sent)) continue
          const { version } = scenario.state
          const known = scenario.ledger.filter((entry) => entry.version <= version)
          expect(said(foldLedger('user-1', known, scenario.state.settings))).toEqual(
            said(scenario.state),
          )
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('a reversal', () => {
  it('leaves the books and the cash of a ledger that never had the entry', () => {
    const lists = fc.array(dated(), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(lists, fc.nat(), settings, (list, place, rules) => {
        const scenario = new Scenario(rules)
        for (const draft of list) scenario.request(draft)
        fc.pre(scenario.ledger.length > 0)
        const before = scenario.state
        const target = scenario.ledger[place % scenario.ledger.length]!
        const without = scenario.ledger.filter((entry) => entry !== target)
        const outcome = scenario.request(reversalOf(target))
        if (outcome.kind !== 'recorded') {
          expect(() => foldLedger('user-1', without, before.settings)).toThrow('does not fold')
          return
        }
        const after = said(scenario.state) as Pick<PortfolioState, 'books' | 'cash'>
        const expected = said(foldLedger('user-1', without, before.settings)) as typeof after
        expect([after.books, after.cash]).toEqual([expected.books, expected.cash])
        const known = scenario.ledger.filter((entry) => entry.version <= before.version)
        expect(said(foldLedger('user-1', known, before.settings))).toEqual(said(before))
      }),
      RUNS,
    )
  })
})

describe('other settings', () => {
  it('make the portfolio that the same ledger makes under them', () => {
    fc.assert(
      fc.property(steps, settings, settings, (list, rules, others) => {
        const scenario = new Scenario(rules)
        for (const sent of list) send(scenario, sent)
        const before = scenario.state
        const outcome = scenario.change(others)
        const all = { ...before.settings, ...others }
        const refold = () => foldLedger('user-1', scenario.ledger, all)
        if (outcome instanceof Error) {
          expect(scenario.state).toBe(before)
          expect(refold).toThrow(outcome.reason)
          return
        }
        const { state, rows, ledger } = scenario
        expect(state.version).toBe(before.version + 1)
        expect(state.chainHead).toEqual(before.chainHead)
        const folded = said(refold()) as PortfolioState
        const { books, cash, settings: kept } = said(state) as PortfolioState
        expect([books, cash, kept]).toEqual([folded.books, folded.cash, folded.settings])
        expect(rows.content()).toEqual(rowsOfState(state, matchesOf(ledger, state)))
      }),
      { numRuns: 400 },
    )
  })
})

const PRICES = { ACME: '3.7', OTHER: '0.9' }

describe('profit and loss (decision 20)', () => {
  it('is the exact sum of its components, in total, by position and by asset', () => {
    fc.assert(
      fc.property(steps, settings, (list, rules) => {
        const scenario = new Scenario(rules)
        for (const sent of list) send(scenario, sent)
        const valuation = scenario.value(PRICES)
        const { result, positions, assets } = valuation
        const results = positions.map((position) => resultOfPosition(position, valuation))
        for (const { total, realized, unrealized, income, fees, taxes } of [result, ...results]) {
          const parts = realized.plus(unrealized).plus(income).minus(fees).minus(taxes)
          expect(decimalText(total)).toBe(decimalText(parts))
        }
        const held = new Set(assets.map(({ instrumentId }) => instrumentId))
        const closed = [...scenario.state.books].flatMap(([instrumentId, book]) =>
          held.has(instrumentId) ? [] : [...book.values()],
        )
        const gone = closed.map(({ realized, income, fees, taxes }) =>
          realized.plus(income).minus(fees).minus(taxes),
        )
        // Decision 22: total = rows + what is not held any more.
        const rows = assets.map(({ profitLoss }) => profitLoss)
        expect(decimalText(sum([...rows, ...gone]))).toBe(decimalText(result.total))
        const texts = detailOf(valuation).result
        expect(texts.total).toBe(decimalText(result.total))
      }),
      RUNS,
    )
  })

  it('is what the money says: value = put in - taken out + result + basis carried in - carried out', () => {
    const local = richMovements().filter(({ type }) => type !== 'FX_CONVERSION')
    const lists = fc.array(dated(local), { maxLength: 14 })
    fc.assert(
      fc.property(lists, settings, (list, rules) => {
        const scenario = new Scenario(rules)
        scenario.record(rich('DEPOSIT', -1, { amount: '1' }))
        for (const draft of list) scenario.request(draft)
        const active = scenario.ledger
        const flow = (type: string): Decimal =>
          sum(active.filter((entry) => entry.type === type).map(({ terms }) => terms!.amount))
        const carriedIn = sum(active.map(basisIn))
        const carriedOut = basisOut(scenario)
        const { totalValue, result } = scenario.value(PRICES)
        const expected = flow('DEPOSIT')
          .minus(flow('WITHDRAWAL'))
          .plus(result.total)
          .plus(carriedIn)
          .minus(carriedOut)
        // A basis that is shared out unevenly is rounded to 34 digits at each share.
        expect(totalValue.minus(expected).abs().lessThan('1e-25')).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

function basisIn({ type, terms, quantity, price }: LedgerEntry): Decimal {
  if (type !== 'TRANSFER_IN') return decimal(0)
  const carried = terms!.carriedLots
  return carried.length > 0 ? sum(carried.map(({ basis }) => basis)) : multiply(quantity, price)
}

/** What each transfer out took along, told by the book before and after it. */
function basisOut({ ledger, state }: Scenario): Decimal {
  const folds = new Map<string, BookFold>()
  const basisOf = (fold: BookFold) => sum([...fold.book().values()].map(({ basis }) => basis))
  let out = decimal(0)
  for (const entry of ledger.toSorted(compareEntries)) {
    const fold = folds.get(entry.instrumentId) ?? new BookFold(undefined, state.settings)
    folds.set(entry.instrumentId, fold)
    const before = basisOf(fold)
    fold.apply(entry)
    if (entry.type === 'TRANSFER_OUT') out = out.plus(before).minus(basisOf(fold))
  }
  return out
}

describe('cash (decision 31)', () => {
  it('is the sum of the effects since the first deposit or withdrawal, by currency', () => {
    fc.assert(
      fc.property(steps, settings, (list, rules) => {
        const scenario = new Scenario(rules)
        for (const sent of list) send(scenario, sent)
        const active = activeEntries(scenario.ledger)
        const flows = active.filter(({ type }) => type === 'DEPOSIT' || type === 'WITHDRAWAL')
        const { since, balances } = scenario.state.cash
        if (flows.length === 0) {
          expect({ since, balances }).toEqual({ since: undefined, balances: new Map() })
          return
        }
        expect(since).toBe(Math.min(...flows.map(({ effectiveAt }) => effectiveAt)))
        const counted = active.filter(({ effectiveAt }) => effectiveAt >= since!)
        for (const currency of ['', 'EUR', 'GBP']) {
          const effects = counted
            .flatMap(cashEffects)
            .filter((effect) => effect.currency === currency)
          expect(decimalText(balances.get(currency) ?? decimal(0))).toBe(
            decimalText(sum(effects.map(({ amount }) => amount))),
          )
        }
      }),
      RUNS,
    )
  })
})
