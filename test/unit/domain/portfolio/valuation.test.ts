import { describe, expect, it } from '@jest/globals'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import type { Quote } from '../../../../src/domain/market-data/quote.ts'
import { detailOf } from '../../../../src/domain/portfolio/detail.ts'
import {
  resultOfPosition,
  type Valuation,
  valuePortfolio,
} from '../../../../src/domain/portfolio/valuation.ts'
import {
  buy,
  NOW,
  quote,
  quoteSource,
  Scenario,
  sell,
  transferIn,
  transferOut,
} from './scenario.ts'
import { plain } from './stored-rows.ts'

const OTHER = { instrumentId: 'OTHER' }

describe('totals (decisions 19 to 22)', () => {
  it('add up: value of all positions, realised plus unrealised', () => {
    const scenario = new Scenario()
    scenario.record(buy('10', '100', 1), sell('4', '110', 2), buy('3', '7', 1, OTHER))
    const valuation = scenario.value({ ACME: '120', OTHER: '5' })
    expect(plain(valuation)).toMatchObject({
      totalValue: '735',
      costBasis: '621',
      result: { realized: '40', unrealized: '114', total: '154' },
      reportingCurrency: 'USD',
    })
    expect(plain(valuation.assets)).toEqual([
      { instrumentId: 'ACME', symbol: 'ACME', quantity: '6', value: '720', profitLoss: '160' },
      { instrumentId: 'OTHER', symbol: 'OTHER', quantity: '3', value: '15', profitLoss: '-6' },
    ])
  })

  it('keep the result of a symbol that was sold out, and leave its row out', () => {
    const scenario = new Scenario()
    scenario.record(buy('2', '10', 1), sell('2', '15', 2), buy('1', '100', 1, OTHER))
    const valuation = scenario.value({ ACME: '99', OTHER: '101' })
    expect(valuation.assets.map(({ instrumentId }) => instrumentId)).toEqual(['OTHER'])
    expect(valuation.positions).toHaveLength(1)
    expect(plain(valuation)).toMatchObject({
      result: { total: '11', realized: '10', unrealized: '1' },
    })
  })

  it('are zeros for a portfolio that is sold out', () => {
    const scenario = new Scenario()
    scenario.record(buy('2', '10', 1), sell('2', '10', 2))
    expect(plain(scenario.value({ ACME: '99' }))).toEqual({
      reportingCurrency: 'USD',
      totalValue: '0',
      costBasis: '0',
      shownRate: '1',
      cashValue: '0',
      cash: [],
      result: {
        realized: '0',
        unrealized: '0',
        income: '0',
        fees: '0',
        taxes: '0',
        total: '0',
      },
      simpleReturn: '0',
      assets: [],
      positions: [],
      quality: { completeness: 'COMPLETE', pricedAt: undefined, issues: [] },
    })
  })

  it('sum an asset over its accounts, what closed ones realised included', () => {
    const scenario = new Scenario()
    const [inA, inB] = [{ accountId: 'A' }, { accountId: 'B' }]
    scenario.record(buy('2', '10', 1, inB), buy('3', '10', 1, inA), sell('2', '11', 2, inB))
    scenario.record(buy('1', '20', 3))
    const valuation = scenario.value({ ACME: '30' })
    expect(plain(valuation.assets)).toEqual([
      { instrumentId: 'ACME', symbol: 'ACME', quantity: '4', value: '120', profitLoss: '72' },
    ])
    expect(valuation.positions.map(({ holding }) => holding.accountId)).toEqual(['', 'A'])
  })

  it('order symbols by code point, however they were recorded', () => {
    const scenario = new Scenario()
    for (const instrumentId of ['B', 'a', '^X', 'A']) {
      scenario.record(buy('1', '1', 1, { instrumentId }))
    }
    const ids = scenario.value({}).assets.map(({ instrumentId }) => instrumentId)
    expect(ids).toEqual(['A', 'B', '^X', 'a'])
  })

  it('count a short position negative', () => {
    const scenario = new Scenario({ allowShort: true })
    scenario.record(sell('10', '50', 1))
    expect(plain(scenario.value({ ACME: '40' }))).toMatchObject({
      totalValue: '-400',
      costBasis: '-500',
      result: { unrealized: '100', total: '100' },
      simpleReturn: '0',
    })
  })
})

describe('simple return (decision 23)', () => {
  it('divides by all acquisitions, sold ones and carried-in cost included', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '100', 1), sell('1', '150', 2), transferIn('1', '300', 3))
    expect(decimalText(scenario.value({ ACME: '350' }).simpleReturn)).toBe('0.25')
  })

  it('leaves out what transfers carried away', () => {
    const scenario = new Scenario()
    scenario.record(buy('4', '100', 1), transferOut('3', 2))
    expect(decimalText(scenario.value({ ACME: '150' }).simpleReturn)).toBe('0.5')
  })

  it('is zero where nothing was paid', () => {
    const scenario = new Scenario()
    scenario.record(transferIn('1', '0', 1))
    expect(decimalText(scenario.value({ ACME: '150' }).simpleReturn)).toBe('0')
  })
})

describe('unknown cost (decision 3)', () => {
  it('counts in the value, not in the result nor in its denominator', () => {
    const scenario = new Scenario()
    scenario.record(buy('4', '10', 1), transferIn('6', '0', 2))
    const valuation = scenario.value({ ACME: '15' })
    expect(plain(valuation)).toMatchObject({
      totalValue: '150',
      costBasis: '40',
      result: { total: '20' },
      simpleReturn: '0.5',
    })
    expect(valuation.quality).toMatchObject({
      completeness: 'COMPLETE',
      issues: [{ symbol: 'ACME', reason: 'BASIS_UNKNOWN' }],
    })
    expect(valuation.quality.issues[0]!.detail).toMatch(/^6 units /)
  })
})

/** Five ACME that cost 500 and 20 realised, in USD. */
function valueIn(reporting: string, ...quotes: readonly Quote[]) {
  const scenario = new Scenario()
  scenario.record(buy('10', '100', 1), sell('5', '104', 2))
  return valuePortfolio(scenario.state, quoteSource(...quotes), NOW, reporting)
}

describe('currencies (decision 27)', () => {
  it('converts a foreign quote to the base currency', () => {
    const valuation = valueIn(
      'USD',
      quote('ACME', '90', { currency: 'EUR' }),
      quote('EUR/USD', '1.25'),
    )
    expect(plain(valuation.positions[0])).toMatchObject({
      price: '90',
      currency: 'EUR',
      exchangeRate: '1.25',
      marketValue: '450',
      value: '562.5',
      costBasis: '500',
      unrealized: '62.5',
    })
    expect(plain(resultOfPosition(valuation.positions[0]!, valuation))).toMatchObject({
      unrealized: '62.5',
      realized: '20',
      total: '82.5',
    })
    expect(valuation.quality.completeness).toBe('COMPLETE')
  })

  it('shows every amount in the reporting currency, the return unchanged', () => {
    const inEuro = valueIn('EUR', quote('ACME', '120'), quote('USD/EUR', '0.5'))
    expect(plain(inEuro)).toMatchObject({
      reportingCurrency: 'EUR',
      totalValue: '300',
      costBasis: '250',
      result: { realized: '10', unrealized: '50', total: '60' },
      simpleReturn: '0.12',
      assets: [{ value: '300', profitLoss: '60' }],
    })
  })

  it('goes by way of the base currency', () => {
    const valuation = valueIn(
      'GBP',
      quote('ACME', '90', { currency: 'EUR' }),
      quote('EUR/USD', '1.5'),
      quote('GBP/USD', '2'),
    )
    expect(plain(valuation)).toMatchObject({ totalValue: '337.5', costBasis: '250' })
  })

  it('takes a quote or trade without a currency as one in the base currency', () => {
    const scenario = new Scenario({ baseCurrency: 'SEK' })
    scenario.record(buy('1', '10', 1), buy('1', '10', 1, OTHER))
    const valuation = valuePortfolio(scenario.state, quoteSource(quote('ACME', '11')), NOW)
    expect(valuation.positions.map(({ currency }) => currency)).toEqual(['SEK', 'SEK'])
    expect(plain(valuation)).toMatchObject({ reportingCurrency: 'SEK', totalValue: '21' })
  })
})

function weights(of: Valuation): readonly string[] {
  return detailOf(of).positions.map(({ weight }) => weight)
}

describe('the weight of a position', () => {
  it('is the share in the total, zero when there is no total', () => {
    const scenario = new Scenario()
    scenario.record(buy('1', '10', 1), buy('3', '10', 1, OTHER))
    const valuation = scenario.value({ ACME: '10', OTHER: '10' })
    expect(weights(valuation)).toEqual(['0.25', '0.75'])
    expect(weights({ ...valuation, totalValue: decimal(0) })).toEqual(['0', '0'])
  })
})
