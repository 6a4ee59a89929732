import { describe, expect, it } from '@jest/globals'
import { decimalText } from '../../../../src/domain/decimal.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import { staleInstruments } from '../../../../src/domain/portfolio/linked-fold.ts'
import { rulesOfThePast } from '../../../../src/domain/portfolio/past-fold.ts'
import { action, learn, merger, read, said, spinOff, split, totals } from './actions.ts'
import { rich } from './rich-drafts.ts'
import { at, buy, Scenario, sell, transferIn, transferOut } from './scenario.ts'
import { plain } from './stored-rows.ts'

describe('a split', () => {
  it('multiplies what was bought before its ex-date, and nothing bought on it or after', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, split(4, 1)))
    scenario.record(buy('10', '400', 50), buy('4', '110', 100), buy('1', '120', 150))
    expect(scenario.lots()).toEqual(['40 for 4000', '4 for 440', '1 for 120'])
    expect(totals(scenario)).toEqual(['45', '4560', '0', '0'])
  })

  it('recorded late is in what is read next, and written by the next write', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '400', 50), sell('2', '120', 150))
    learn(scenario, action(1, 100, split(4, 1)))
    expect(scenario.lots()).toEqual(['8 for 3200'])
    expect(read(scenario).lots()).toEqual(['38 for 3800'])
    expect(totals(read(scenario))).toEqual(['38', '3800', '40', '0'])
    scenario.record(buy('1', '7', 200, { instrumentId: 'OTHER' }))
    expect(scenario.lots()).toEqual(['38 for 3800'])
    expect(scenario.rows.matches().map(({ gain }) => gain && decimalText(gain))).toEqual(['40'])
    expect(staleInstruments(scenario.state, scenario.actions.dueAt(scenario.now)).size).toBe(0)
  })

  it('takes in a purchase that is recorded across it later', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '400', 50), buy('1', '100', 150))
    learn(scenario, action(1, 100, split(4, 1)))
    scenario.record(buy('1', '300', 60))
    expect(scenario.lots()).toEqual(['40 for 4000', '4 for 300', '1 for 100'])
    const first = new Scenario()
    learn(first, action(1, 100, split(4, 1)))
    first.record(buy('2', '200', 99))
    expect(first.lots()).toEqual(['8 for 400'])
  })

  it('reversed is gone from what is read and written', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, split(4, 1)))
    scenario.record(buy('10', '400', 50))
    learn(scenario, action(1, 100, split(4, 1), { reversedAt: scenario.now, epoch: 2 }))
    expect(read(scenario).lots()).toEqual(['10 for 4000'])
    scenario.record(buy('1', '400', 150))
    expect(scenario.lots()).toEqual(['10 for 4000', '1 for 400'])
  })

  it('is not in force before its ex-date, and is without another word from then on', () => {
    const scenario = new Scenario()
    const day = 86_400 * 365 * 4 + 86_400 * 30
    learn(scenario, action(1, day, split(2, 1)))
    scenario.record(buy('10', '4', 50))
    expect(read(scenario).lots()).toEqual(['10 for 40'])
    scenario.now = at(day)
    expect(read(scenario).lots()).toEqual(['20 for 40'])
  })

  it('in reverse leaves fractions, of which nothing is lost and all can be sold', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, split(1, 3)))
    scenario.record(buy('5', '1', 50), buy('5', '2', 60))
    expect(scenario.lots()).toEqual(['1.666666666666666667 for 5', '1.666666666666666666 for 10'])
    scenario.record(sell('3.333333333333333333', '6', 150))
    expect(totals(scenario)).toEqual(['0', '0', '4.999999999999999998', '0'])
  })

  it('recorded after a sale that it makes impossible does not stop the portfolio', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '1', 50), sell('8', '1', 150))
    learn(scenario, action(1, 100, split(1, 10)))
    expect(totals(read(scenario))[0]).toBe('-7')
    scenario.record(buy('1', '1', 200, { instrumentId: 'OTHER' }))
    expect(totals(scenario)[0]).toBe('-7')
    const refused = new Scenario()
    learn(refused, action(1, 100, split(1, 10)))
    refused.record(buy('10', '1', 50))
    expect(refused.refuse(sell('2', '1', 150)).metadata['held']).toBe('1')
  })

  it('recorded after a sale of a named lot that it makes impossible is left out', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '1', 50), buy('10', '2', 60))
    scenario.record(rich('SELL', 150, { quantity: '8', price: '3', lots: [['1.0', '8']] }))
    learn(scenario, action(1, 100, split(1, 2)))
    expect(read(scenario).lots()).toEqual(['2 for 2', '10 for 20'])
    expect(said(read(scenario))).toMatchObject({
      completeness: 'PARTIAL',
      issues: [{ reason: 'ACTION_LEFT_OUT' }],
    })
    scenario.record(buy('1', '1', 200))
    scenario.record(buy('1', '1', 210))
    expect(scenario.lots()).toEqual(['2 for 2', '10 for 20', '1 for 1', '1 for 1'])
    expect(said(scenario).issues.map(({ reason }) => reason)).toEqual(['ACTION_LEFT_OUT'])
  })

  it.each([
    // 30 sold of 40, of which there were 10 only: 20 are owed.
    ['a sale', sell('30', '30', 150), '-20', false],
    // Never short: for these the split stays in force, and the answer says so.
    ['a transfer', transferOut('30', 150), '10', true],
    [
      'a sale of a lot',
      rich('SELL', 150, { quantity: '30', price: '30', lots: [['1.0', '30']] }),
      '10',
      true,
    ],
  ])(
    'reversed after %s that needs it does not stop the portfolio',
    (_name, sent, left, isNamed) => {
      const scenario = new Scenario()
      learn(scenario, action(1, 100, split(4, 1)))
      scenario.record(buy('10', '100', 50))
      scenario.record(sent)
      learn(scenario, action(1, 100, split(4, 1), { reversedAt: scenario.now, epoch: 2 }))
      for (let write = 0; write < 3; write += 1) {
        const seen = read(scenario)
        expect(totals(seen)[0]).toBe(left)
        const reasons = said(seen).issues.map(({ reason }) => reason)
        expect(reasons.includes('ACTION_LEFT_OUT')).toBe(isNamed)
        scenario.record(buy('1', '1', 200 + write, { instrumentId: 'OTHER' }))
      }
      scenario.record(buy('1', '1', 300))
      expect(Number(totals(scenario)[0])).toBe(Number(left) + 1)
      const due = scenario.actions.dueAt(scenario.now)
      const whole = foldLedger(
        'user-1',
        scenario.ledger,
        rulesOfThePast(scenario.state.settings),
        due,
      )
      expect(plain(whole.books.get('ACME'))).toEqual(plain(scenario.state.books.get('ACME')))
    },
  )

  it('recorded late is left out alone, where an earlier one is needed', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, split(4, 1)))
    scenario.record(buy('10', '100', 50), transferOut('30', 150))
    learn(scenario, action(2, 120, split(1, 10)))
    expect(totals(read(scenario))[0]).toBe('10')
    expect(said(read(scenario)).completeness).toBe('PARTIAL')
    learn(scenario, action(1, 100, split(4, 1), { reversedAt: scenario.now, epoch: 3 }))
    expect(totals(read(scenario))[0]).toBe('10')
    // Corrected: what is known now goes with all that was recorded.
    learn(scenario, action(2, 120, split(1, 10), { reversedAt: scenario.now, epoch: 4 }))
    learn(scenario, action(5, 100, split(4, 1)))
    expect(totals(read(scenario))[0]).toBe('10')
    expect(said(read(scenario)).issues).toEqual([])
  })

  it('keeps units of unknown cost unknown, and every account its own', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, split(3, 2)))
    scenario.record(transferIn('3', '0', 50), buy('1', '6', 60, { accountId: 'broker' }))
    expect(scenario.lots()).toEqual(['4.5 for unknown'])
    expect(decimalText(scenario.holding().unknownQuantity)).toBe('4.5')
    expect(scenario.lots('broker')).toEqual(['1.5 for 6'])
  })
})

describe('what passes to another instrument', () => {
  it('spun off has its part of the basis and the dates of its lots', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, spinOff('CHILD', '0.5', '0.2')))
    scenario.record(buy('10', '10', 50), buy('3', '20', 60))
    expect(scenario.lots()).toEqual(['10 for 80', '3 for 48'])
    expect(scenario.lots('', 'CHILD')).toEqual(['5 for 20', '1.5 for 12'])
    expect(scenario.holding('', 'CHILD').lots!.map(({ acquiredAt }) => acquiredAt)).toEqual([
      at(50),
      at(60),
    ])
    scenario.record(sell('5', '7', 150, { instrumentId: 'CHILD' }))
    expect(totals(scenario, 'CHILD')).toEqual(['1.5', '12', '15', '0'])
    scenario.record(buy('2', '30', 70))
    expect(scenario.lots('', 'CHILD')).toEqual(['1.5 for 12', '1 for 12'])
  })

  it('cannot be sold where a backdated sale leaves less to come from', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, spinOff('CHILD', '1', '0.5')))
    scenario.record(buy('10', '10', 50))
    scenario.record(sell('10', '7', 150, { instrumentId: 'CHILD' }))
    const refused = scenario.refuse(sell('1', '10', 60))
    expect(refused).toMatchObject({
      reason: 'INSUFFICIENT_QUANTITY',
      metadata: { symbol: 'CHILD', index: '0', held: '9', needed: '10' },
    })
  })

  it('merged for units goes on with its basis and dates', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, merger('BIG', '0.25')))
    scenario.record(buy('10', '10', 50), buy('1', '9', 80, { instrumentId: 'BIG' }))
    expect(totals(scenario)).toEqual(['0', '0', '0', '0'])
    expect(scenario.lots('', 'BIG')).toEqual(['2.5 for 100', '1 for 9'])
    expect(scenario.holding('', 'BIG').lots![0]!.acquiredAt).toBe(at(50))
  })

  it('merged for cash is sold', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '10', 50), buy('10', '13', 60))
    learn(scenario, action(7, 100, merger('', '', '15')))
    expect(totals(read(scenario))).toEqual(['0', '0', '70', '0'])
    scenario.record(buy('1', '1', 150))
    expect(totals(scenario)).toEqual(['1', '1', '70', '0'])
    expect(
      scenario.rows
        .matches()
        .map(({ disposalSequence, part, gain }) => [
          disposalSequence,
          part,
          gain && decimalText(gain),
        ]),
    ).toEqual([
      [-7, 0, '50'],
      [-7, 1, '20'],
    ])
  })

  it('merged for both takes the cash off the basis, and realises what exceeds it', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, merger('BIG', '2', '4')))
    scenario.record(buy('10', '3', 50), buy('10', '13', 60))
    expect(totals(scenario)).toEqual(['0', '0', '10', '0'])
    expect(scenario.lots('', 'BIG')).toEqual(['20 for 0', '20 for 90'])
  })

  it('goes on through a chain of actions', () => {
    const scenario = new Scenario()
    const inMiddle = { instrumentId: 'MIDDLE' }
    learn(
      scenario,
      action(1, 100, merger('MIDDLE', '2')),
      action(2, 200, split(3, 1), inMiddle),
      action(3, 300, spinOff('ACME', '1', '0.25'), inMiddle),
    )
    scenario.record(buy('1', '60', 50), buy('1', '1', 250, inMiddle))
    expect(scenario.lots('', 'MIDDLE')).toEqual(['6 for 45', '1 for 0.75'])
    expect(scenario.lots()).toEqual(['6 for 15', '1 for 0.25'])
  })
})
