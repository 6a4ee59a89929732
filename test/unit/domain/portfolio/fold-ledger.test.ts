import { describe, expect, it } from '@jest/globals'
import { foldLedger } from '../../../../src/domain/portfolio/fold-ledger.ts'
import { DEFAULT_SETTINGS, newPortfolio } from '../../../../src/domain/portfolio/state.ts'
import { buy, Scenario, sell } from './scenario.ts'
import { plain } from './stored-rows.ts'

function history(): Scenario {
  const scenario = new Scenario()
  scenario.record(buy('10', '100', 5), buy('2', '7', 2, { instrumentId: 'OTHER' }))
  scenario.record(sell('3', '110', 6), buy('1', '90', 1))
  return scenario
}

describe('foldLedger', () => {
  it('rebuilds the whole state from the ledger, in whatever order it comes', () => {
    const { ledger, state } = history()
    for (const entries of [ledger, ledger.toReversed()]) {
      expect(plain(foldLedger('user-1', entries, DEFAULT_SETTINGS))).toEqual(plain(state))
    }
  })

  it('is the empty portfolio without entries', () => {
    expect(foldLedger('user-1', [], DEFAULT_SETTINGS)).toEqual(newPortfolio('user-1'))
  })

  it('gives a past state from what was known or effective by then', () => {
    const { ledger } = history()
    const known = foldLedger('user-1', ledger.slice(0, 2), DEFAULT_SETTINGS)
    expect(known).toMatchObject({ version: 1, lastSequence: 2 })
    expect(plain(known.books.get('ACME')?.get('')?.quantity)).toBe('10')
  })

  it('folds by the settings it is given', () => {
    const { ledger } = history()
    const state = foldLedger('user-1', ledger, { ...DEFAULT_SETTINGS, lotMethod: 'HIFO' })
    expect(state.settings.lotMethod).toBe('HIFO')
    expect(plain(state.books.get('ACME')?.get('')?.realized)).toBe('30')
  })

  it('stops at a ledger that does not fold', () => {
    const { ledger } = history()
    const broken = ledger.filter(({ type }) => type === 'SELL')
    expect(() => foldLedger('user-1', broken, DEFAULT_SETTINGS)).toThrow(
      'ledger entry 3 does not fold: INSUFFICIENT_QUANTITY',
    )
  })
})
