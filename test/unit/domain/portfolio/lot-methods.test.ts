import { describe, expect, it } from '@jest/globals'
import { decimalText } from '../../../../src/domain/decimal.ts'
import { type LotMethod, lotMethods } from '../../../../src/domain/portfolio/lot-methods.ts'
import { buy, Scenario, sell, transferIn, transferOut } from './scenario.ts'

const A_SALE_OF_TWELVE: Record<Exclude<LotMethod, 'SPECIFIC_ID'>, [string, string[]]> = {
  FIFO: ['540', ['8 for 1040', '10 for 1150']],
  LIFO: ['390', ['10 for 1000', '8 for 1040']],
  HIFO: ['270', ['10 for 1000', '8 for 920']],
  LOFO: ['570', ['10 for 1300', '8 for 920']],
  AVERAGE_COST: ['420', ['8 for 920', '10 for 1150']],
}

/** Ten each at 100, 130 and 115. */
function threeLots(lotMethod: LotMethod): Scenario {
  const scenario = new Scenario({ lotMethod })
  scenario.record(buy('10', '100', 1), buy('10', '130', 2), buy('10', '115', 3))
  return scenario
}

describe('lot methods', () => {
  it.each(Object.entries(A_SALE_OF_TWELVE))('%s chooses its lots', (method, [realized, lots]) => {
    const scenario = threeLots(method as LotMethod)
    const { matches } = scenario.record(sell('12', '150', 4))
    expect(decimalText(scenario.holding().realized)).toBe(realized)
    expect(scenario.lots()).toEqual(lots)
    expect(matches.map(({ match }) => match.rule)).toEqual([method, method])
    const { realized: sold, unrealized, total } = scenario.value({ ACME: '140' }).result
    expect(decimalText(sold.plus(unrealized))).toBe('870')
    expect(decimalText(total)).toBe('870')
  })

  it('takes lots of equal cost in order of acquisition', () => {
    for (const lotMethod of ['HIFO', 'LOFO'] as const) {
      const scenario = new Scenario({ lotMethod })
      scenario.record(buy('1', '7', 1), buy('2', '7', 2), buy('3', '7', 3))
      scenario.record(sell('1', '9', 4))
      expect(scenario.lots()).toEqual(['2 for 14', '3 for 21'])
    }
  })

  it('compares the cost of a unit, not of a lot', () => {
    const scenario = new Scenario({ lotMethod: 'HIFO' })
    scenario.record(buy('100', '1', 1), buy('1', '2', 2), sell('1', '3', 3))
    expect(scenario.lots()).toEqual(['100 for 100'])
  })

  it('counts a lot of unknown cost as free', () => {
    for (const [lotMethod, remaining] of [
      ['HIFO', '5 for unknown'],
      ['LOFO', '5 for 50'],
    ] as const) {
      const scenario = new Scenario({ lotMethod })
      scenario.record(transferIn('5', '0', 1), buy('5', '10', 2), sell('5', '20', 3))
      expect(scenario.lots()).toEqual([remaining])
    }
  })

  it('leaves units of unknown cost out of the average', () => {
    const scenario = new Scenario({ lotMethod: 'AVERAGE_COST' })
    scenario.record(transferIn('5', '0', 1), buy('10', '100', 2), buy('10', '130', 3))
    scenario.record(sell('7', '150', 4))
    expect(scenario.lots()).toEqual(['8 for 920', '10 for 1150'])
    // Five came in without a cost: only the other two have a result.
    expect(decimalText(scenario.holding().realized)).toBe('70')
  })

  it('averages anew at each disposal', () => {
    const scenario = new Scenario({ lotMethod: 'AVERAGE_COST' })
    scenario.record(buy('10', '100', 1), buy('10', '130', 2), sell('10', '150', 3))
    scenario.record(buy('10', '145', 4), sell('5', '150', 5))
    // 10 at 115 and 10 at 145 make 130.
    expect(scenario.lots()).toEqual(['5 for 650', '10 for 1300'])
    expect(decimalText(scenario.holding().realized)).toBe('450')
  })

  it('gives the last lot the remainder of an average that does not divide', () => {
    const scenario = new Scenario({ lotMethod: 'AVERAGE_COST' })
    scenario.record(buy('1', '1', 1), buy('1', '0.5', 2), buy('1', '0.5', 3), sell('1', '1', 4))
    expect(scenario.lots()).toEqual([
      '1 for 0.6666666666666666666666666666666667',
      '1 for 0.6666666666666666666666666666666666',
    ])
    expect(decimalText(scenario.holding().basis)).toBe('1.3333333333333333333333333333333333')
  })

  it('lets a transfer out take the average along', () => {
    const scenario = new Scenario({ lotMethod: 'AVERAGE_COST' })
    scenario.record(buy('10', '100', 1), buy('10', '130', 2), transferOut('5', 3))
    expect(decimalText(scenario.holding().basis)).toBe('1725')
    expect(decimalText(scenario.holding().capital)).toBe('1725')
  })

  it('lets a transfer out take the first lots in, whatever the method of sales', () => {
    for (const lotMethod of ['LIFO', 'HIFO', 'SPECIFIC_ID'] as const) {
      const scenario = threeLots(lotMethod)
      scenario.record(transferOut('12', 4))
      expect(scenario.lots()).toEqual(['8 for 1040', '10 for 1150'])
    }
  })

  it('offers exactly the methods of decision 24', () => {
    expect(Object.keys(lotMethods)).toEqual([...Object.keys(A_SALE_OF_TWELVE), 'SPECIFIC_ID'])
  })
})

describe('SPECIFIC_ID', () => {
  it('refuses a sale that leaves open which lots it takes', () => {
    const error = threeLots('SPECIFIC_ID').refuse(buy('1', '120', 4), sell('12', '150', 5))
    expect(error.reason).toBe('LOTS_REQUIRED')
    expect(error.metadata['index']).toBe('1')
  })

  it('accepts a sale of everything', () => {
    const scenario = threeLots('SPECIFIC_ID')
    scenario.record(sell('30', '150', 4))
    expect(decimalText(scenario.holding().realized)).toBe('1050')
  })

  it('accepts a sale from the only open lot', () => {
    const scenario = new Scenario({ lotMethod: 'SPECIFIC_ID' })
    scenario.record(buy('10', '100', 1), sell('4', '150', 2))
    expect(scenario.lots()).toEqual(['6 for 600'])
  })

  it('names an oversell as such', () => {
    expect(threeLots('SPECIFIC_ID').refuse(sell('31', '150', 4)).reason).toBe(
      'INSUFFICIENT_QUANTITY',
    )
  })
})
