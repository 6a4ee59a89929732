import { describe, expect, it } from '@jest/globals'
import { PortfolioError } from '../../../../src/domain/errors.ts'
import { refusalError } from '../../../../src/domain/portfolio/refusal.ts'
import { buy, Scenario, sell, transferOut } from './scenario.ts'

const OTHER = { instrumentId: 'OTHER' }

describe('INSUFFICIENT_QUANTITY', () => {
  it('names symbol, index, moment, what is held and what is needed', () => {
    const scenario = new Scenario()
    scenario.record(buy('1.50', '10', 1))
    const error = scenario.refuse(
      buy('1', '10', 2, OTHER),
      transferOut('0.25', 3),
      sell('2', '9', 4),
    )
    expect(error).toBeInstanceOf(PortfolioError)
    expect(error.reason).toBe('INSUFFICIENT_QUANTITY')
    expect(error.metadata).toEqual({
      symbol: 'ACME',
      index: '2',
      held: '1.25',
      needed: '2',
      at: '2020-01-01T00:00:04Z',
    })
    expect(error.message).toBe('transactions[2]: ACME: 2 needed at 2020-01-01T00:00:04Z, 1.25 held')
    expect(error.violations).toEqual([
      {
        field: 'transactions[2]',
        reason: 'INSUFFICIENT_QUANTITY',
        description: 'ACME: 2 needed at 2020-01-01T00:00:04Z, 1.25 held',
      },
    ])
  })

  it('of a recorded transaction blames the latest earlier one of the request in that symbol', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('10', '110', 5))
    const error = scenario.refuse(
      buy('9', '1', 9),
      sell('1', '105', 4),
      sell('1', '105', 2),
      buy('1', '105', 4.5, OTHER),
      buy('0.5', '105', 3),
    )
    expect(error.metadata).toMatchObject({ index: '1', at: '2020-01-01T00:00:05Z', held: '8.5' })
  })

  it('blames the later in the request of two at one moment', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('10', '110', 5))
    expect(scenario.refuse(sell('1', '1', 3), sell('1', '1', 3)).metadata['index']).toBe('1')
  })

  it('names the first moment that fails, not the last', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('6', '110', 5), sell('4', '110', 6))
    const error = scenario.refuse(sell('5', '1', 2))
    expect(error.metadata).toMatchObject({ held: '5', needed: '6', at: '2020-01-01T00:00:05Z' })
  })

  it('gives one violation for each instrument, the first in request order as the reason', () => {
    const error = new Scenario().refuse(
      sell('3', '1', 7, OTHER),
      buy('1', '1', 1),
      sell('2', '1', 2),
      sell('9', '1', 3),
    )
    expect(error.violations.map(({ field }) => field)).toEqual([
      'transactions[0]',
      'transactions[2]',
    ])
    expect(error.metadata).toMatchObject({ symbol: 'OTHER', index: '0' })
    // The order of instruments in the request is not that of their failing transactions.
    const swapped = new Scenario().refuse(
      buy('1', '1', 1),
      sell('3', '1', 7, OTHER),
      sell('2', '1', 2),
    )
    expect(swapped.violations.map(({ field }) => field)).toEqual([
      'transactions[1]',
      'transactions[2]',
    ])
    expect(swapped.metadata).toMatchObject({ symbol: 'OTHER', index: '1' })
  })
})

describe('other refusals', () => {
  it('say what to do', () => {
    const scenario = new Scenario({ lotMethod: 'SPECIFIC_ID' })
    scenario.record(buy('1', '1', 1), buy('1', '1', 2))
    expect(scenario.refuse(sell('1', '1', 3)).message).toBe(
      'transactions[0]: ACME: the sale at 2020-01-01T00:00:03Z must name its lots',
    )
  })

  it('are never made of nothing', () => {
    expect(() => refusalError([], [])).toThrow('needs a reason')
  })
})
