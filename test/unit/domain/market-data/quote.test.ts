import { describe, expect, it } from '@jest/globals'
import { decimal, decimalText } from '../../../../src/domain/decimal.ts'
import { inMajorUnit, isMinorUnit } from '../../../../src/domain/market-data/minor-unit.ts'
import { convert, exchangeRate } from '../../../../src/domain/market-data/quote.ts'
import { NOW, quote, quoteSource } from '../portfolio/scenario.ts'

describe('inMajorUnit (decision 27)', () => {
  it.each([
    ['GBX', 'GBP'],
    ['GBp', 'GBP'],
    ['ZAc', 'ZAR'],
    ['ZAC', 'ZAR'],
    ['ILA', 'ILS'],
  ])('turns %s into %s', (minor, major) => {
    const { price, currency } = inMajorUnit(decimal('1234.5'), minor)
    expect([decimalText(price), currency]).toEqual(['12.345', major])
    expect(isMinorUnit(minor)).toBe(true)
  })

  it.each(['GBP', 'USD', '', 'gbx'])('leaves %j alone', (code) => {
    const { price, currency } = inMajorUnit(decimal('1234.5'), code)
    expect([decimalText(price), currency]).toEqual(['1234.5', code])
    expect(isMinorUnit(code)).toBe(false)
  })
})

describe('exchangeRate', () => {
  const quotes = quoteSource(quote('EUR/USD', '1.25', { pricedAt: NOW - 7 }))
  const rateOf = (from: string, to: string, source = quotes) => {
    const found = exchangeRate(source, from, to)
    return found && [decimalText(found.rate), found.pricedAt]
  }

  it('is one without a quote for a currency and itself', () => {
    expect(rateOf('USD', 'USD', quoteSource())).toEqual(['1', undefined])
  })

  it('reads a pair both ways, with its moment', () => {
    expect(rateOf('EUR', 'USD')).toEqual(['1.25', NOW - 7])
    expect(rateOf('USD', 'EUR')).toEqual(['0.8', NOW - 7])
  })

  it('prefers the pair that is quoted as asked', () => {
    const both = quoteSource(quote('EUR/USD', '1.25'), quote('USD/EUR', '0.79'))
    expect(rateOf('USD', 'EUR', both)).toEqual(['0.79', NOW])
  })

  it('is not made up', () => {
    expect(rateOf('EUR', 'GBP')).toBeUndefined()
  })
})

describe('convert', () => {
  it('multiplies, and leaves an amount of its own currency exact', () => {
    expect(decimalText(convert(decimal('200'), decimal('0.8')))).toBe('160')
    const exact = decimal(`1.${'0'.repeat(50)}1`)
    expect(convert(exact, decimal(1)).equals(exact)).toBe(true)
  })
})
