import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { TabbedText } from '../../../../src/infra/postgres/tabbed-text.ts'

const decimalText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.stringMatching(/^(0|[1-9]\d{0,19})$/),
    fc.option(fc.stringMatching(/^\d{1,18}$/)),
  )
  .map(([sign, whole, part]) => `${sign}${whole}${part === null ? '' : `.${part}`}`)

describe('TabbedText', () => {
  it('reads decimals as Number does, to the last bit', () => {
    fc.assert(
      fc.property(fc.array(decimalText, { minLength: 1 }), (texts) => {
        const reader = new TabbedText(texts.join('\t'))
        expect(texts.map(() => reader.decimal())).toEqual(texts.map(Number))
        expect(reader.isAtEnd).toBe(true)
      }),
    )
  })

  it('reads whole numbers up to 2^53', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(new TabbedText(`${value}\t`).integer()).toBe(value)
      }),
    )
  })

  it('reads words of any kind, empty ones too, and tells where a line ends', () => {
    const reader = new TabbedText('żółw\t\t😀 b\n\nlast')
    const read = Array.from({ length: 5 }, () => [reader.word(), reader.isLineRead])
    expect(read).toEqual([
      ['żółw', false],
      ['', false],
      ['😀 b', true],
      ['', true],
      ['last', true],
    ])
    expect(reader.isAtEnd).toBe(true)
  })
})
