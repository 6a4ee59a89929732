const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text that is markup already: only {@link html} makes it, of what stands in this program's source. */
class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

export type { Markup }

/** What may stand between markup: texts and numbers are escaped, undefined is nothing. */
export type Content = string | number | Markup | undefined | readonly Content[]

/**
 * Markup with contents in it. A content is text, whatever it says; it stands in elements and between the double quotes
 * of attributes, never in a tag's name, a style or a script.
 * @throws for a number that is none: it would be told as one.
 */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const texts = parts.map((part, at) => part + textOf(contents[at]))
  return new Markup(texts.join(''))
}

function textOf(content: Content): string {
  if (content === undefined) return ''
  if (typeof content === 'string') return content.replace(/[&<>"']/g, (each) => ESCAPES[each] ?? '')
  if (content instanceof Markup) return content.toString()
  if (typeof content !== 'number') return content.map(textOf).join('')
  if (!Number.isFinite(content)) throw new Error('a number that is none')
  return String(content)
}
