const UNSAFE = /[\p{Cc}\p{Cs}]/u

/** True for text without control characters and lone surrogates, of at most `lengthMax` UTF-16 units. */
export function isPlainText(text: string, lengthMax: number): boolean {
  return text.length <= lengthMax && !UNSAFE.test(text)
}

/** The text with what {@link isPlainText} refuses replaced, cut to `lengthMax`: safe to show and to log. */
export function plainText(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).replace(/[\p{Cc}\p{Cs}]/gu, '\uFFFD')
}
