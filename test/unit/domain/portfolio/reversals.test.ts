import { describe, expect, it } from '@jest/globals'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import { activeEntries } from '../../../../src/domain/portfolio/reversals.ts'
import type { TransactionDraft } from '../../../../src/domain/portfolio/transaction.ts'
import { reversalOf, rich } from './rich-drafts.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { plain, rowsOfState } from './stored-rows.ts'

describe('a reversal', () => {
  it('takes a transaction back as if it had never been', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('10', '130', 2), sell('5', '150', 3))
    scenario.record(reversalOf(scenario.ledger[0]!))
    expect(scenario.lots()).toEqual(['5 for 650'])
    expect(plain(scenario.holding())).toMatchObject({ realized: '100', capital: '1300' })
    expect(scenario.ledger.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
  })

  it('leaves what was known before it in the ledger', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1))
    const before = scenario.state
    scenario.record(reversalOf(scenario.ledger[0]!))
    const known = foldLedger('user-1', scenario.ledger.slice(0, 1), before.settings)
    expect(plain(known)).toEqual(plain(before))
    expect(plain(scenario.holding().quantity)).toBe('0')
  })

  it('of all that an account ever had empties its row', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('1', '100', 2, { accountId: 'A' }))
    scenario.record(reversalOf(scenario.ledger[0]!))
    expect(scenario.rows.content()).toEqual(rowsOfState(scenario.state, []))
    expect(scenario.holding()).toMatchObject({ lotCount: 0, transactionCount: 0 })
    expect(scenario.value({ ACME: '1' }).positions).toHaveLength(1)
    scenario.record(buy('2', '50', 1))
    expect(scenario.lots()).toEqual(['2 for 100'])
  })

  it('and a replacement come together', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('5', '150', 3))
    const change = scenario.record(reversalOf(scenario.ledger[0]!), buy('8', '90', 2))
    expect(scenario.lots()).toEqual(['3 for 270'])
    expect(change.after.version).toBe(2)
    expect(change.entries.map(({ entry }) => entry.sequence)).toEqual([3, 4])
  })

  it('may be replaced by a transaction of another instrument', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1))
    scenario.record(reversalOf(scenario.ledger[0]!), buy('10', '100', 1, { instrumentId: 'B' }))
    expect(plain(scenario.holding().quantity)).toBe('0')
    expect(scenario.lots('', 'B')).toEqual(['10 for 1000'])
  })

  it('supersedes the matches from the moment of what it takes back', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('2', '150', 2), sell('3', '160', 3))
    scenario.record(reversalOf(scenario.ledger[1]!))
    expect(plain(scenario.rows.matches().map(({ disposalSequence }) => disposalSequence))).toEqual([
      3,
    ])
  })

  it('that leaves a later sale uncovered is refused, and blamed', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('5', '150', 2))
    const before = scenario.state
    const error = scenario.refuse(reversalOf(scenario.ledger[0]!))
    expect(error).toMatchObject({
      reason: 'INSUFFICIENT_QUANTITY',
      metadata: { index: '0', held: '0', needed: '5', at: '2020-01-01T00:00:02Z' },
    })
    expect(scenario.state).toBe(before)
  })

  it('that leaves a named lot unopened is refused', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('10', '100', 2))
    scenario.record(rich('SELL', 3, { quantity: '5', price: '1', lots: [['2.0', '5']] }))
    expect(scenario.refuse(reversalOf(scenario.ledger[1]!)).reason).toBe('LOT_NOT_OPEN')
  })

  it('of what is reversed already is refused', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1))
    scenario.record(reversalOf(scenario.ledger[0]!))
    expect(scenario.refuse(reversalOf(scenario.ledger[0]!)).reason).toBe('ALREADY_REVERSED')
  })

  it('of a reversal is refused: record the transaction again', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1))
    scenario.record(reversalOf(scenario.ledger[0]!))
    expect(scenario.refuse(reversalOf(scenario.ledger[1]!)).reason).toBe('TRANSACTION_NOT_FOUND')
  })

  it('of what is not in the ledger is refused', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1))
    const unknown = { ...scenario.ledger[0]!, sequence: 9 }
    expect(scenario.refuse(reversalOf(unknown)).reason).toBe('TRANSACTION_NOT_FOUND')
  })

  it('of income and of charges takes them from the sums', () => {
    const scenario = new Scenario()
    scenario.record(
      rich('DIVIDEND', 1, { amount: '10', tax: '2' }),
      rich('FEE', 2, { amount: '3' }),
    )
    scenario.record(reversalOf(scenario.ledger[0]!))
    scenario.record(reversalOf(scenario.ledger[1]!))
    expect(plain(scenario.value({}).result)).toMatchObject({
      income: '0',
      fees: '0',
      taxes: '0',
      total: '0',
    })
  })
})

describe('activeEntries', () => {
  it('are all where none is taken back', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '1', 1), rich('DIVIDEND', 2, { amount: '1' }))
    expect(activeEntries(scenario.ledger)).toBe(scenario.ledger)
  })

  it('leave out both the reversed one and its reversal', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '1', 1), buy('2', '1', 2))
    scenario.record(reversalOf(scenario.ledger[0]!))
    expect(activeEntries(scenario.ledger)).toEqual([scenario.ledger[1]])
  })
})

const warningsOf = (...drafts: readonly TransactionDraft[]) =>
  new Scenario().record(...drafts).warnings.map(({ index, reason }) => `${index}:${reason}`)

describe('warnings of rich transactions', () => {
  it('tell two amounts, currencies and counter amounts from look-alikes', () => {
    expect(
      warningsOf(
        rich('DEPOSIT', 1, { amount: '10' }),
        rich('DEPOSIT', 1, { amount: '11' }),
        rich('DEPOSIT', 1, { amount: '10', currency: 'EUR', exchangeRate: '1.1' }),
        rich('DEPOSIT', 1, { amount: '10' }),
      ),
    ).toEqual(['3:POSSIBLE_DUPLICATE'])
  })
})
