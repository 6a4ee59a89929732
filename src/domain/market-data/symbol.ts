const SYMBOL = /^[A-Z0-9^][A-Z0-9.:/=^_-]{0,31}$/
const CURRENCY = /^[A-Z]{3}$/
/** Raw symbols longer than this are refused before any Unicode work is done on them. */
const RAW_LENGTH_MAX = 128

/**
 * The canonical form of a client's symbol (decision 35): trimmed, NFKC, ASCII letters upper case. Undefined when
 * it is no symbol. Until reference data says otherwise the canonical symbol is the instrument's id as well.
 */
export function canonicalSymbol(text: string): string | undefined {
  if (text.length > RAW_LENGTH_MAX) return undefined
  if (SYMBOL.test(text)) return text
  const canonical = text
    .normalize('NFKC')
    .trim()
    .replace(/[a-z]/g, (letter) => letter.toUpperCase())
  return SYMBOL.test(canonical) ? canonical : undefined
}

/** True for an ISO 4217-like code of three capital letters. */
export function isCurrencyCode(text: string): boolean {
  return CURRENCY.test(text)
}
