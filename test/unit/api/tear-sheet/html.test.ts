import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { html } from '../../../../src/api/tear-sheet/html.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

describe('html', () => {
  it('makes any text a text, in an element and in an attribute', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', '#', ';') }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const made = html`<p title="${text}">${[text, [text]]}</p>`.toString()
        const [, title, content] = /^<p title="([^"]*)">([^]*)<\/p>$/.exec(made)!
        for (const part of [title!, content!]) {
          expect(part.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).not.toMatch(/[<>&"']/)
        }
        const read = title!.replaceAll(/&[^;]+;/g, (entity) => ENTITIES[entity]!)
        expect(read).toBe(text)
        expect(content).toBe(title!.repeat(2))
      }),
    )
  })

  it('takes markup as it is, and nothing for undefined', () => {
    expect(html`<b>${html`<i>${1.5}</i>`}${undefined}</b>`.toString()).toBe('<b><i>1.5</i></b>')
  })

  it('takes nothing for markup that only looks like it', () => {
    const forged = { toString: () => '<script>' } as unknown as string
    expect(() => html`${forged}`.toString()).toThrow('not a function')
  })

  it('refuses a number that is none', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      expect(() => html`${value}`).toThrow('a number that is none')
    }
  })
})
