import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Decimal, decimalText, sum } from '../../../../src/domain/decimal.ts'
import type {
  ActionTerms,
  CorporateAction,
} from '../../../../src/domain/market-data/corporate-action.ts'
import type { DueActions } from '../../../../src/domain/market-data/corporate-actions.ts'
import { isRefusal } from '../../../../src/domain/portfolio/fitting-actions.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import type { Holding } from '../../../../src/domain/portfolio/holding.ts'
import { foldDue, staleInstruments } from '../../../../src/domain/portfolio/linked-fold.ts'
import { foldPast } from '../../../../src/domain/portfolio/past-fold.ts'
import type { FoldRefusal } from '../../../../src/domain/portfolio/refusal.ts'
import type { PortfolioState } from '../../../../src/domain/portfolio/state.ts'
import {
  compareEntries,
  type TransactionDraft,
} from '../../../../src/domain/portfolio/transaction.ts'
import { action, dividend, known, learn, merger, spinOff, split } from './actions.ts'
import { ALL_METHODS } from './histories.ts'
import { rich } from './rich-drafts.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { plain, rowsOfState } from './stored-rows.ts'

const INSTRUMENTS = ['ACME', 'BETA', 'CORE'] as const
const MOMENTS = 12

const where = fc.record({
  instrumentId: fc.constantFrom(...INSTRUMENTS),
  accountId: fc.constantFrom('', 'broker'),
})
const trade = fc
  .tuple(
    fc.boolean(),
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: 99 }),
    fc.nat(MOMENTS),
    where,
  )
  .map(([isBuy, quantity, price, seconds, of]) =>
    (isBuy ? buy : sell)(String(quantity), String(price), seconds, of),
  )
const deposit = fc
  .tuple(fc.nat(MOMENTS), fc.integer({ min: 1, max: 99 }))
  .map(([seconds, amount]) => rich('DEPOSIT', seconds, { amount: String(amount) }))
const unitTerms: fc.Arbitrary<ActionTerms> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
    .map(([n, d]) => split(n, d)),
  fc
    .tuple(fc.constantFrom(...INSTRUMENTS), fc.constantFrom('1', '0.3', '2'))
    .map(([target, ratio]) => spinOff(target, ratio, '0.25')),
  fc
    .tuple(fc.constantFrom(...INSTRUMENTS), fc.constantFrom('1', '0.7', '3'))
    .map(([target, ratio]) => merger(target, ratio)),
)
const anyTerms: fc.Arbitrary<ActionTerms> = fc.oneof(
  unitTerms,
  fc.constantFrom(...INSTRUMENTS).map((target) => merger(target, '1', '3')),
  fc.constant(merger('', '', '5')),
  fc.boolean().map((returnOfCapital) => dividend('2', { returnOfCapital })),
)

type Sent = readonly TransactionDraft[] | CorporateAction | 'reverse'

/** Requests and news of actions, in the order in which they arrive. */
function arriving(terms: fc.Arbitrary<ActionTerms>): fc.Arbitrary<readonly Sent[]> {
  const news = fc
    .tuple(terms, fc.nat(MOMENTS), fc.constantFrom(...INSTRUMENTS))
    .filter(([told, , of]) => !('newInstrumentId' in told) || told.newInstrumentId !== of)
    .map(([told, seconds, instrumentId]) => action(0, seconds, told, { instrumentId }))
  const requests = fc.array(
    fc.oneof({ weight: 9, arbitrary: trade }, { weight: 1, arbitrary: deposit }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  const step: fc.Arbitrary<Sent> = fc.oneof(
    { weight: 4, arbitrary: requests },
    { weight: 3, arbitrary: news },
    { weight: 1, arbitrary: fc.constant('reverse' as const) },
  )
  return fc.array(step, { maxLength: 12 })
}

/** What arrived, with the numbers that the store would give. */
function play(sent: readonly Sent[], scenario: Scenario): Scenario {
  let epoch = 0
  for (const one of sent) {
    if (one === 'reverse') {
      const standing = scenario.actions.all().find(({ reversedAt }) => reversedAt === undefined)
      if (standing === undefined) continue
      epoch += 1
      learn(scenario, { ...standing, reversedAt: scenario.now, epoch })
    } else if ('terms' in one) {
      epoch += 1
      learn(scenario, { ...one, actionId: epoch, epoch })
    } else {
      scenario.request(...one)
    }
  }
  return scenario
}

function dueOf(scenario: Scenario): DueActions {
  return scenario.actions.dueAt(scenario.now)
}

/** The state as a read shows it. */
function seen(scenario: Scenario): PortfolioState {
  const due = dueOf(scenario)
  const stale = staleInstruments(scenario.state, due)
  const ledger = scenario.ledger.toSorted(compareEntries)
  return stale.size === 0 ? scenario.state : foldDue(scenario.state, { stale, ledger }, due)
}

function holdingsOf(books: PortfolioState['books']): readonly Holding[] {
  return [...books.values()].flatMap((book) => Array.from(book.values()))
}

/** What is held and was made; numbers of actions in ids depend on the order in which they were recorded. */
function held({ books, cash }: PortfolioState): unknown {
  const holdings = holdingsOf(books)
    .filter(({ quantity, transactionCount }) => transactionCount > 0 || !quantity.isZero())
    .map((holding) => [`${holding.instrumentId} ${holding.accountId}`, holding] as const)
    .map(([name, holding]) => [name, Object.assign({}, holding, { actionEpoch: 0 })] as const)
  return plain({ holdings: new Map(holdings), cash })
}

const rules = fc.record({
  lotMethod: fc.constantFrom(...ALL_METHODS.filter((method) => method !== 'SPECIFIC_ID')),
  allowShort: fc.constant(true),
})

describe('corporate actions and trades', () => {
  it('make by any road the state that the ledger folds to', () => {
    fc.assert(
      fc.property(arriving(anyTerms), rules, (sent, settings) => {
        const scenario = play(sent, new Scenario(settings))
        const whole = foldLedger(
          'user-1',
          scenario.ledger,
          scenario.state.settings,
          dueOf(scenario),
        )
        expect(held(seen(scenario))).toEqual(held(whole))
      }),
      { numRuns: 500 },
    )
  })

  it('leave in the tables what the state says, once it is written', () => {
    fc.assert(
      fc.property(arriving(anyTerms), rules, (sent, settings) => {
        const scenario = play(sent, new Scenario(settings))
        // Any write brings all that is held up to date.
        scenario.record(buy('1', '1', MOMENTS + 1, { instrumentId: 'OTHER' }))
        expect(staleInstruments(scenario.state, dueOf(scenario)).size).toBe(0)
        const matches = scenario.rows.matches()
        expect(scenario.rows.content()).toEqual(rowsOfState(scenario.state, matches))
        const realized = sum(matches.map(({ gain }) => gain!))
        const disposals = new Set(matches.map(({ disposalSequence }) => disposalSequence))
        expect(realized.isFinite() && disposals.size <= matches.length).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('commute: what arrives first is no matter', () => {
    fc.assert(
      fc.property(arriving(anyTerms), rules, (sent, settings) => {
        const actions = sent.filter((one) => one !== 'reverse' && 'terms' in one)
        const requests = sent.filter((one) => one !== 'reverse' && !('terms' in one))
        const first = play([...actions, ...requests], new Scenario(settings))
        const last = play([...requests, ...actions.toReversed()], new Scenario(settings))
        expect(held(seen(first))).toEqual(held(seen(last)))
      }),
      { numRuns: 300 },
    )
  })

  it('on units keep what everything cost, and the units of lots add up to their holding', () => {
    fc.assert(
      fc.property(arriving(unitTerms), rules, (sent, settings) => {
        const bought = sent.map((one) =>
          Array.isArray(one) ? one.filter(({ type }) => type === 'BUY') : one,
        ) as readonly Sent[]
        const scenario = play(
          bought.filter((one) => !Array.isArray(one) || one.length > 0),
          new Scenario(settings),
        )
        const { books } = seen(scenario)
        const holdings = holdingsOf(books)
        const paid = sum(scenario.ledger.map(({ quantity, price }) => quantity.times(price)))
        const basis = sum(holdings.map((holding) => holding.basis))
        expect(decimalText(basis)).toBe(decimalText(paid))
        for (const { lots, quantity } of holdings) {
          const units: readonly Decimal[] = lots!.map((lot) => lot.quantity)
          expect(decimalText(sum(units))).toBe(decimalText(quantity))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('fold onto a snapshot of any moment as from nothing', () => {
    fc.assert(
      fc.property(arriving(anyTerms), rules, fc.nat(20), (sent, settings, place) => {
        const { ledger, actions, now, state } = play(sent, new Scenario(settings))
        const entries = ledger.toSorted(compareEntries)
        const context = {
          userId: 'user-1',
          settings: state.settings,
          version: state.version,
          due: actions.dueAt(now),
          stride: 1,
        }
        const whole = fitting(foldPast(undefined, entries, context)!)
        const base = whole.snapshots[place % Math.max(whole.snapshots.length, 1)]
        if (base === undefined) return
        const rest = entries.filter(({ effectiveAt }) => effectiveAt > base.effectiveAt)
        const again = foldPast(base, rest, context)
        // Undefined where only the whole ledger can tell.
        expect(held(fitting(again ?? whole).state)).toEqual(held(whole.state))
      }),
      { numRuns: 300 },
    )
  })
})

function fitting<Folded extends object>(folded: Folded): Exclude<Folded, FoldRefusal> {
  if (isRefusal(folded)) throw new Error(`does not fold: ${folded.reason}`)
  return folded as Exclude<Folded, FoldRefusal>
}

it('knows at a moment what was recorded by then', () => {
  const actions = known(
    action(1, 0, split(2, 1), { recordedAt: 10, reversedAt: 30, epoch: 3 }),
    action(2, 0, split(3, 1), { recordedAt: 20 }),
  )
  const told = (recordedUntil: number) => {
    const then = actions.knownAt(recordedUntil)
    const due = then.dueAt(Number.MAX_SAFE_INTEGER)
    return [then.epoch, due.of('ACME').map(({ actionId }) => actionId), due.countOf('ACME')]
  }
  expect(told(9)).toEqual([0, [], 0])
  expect(told(10)).toEqual([1, [1], 1])
  expect(told(29)).toEqual([2, [1, 2], 2])
  expect(told(30)).toEqual([3, [2], 3])
})
