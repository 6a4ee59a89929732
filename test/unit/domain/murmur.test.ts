import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decimal } from '../../../src/domain/decimal.ts'
import { Murmur } from '../../../src/domain/murmur.ts'

function hexOf(fill: (digest: Murmur) => void): string {
  const digest = new Murmur()
  fill(digest)
  return digest.hex
}

describe('Murmur', () => {
  // Of the 32-bit function with seed 0, over little-endian words of four bytes.
  it.each([
    [[], '00000000'],
    [[0], '2362f9de'],
    [[0x87654321 | 0], 'f55b516b'],
    [[-1], '76293b50'],
  ])('of %j is the published %s', (words, hex) => {
    expect(
      hexOf((digest) => {
        for (const word of words) digest.word(word)
      }),
    ).toBe(hex)
  })

  it('never comes to the same for lists that differ in one word', () => {
    const words = fc.array(fc.integer(), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(words, fc.nat(), fc.integer(), (list, at, other) => {
        const index = at % list.length
        fc.pre(list[index] !== other)
        const [left, right] = [list, list.with(index, other)].map((each) =>
          hexOf((digest) => {
            for (const word of each) digest.word(word)
          }),
        )
        expect(left).not.toBe(right)
      }),
    )
  })

  it('tells apart what is of different kinds, signs, sizes and boundaries', () => {
    const digests = [
      hexOf((digest) => digest.whole(undefined)),
      hexOf((digest) => digest.whole(0)),
      hexOf((digest) => digest.whole(2 ** 32)),
      hexOf((digest) => digest.whole(-1)),
      hexOf((digest) => digest.decimal(undefined)),
      hexOf((digest) => digest.decimal(decimal('12.5'))),
      hexOf((digest) => digest.decimal(decimal('-12.5'))),
      hexOf((digest) => digest.decimal(decimal('125'))),
      hexOf((digest) => digest.decimal(decimal('12.50000001'))),
      // Of the same words, at another place.
      ...['1', '10000000', '0.0000001'].map((text) =>
        hexOf((digest) => digest.decimal(decimal(text))),
      ),
      hexOf((digest) => digest.decimal(decimal('1.2'))),
      hexOf((digest) => {
        digest.decimal(decimal('1'))
        digest.word(2_000_000)
      }),
      hexOf((digest) => {
        digest.text('AB')
        digest.text('C')
      }),
      hexOf((digest) => {
        digest.text('A')
        digest.text('BC')
      }),
    ]
    // Two that are not there are the same, whatever they would be.
    expect(new Set(digests).size).toBe(digests.length - 1)
  })
})
