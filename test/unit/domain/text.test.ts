import { describe, expect, it } from '@jest/globals'
import { isPlainText, plainText } from '../../../src/domain/text.ts'

const UNSAFE = ['a\0', 'a\nb', '\u007f', '\u0085', 'a\ud800', '\udc00b']

describe('isPlainText', () => {
  it.each(['', 'abc', 'böx 1', '\u{1f600}', 'x'.repeat(8)])('accepts %j', (text) => {
    expect(isPlainText(text, 8)).toBe(true)
  })

  it.each([...UNSAFE, 'x'.repeat(9)])('refuses %j', (text) => {
    expect(isPlainText(text, 8)).toBe(false)
  })
})

describe('plainText', () => {
  it.each([...UNSAFE, 'a\u{1f600}'.repeat(9)])('makes %j safe to show', (text) => {
    expect(isPlainText(plainText(text, 8), 8)).toBe(true)
  })

  it('shows where something was replaced, and leaves the rest', () => {
    expect(plainText('a\0b\n', 8)).toBe('a\ufffdb\ufffd')
    expect(plainText('a\u{1f600}b', 8)).toBe('a\u{1f600}b')
  })
})
