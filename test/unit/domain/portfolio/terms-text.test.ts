import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decimal } from '../../../../src/domain/decimal.ts'
import { contentHash, externalIdKey } from '../../../../src/domain/portfolio/external-ids.ts'
import { termsOfText, termsText } from '../../../../src/domain/portfolio/terms-text.ts'
import { NO_TERMS, type TransactionTerms } from '../../../../src/domain/portfolio/transaction.ts'
import { rich } from './rich-drafts.ts'
import { anyTerms } from './rich-histories.ts'
import { at } from './scenario.ts'
import { plain } from './stored-rows.ts'

const RUNS = { numRuns: 1_000 }

describe('termsText', () => {
  it('is empty for terms that say nothing', () => {
    expect(termsText(NO_TERMS)).toBe('{}')
    expect(termsOfText('{}')).toEqual(NO_TERMS)
  })

  it('keeps its encoding: stored chains must stay verifiable', () => {
    const terms: TransactionTerms = {
      amount: decimal('1.50'),
      fee: decimal('0.25'),
      tax: decimal('1e-7'),
      currency: 'EUR',
      exchangeRate: decimal('1.1'),
      priceFactor: decimal('0.010'),
      counterCurrency: 'GBP',
      counterAmount: decimal('3'),
      lots: [{ lotSequence: 7, lotPart: 1, quantity: decimal('2') }],
      carriedLots: [{ acquiredAt: 5, quantity: decimal('2'), basis: decimal('0') }],
      externalId: 'id',
      source: 'broker',
      settlementDate: '2024-02-29',
      labels: { b: '2', a: '1' },
      counterpartyUserId: 'other',
      counterpartyAccountId: 'depot',
      externalTransfer: true,
      reverses: { sequence: 3, reason: 'typo' },
    }
    expect(termsText(terms)).toBe(
      '{"amount":"1.5","fee":"0.25","tax":"0.0000001","currency":"EUR","exchangeRate":"1.1",' +
        '"priceFactor":"0.01","counterCurrency":"GBP","counterAmount":"3","lots":[[7,1,"2"]],"carriedLots":[[5,"2","0"]],' +
        '"externalId":"id","source":"broker","settlementDate":"2024-02-29",' +
        '"labels":[["a","1"],["b","2"]],"counterpartyUserId":"other",' +
        '"counterpartyAccountId":"depot","externalTransfer":true,"reverses":[3,"typo"]}',
    )
  })

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(anyTerms, (terms) => {
        expect(plain(termsOfText(termsText(terms)))).toEqual(plain(terms))
      }),
      RUNS,
    )
  })

  it('is canonical: one text for equal terms, two for different ones', () => {
    fc.assert(
      fc.property(anyTerms, anyTerms, (left, right) => {
        const again = termsText(termsOfText(termsText(left)))
        expect(again).toBe(termsText(left))
        const same = JSON.stringify(sortedLabels(left)) === JSON.stringify(sortedLabels(right))
        expect(termsText(left) === termsText(right)).toBe(same)
      }),
      RUNS,
    )
  })
})

function sortedLabels(terms: TransactionTerms): unknown {
  const labels = Object.entries(terms.labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return plain({ ...terms, labels, reverses: terms.reverses ?? null })
}

const hex = (...facts: Parameters<typeof contentHash>) =>
  Buffer.from(contentHash(...facts)).toString('hex')

describe('contentHash', () => {
  const bought = rich('BUY', 1, { quantity: '1', price: '2', fee: '3' })

  it('is that of what was said: a time that the server set says nothing', () => {
    const said = hex({ ...bought, effectiveAt: undefined })
    expect(hex({ ...bought, effectiveAt: at(9), recordedAt: at(9) })).not.toBe(hex(bought))
    expect(hex({ ...bought, effectiveAt: undefined, recordedAt: at(9) })).toBe(said)
  })

  it('is equal for numbers that are equal', () => {
    const again = rich('BUY', 1, { quantity: '1.0', price: '2.00', fee: '3.0' })
    expect(hex(again)).toBe(hex(bought))
  })

  it.each([
    rich('SELL', 1, { quantity: '1', price: '2', fee: '3' }),
    rich('BUY', 2, { quantity: '1', price: '2', fee: '3' }),
    rich('BUY', 1, { quantity: '2', price: '2', fee: '3' }),
    rich('BUY', 1, { quantity: '1', price: '3', fee: '3' }),
    rich('BUY', 1, { quantity: '1', price: '2', fee: '4' }),
    rich('BUY', 1, { quantity: '1', price: '2', fee: '3', accountId: 'A' }),
    rich('BUY', 1, { quantity: '1', price: '2', fee: '3', instrumentId: 'B' }),
    rich('BUY', 1, { quantity: '1', price: '2', fee: '3', labels: { a: 'b' } }),
    { ...bought, effectiveAt: undefined },
  ])('changes with what is said: %#', (other) => {
    expect(hex(other)).not.toBe(hex(bought))
  })
})

describe('externalIdKey', () => {
  it('keeps source and id apart', () => {
    const keys = [
      ['', 'ab'],
      ['a', 'b'],
      ['ab', ''],
      ['1', ':b'],
      ['1:', 'b'],
    ].map(([source, id]) => externalIdKey(source!, id!))
    expect(new Set(keys).size).toBe(5)
  })
})
