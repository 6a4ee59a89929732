import { describe, expect, it } from '@jest/globals'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import { pairedQuote } from '../../../../src/domain/market-data/paired-quote.ts'
import { looksLikeSplit } from '../../../../src/domain/market-data/split-suspicion.ts'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import { action, known, learn, split } from '../portfolio/actions.ts'
import { at, buy, quote, Scenario } from '../portfolio/scenario.ts'

function priced(price: string, seconds: number, recorded?: number) {
  return quote('ACME', price, {
    pricedAt: at(seconds),
    ...(recorded !== undefined && { splitAdjusted: true, recordedAt: at(recorded) }),
  })
}

describe('a quote and a split', () => {
  const actions = known(action(1, 100, split(4, 1)), action(2, 200, split(3, 1)))
  it.each([
    ['as paid before it, for the day it is of', priced('1200', 50), 50, '1200'],
    ['as paid before it, when it is in force', priced('1200', 50), 150, '300'],
    ['as paid before both, after both', priced('1200', 50), 250, '100'],
    ['adjusted for both, for the day it is of', priced('100', 50, 300), 50, '1200'],
    ['adjusted for both, between them', priced('100', 150, 300), 150, '300'],
    ['adjusted for both, after both', priced('100', 50, 300), 250, '100'],
    ['adjusted before the second, after it', priced('300', 50, 150), 250, '100'],
    ['adjusted and of now', priced('100', 250, 300), 260, '100'],
  ])('%s', (_, sent, moment, price) => {
    expect(decimalText(pairedQuote(sent, actions, at(moment)).price)).toBe(price)
  })

  it('values what was held then the same with either history', () => {
    const scenario = new Scenario()
    learn(scenario, action(1, 100, split(4, 1)))
    scenario.record(buy('10', '400', 50), buy('4', '110', 100), buy('1', '120', 150))
    const values = (adjusted: boolean) =>
      [60, 100, 160].map((moment) => {
        const held = foldLedger(
          'user-1',
          scenario.ledger.filter(({ effectiveAt }) => effectiveAt <= at(moment)),
          scenario.state.settings,
          scenario.actions.dueAt(at(moment)),
        )
        const before = adjusted ? '105' : '420'
        const sent = quote('ACME', moment < 100 ? before : '115', {
          pricedAt: at(moment),
          ...(adjusted && { splitAdjusted: true, recordedAt: at(900) }),
        })
        const { price } = pairedQuote(sent, scenario.actions, at(moment))
        const quantity = held.books.get('ACME')!.get('')!.quantity
        return decimalText(quantity.times(price))
      })
    expect(values(false)).toEqual(['4200', '5060', '5175'])
    expect(values(true)).toEqual(['4200', '5060', '5175'])
  })
})

it.each([
  ['400', '101', true],
  ['400', '98', true],
  ['10', '102', true],
  ['150', '100', true],
  ['400', '240', false],
  ['400', '390', false],
])('a price that goes from %s to %s looks like a split: %p', (before, after, expected) => {
  expect(looksLikeSplit(decimal(before), decimal(after))).toBe(expected)
})
