import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { foldActions, needsExactFold } from '../../../../src/domain/analytics/fold-actions.ts'
import type { PackedLedger } from '../../../../src/domain/analytics/ledger-numbers.ts'
import { packLedger } from '../../../../src/domain/analytics/pack-ledger.ts'
import { decimal, sum } from '../../../../src/domain/decimal.ts'
import type {
  ActionTerms,
  CorporateAction,
} from '../../../../src/domain/market-data/corporate-action.ts'
import {
  type CorporateActions,
  knownByNumber,
  NO_ACTIONS,
} from '../../../../src/domain/market-data/corporate-actions.ts'
import { priceInLastUnits } from '../../../../src/domain/market-data/paired-quote.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import { DEFAULT_SETTINGS } from '../../../../src/domain/portfolio/state.ts'
import { type LedgerEntry, NO_TERMS } from '../../../../src/domain/portfolio/transaction.ts'
import type { TransactionType } from '../../../../src/domain/portfolio/transaction-types.ts'
import { MICROSECONDS_PER_DAY } from '../../../../src/domain/time.ts'
import { action, dividend, known, merger, spinOff, split } from '../portfolio/actions.ts'
import { at } from '../portfolio/scenario.ts'

const NAMES = ['A', 'B', 'C']
const END = 100
const USD_EUR = { 'EUR/USD': decimal('1.25') }

interface Traded {
  readonly type: TransactionType
  readonly instrumentId: string
  readonly seconds: number
  readonly quantity: number
}

const name = fc.constantFrom(...NAMES)
const seconds = fc.integer({ min: 1, max: END - 1 })
const quantity = fc.integer({ min: 1, max: 9 })
/** Nothing is sold short that another instrument becomes: one holding would be long and short. */
const trades: fc.Arbitrary<Traded> = fc.oneof(
  fc.record({
    type: fc.constantFrom<TransactionType>('BUY', 'TRANSFER_IN'),
    instrumentId: name,
    seconds,
    quantity,
  }),
  fc.record({
    type: fc.constant<TransactionType>('SELL'),
    instrumentId: fc.constant('C'),
    seconds,
    quantity,
  }),
)

const terms = (target: string): fc.Arbitrary<ActionTerms> =>
  fc.oneof(
    fc.constantFrom(split(2, 1), split(3, 2), split(1, 3)),
    fc.constantFrom(
      dividend('0.5'),
      dividend('2', { currency: 'EUR', rates: USD_EUR }),
      dividend('1', { returnOfCapital: true }),
      dividend('3', { currency: 'JPY' }),
    ),
    fc.constant(spinOff(target, '0.25', '0.2')),
    fc.constantFrom(merger(target, '1.5', '2'), merger(target, '2'), merger('', '', '7')),
  )

const actions: fc.Arbitrary<Omit<CorporateAction, 'actionId'>> = name.chain((instrumentId) =>
  fc
    .record({ seconds, terms: terms(instrumentId === 'A' ? 'B' : 'D') })
    .map((each) => action(0, each.seconds, each.terms, { instrumentId })),
)
const ofTarget = fc
  .record({ seconds, terms: fc.constantFrom(split(4, 1), dividend('0.1')) })
  .map((each) => action(0, each.seconds, each.terms, { instrumentId: 'D' }))

function entryOf(
  { type, instrumentId, seconds: moment, quantity: units }: Traded,
  sequence: number,
) {
  const entry: LedgerEntry = {
    type,
    instrumentId,
    accountId: '',
    quantity: decimal(units),
    price: decimal(10),
    sequence: sequence + 1,
    version: 1,
    effectiveAt: at(moment),
    recordedAt: at(moment),
    requestId: '',
  }
  return entry
}

const DEPOSIT = { type: 'DEPOSIT', instrumentId: '', accountId: '', quantity: decimal(0) } as const

function deposit(moment: number): LedgerEntry {
  const facts = { sequence: 1_000, version: 1, requestId: '', price: decimal(0) }
  const instants = { effectiveAt: at(moment), recordedAt: at(moment) }
  return { ...DEPOSIT, ...facts, ...instants, terms: { ...NO_TERMS, amount: decimal(1_000) } }
}

function pack(entries: readonly LedgerEntry[]): PackedLedger {
  const flow = entries.find(({ type }) => type === 'DEPOSIT')?.effectiveAt ?? Infinity
  const packed = packLedger(
    entries.map(({ type, instrumentId, quantity: units, price, effectiveAt, terms: own }) => ({
      day: Math.floor(effectiveAt / MICROSECONDS_PER_DAY),
      at: effectiveAt,
      type,
      instrumentId,
      quantity: units.toNumber(),
      price: price.toNumber(),
      isTracked: effectiveAt >= flow,
      terms: own && { amount: own.amount.toString() },
    })),
  )
  const user = { userId: 'u', version: 1, baseCurrency: 'USD', timeZone: 'UTC' }
  return { ...user, lotMethod: 'FIFO', ...packed }
}

/** Units of the moment after everything, by instrument, and cash by currency. */
function endOf(ledger: PackedLedger, all: CorporateActions) {
  const { numbers, instrumentIds, currencies } = ledger
  const units = new Map(instrumentIds.map((id) => [id, 0]))
  const cash = new Map(currencies.map((currency) => [currency, 0]))
  for (const [entry, part] of numbers.parts.entries()) {
    const id = instrumentIds[part] ?? ''
    const perUnit = priceInLastUnits(all.of(id), at(END))
    if (part >= 0) units.set(id, units.get(id)! + numbers.quantities[entry]! * perUnit)
    const currency = currencies[numbers.cashCurrencies[entry]!]!
    const amount = numbers.tracked[entry] === 1 ? numbers.cashAmounts[entry]! : 0
    cash.set(currency, cash.get(currency)! + amount)
  }
  return { units, cash }
}

describe('foldActions', () => {
  it('has at the end the units and the cash of the exact fold', () => {
    fc.assert(
      fc.property(
        fc.array(trades, { minLength: 1, maxLength: 8 }),
        fc.array(fc.oneof(actions, ofTarget), { minLength: 1, maxLength: 6 }),
        // Known, and not in force yet.
        fc.array(ofTarget, { maxLength: 1 }),
        fc.option(seconds),
        (traded, acted, later, depositedAt) => {
          const entries = traded.map(entryOf)
          if (depositedAt !== null) entries.push(deposit(depositedAt))
          entries.sort((left, right) => left.effectiveAt - right.effectiveAt)
          const coming = later.map((each) => ({ ...each, effectiveAt: at(END + 50) }))
          const all = known(
            ...[...acted, ...coming].map((each, id) =>
              Object.assign({}, each, { actionId: id + 1, epoch: id }),
            ),
          )
          const due = all.dueAt(at(END))
          const settings = { ...DEFAULT_SETTINGS, allowShort: true }
          const exact = foldLedger('u', entries, settings, due)
          const { ledger } = foldActions(pack(entries), { actions: all, due })
          const { units, cash } = endOf(ledger, all)
          for (const [instrumentId, book] of exact.books) {
            const held = sum([...book.values()].map((holding) => holding.quantity)).toNumber()
            expect(units.get(instrumentId) ?? 0).toBeCloseTo(held, 9)
          }
          for (const [currency, amount] of exact.cash.balances) {
            expect(cash.get(currency) ?? 0).toBeCloseTo(amount.toNumber(), 9)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('makes nothing new of a ledger that no action concerns', () => {
    const ledger = pack([entryOf({ ...bought, seconds: 1 }, 0)])
    const all = known(action(1, 50, split(2, 1), { instrumentId: 'OTHER' }))
    expect(foldActions(ledger, { actions: all, due: all.dueAt(at(END)) }).ledger).toBe(ledger)
  })

  it('names what it leaves out, and has fewer of the last units then', () => {
    const ledger = pack([entryOf({ ...bought, seconds: 1 }, 0)])
    const all = known(action(1, 50, split(2, 1), { instrumentId: 'A' }))
    const due = all.dueAt(at(END))
    const leftOut = new Set(['A', 'OTHER'])
    const acted = foldActions(ledger, { actions: all, due }, { fitting: NO_ACTIONS, leftOut })
    expect([...acted.leftOut]).toEqual(['A'])
    expect([...acted.ledger.numbers.quantities]).toEqual([8, -4])
    expect([...acted.ledger.numbers.prices]).toEqual([5, 10])
  })

  it('has more of the last units where a split was taken back that something recorded needs', () => {
    const ledger = pack([entryOf({ ...bought, seconds: 1 }, 0)])
    const recorded = known(action(1, 50, split(2, 1), { instrumentId: 'A' })).all()[0]!
    const all = known({ ...recorded, reversedAt: at(60), epoch: 2 })
    const due = all.dueAt(at(END))
    const fitting = knownByNumber(due, new Map([['A', 1]]))
    const acted = foldActions(ledger, { actions: all, due }, { fitting, leftOut: new Set(['A']) })
    expect([...acted.leftOut]).toEqual(['A'])
    expect([...acted.ledger.numbers.quantities]).toEqual([4, 4])
    expect([...acted.ledger.numbers.prices]).toEqual([10, 5])
  })

  it('lets the actions work that fit, beside those that do not', () => {
    const ledger = pack([
      entryOf({ ...bought, seconds: 1 }, 0),
      entryOf({ ...bought, seconds: 2, instrumentId: 'B' }, 1),
    ])
    const all = known(
      action(1, 50, dividend('3'), { instrumentId: 'A' }),
      action(2, 51, dividend('2'), { instrumentId: 'B' }),
    )
    const due = all.dueAt(at(END))
    const fitting = knownByNumber(due, new Map([['A', 0]]))
    const acted = foldActions(ledger, { actions: all, due }, { fitting, leftOut: new Set(['A']) })
    expect([...acted.ledger.numbers.cashAmounts].slice(2)).toEqual([8])
  })

  it('has a dividend of which nobody knows a rate as money of its own currency, and names it', () => {
    const ledger = pack([entryOf({ ...bought, seconds: 1 }, 0)])
    const all = known(action(1, 50, dividend('3', { currency: 'JPY' }), { instrumentId: 'A' }))
    const acted = foldActions(ledger, { actions: all, due: all.dueAt(at(END)) })
    expect([...acted.leftOut]).toEqual(['A'])
    const { cash, cashAmounts, cashCurrencies } = acted.ledger.numbers
    expect([cash[1], cashAmounts[1], acted.ledger.currencies[cashCurrencies[1]!]]).toEqual([
      0,
      12,
      'JPY',
    ])
  })

  it('lets a merger for money of which nobody knows a rate not work', () => {
    const ledger = pack([entryOf({ ...bought, seconds: 1 }, 0)])
    const cash = { perUnit: decimal(3), currency: 'JPY', rates: {} }
    const all = known(
      action(1, 50, { ...merger('', '0'), cash } as ActionTerms, { instrumentId: 'A' }),
    )
    const acted = foldActions(ledger, { actions: all, due: all.dueAt(at(END)) })
    expect([...acted.leftOut]).toEqual(['A'])
    expect(acted.ledger.numbers.days).toHaveLength(1)
  })

  it.each<[string, TransactionType, number, boolean]>([
    ['a transfer out after a split', 'TRANSFER_OUT', 60, true],
    ['a transfer out before it', 'TRANSFER_OUT', 40, false],
    ['a sale after it', 'SELL', 60, false],
    ['a transfer out after a split that was taken back', 'TRANSFER_OUT', 61, true],
  ])('has %s looked at exactly or not', (_, type, moment, needed) => {
    const leaving = entryOf({ ...bought, type, seconds: moment }, 1)
    const ledger = pack([entryOf({ ...bought, seconds: 1 }, 0), leaving])
    const reversed = moment === 61 ? { reversedAt: at(70), epoch: 2 } : {}
    const all = known(action(1, 50, split(1, 2), { instrumentId: 'A', ...reversed }))
    expect(needsExactFold(ledger, all.dueAt(at(END)))).toBe(needed)
  })
})

const bought = { type: 'BUY', instrumentId: 'A', quantity: 4 } as const
