import { describe, expect, it } from '@jest/globals'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import { summaryOf } from '../../../../src/domain/portfolio/summary.ts'
import type { Valuation } from '../../../../src/domain/portfolio/valuation.ts'
import { instantOfTimestamp, rfc3339 } from '../../../../src/domain/time.ts'
import { at, buy, Scenario, sell, transferIn, transferOut } from './scenario.ts'
import { plain } from './stored-rows.ts'

function figures({ totalValue, result, simpleReturn }: Valuation) {
  const { realized, unrealized, total } = result
  return plain({ totalValue, realized, unrealized, profitLoss: total, simpleReturn })
}

describe('worked cases', () => {
  it('V1: a simple gain', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1))
    const valuation = scenario.value({ ACME: '120' })
    expect(figures(valuation)).toEqual({
      totalValue: '1200',
      realized: '0',
      unrealized: '200',
      profitLoss: '200',
      simpleReturn: '0.2',
    })
    expect(summaryOf(valuation)).toEqual({
      totalValue: 1200,
      totalProfitLoss: 200,
      performancePercentage: 20,
      assets: [{ symbol: 'ACME', quantity: 10, currentValue: 1200, profitLoss: 200 }],
    })
  })

  it('V2: first in, first out', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), buy('10', '130', 2), sell('12', '150', 3))
    const valuation = scenario.value({ ACME: '140' })
    expect(figures(valuation)).toEqual({
      totalValue: '1120',
      realized: '540',
      unrealized: '80',
      profitLoss: '620',
      simpleReturn: '0.2695652173913043478260869565217391',
    })
    expect(summaryOf(valuation).performancePercentage).toBe(26.956521739130434)
  })

  it('V2: average cost splits the same total otherwise', () => {
    const scenario = new Scenario({ lotMethod: 'AVERAGE_COST' })
    scenario.record(buy('10', '100', 1), buy('10', '130', 2), sell('12', '150', 3))
    const valuation = scenario.value({ ACME: '140' })
    expect(figures(valuation)).toEqual({
      totalValue: '1120',
      realized: '420',
      unrealized: '200',
      profitLoss: '620',
      simpleReturn: '0.2695652173913043478260869565217391',
    })
    expect(scenario.lots()).toEqual(['8 for 920'])
  })

  it('V3: a transfer in carries its cost', () => {
    const scenario = new Scenario()
    scenario.record(transferIn('5', '80', 1))
    expect(figures(scenario.value({ ACME: '100' }))).toEqual({
      totalValue: '500',
      realized: '0',
      unrealized: '100',
      profitLoss: '100',
      simpleReturn: '0.25',
    })
  })

  it('V4: a transfer out realises nothing and takes its cost along', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), transferOut('4', 2))
    expect(decimalText(scenario.holding().quantity)).toBe('6')
    expect(figures(scenario.value({ ACME: '120' }))).toEqual({
      totalValue: '720',
      realized: '0',
      unrealized: '120',
      profitLoss: '120',
      simpleReturn: '0.2',
    })
  })

  it('V10: ten times 0.1 is exactly one', () => {
    const scenario = new Scenario()
    for (let count = 0; count < 10; count += 1) {
      scenario.record({ ...buy('1', '1', count), quantity: decimal(0.1) })
    }
    scenario.record({ ...sell('1', '1', 10), quantity: decimal(1) })
    const { quantity, basis, realized, lots } = scenario.holding()
    expect(plain({ quantity, basis, realized, lots })).toEqual({
      quantity: '0',
      basis: '0',
      realized: '0',
      lots: [],
    })
    expect(scenario.value({ ACME: '2' }).assets).toEqual([])
  })

  it('V12: a batch is applied by effective time', () => {
    const scenario = new Scenario()
    scenario.record(sell('5', '11', 2), buy('5', '10', 1))
    expect(decimalText(scenario.holding().realized)).toBe('5')

    const error = new Scenario().refuse(sell('5', '11', 1), buy('5', '10', 2))
    expect(error.reason).toBe('INSUFFICIENT_QUANTITY')
    expect(error.metadata['index']).toBe('0')
  })

  it('V13: a backdated sale that a later one needs is refused with the later moment', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('10', '110', 5))
    const before = scenario.state
    const error = scenario.refuse(sell('1', '105', 3))
    expect(error.reason).toBe('INSUFFICIENT_QUANTITY')
    expect(error.metadata).toEqual({
      symbol: 'ACME',
      index: '0',
      held: '9',
      needed: '10',
      at: '2020-01-01T00:00:05Z',
    })
    expect(scenario.state).toBe(before)
  })

  it('V15: twins are four true fills, and only warned about', () => {
    const scenario = new Scenario()
    const first = scenario.record(buy('1', '10', 1), buy('1', '10', 1))
    const second = scenario.record(buy('1', '10', 1), buy('1', '10', 1))
    expect(scenario.lots()).toEqual(['1 for 10', '1 for 10', '1 for 10', '1 for 10'])
    expect(first.warnings).toEqual([{ index: 1, reason: 'POSSIBLE_DUPLICATE' }])
    expect(second.warnings).toEqual([
      { index: 0, reason: 'POSSIBLE_DUPLICATE' },
      { index: 1, reason: 'POSSIBLE_DUPLICATE' },
    ])
  })

  it('V16: the order of arrival leaves no trace in lots and results', () => {
    const requests = [
      buy('10', '100', 1),
      buy('10', '130', 2),
      sell('4', '150', 3),
      transferOut('3', 4),
      buy('1', '90', 5),
    ]
    const outcomes = [
      [0, 1, 2, 3, 4],
      [4, 1, 0, 3, 2],
      [1, 3, 2, 0, 4],
      [0, 3, 4, 2, 1],
    ].map((order) => {
      const scenario = new Scenario()
      for (const index of order) scenario.record(requests[index]!)
      return { lots: scenario.lots(), result: figures(scenario.value({ ACME: '140' })) }
    })
    expect(outcomes[0]!.lots).toEqual(['3 for 300', '10 for 1300', '1 for 90'])
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0])
  })

  it('V17: a timestamp is read by its magnitude', () => {
    const texts = [
      1_700_000_000n,
      1_700_000_000_000n,
      1_700_000_000_000_000n,
      1_700_000_000_000_000_000n,
    ].map((timestamp) => rfc3339(instantOfTimestamp(timestamp) ?? at(0)))
    expect(new Set(texts)).toEqual(new Set(['2023-11-14T22:13:20Z']))
  })
})
