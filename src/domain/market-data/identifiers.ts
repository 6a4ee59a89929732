const ISIN = /^[A-Z]{2}[A-Z0-9]{9}\d$/
/** Consonants and digits, the third a G; country codes that an ISIN may begin with are never given out. */
const FIGI = /^(?!BS|BM|GG|GB|GH|KY|VG)[BCDFGHJKLMNPQRSTVWXYZ]{2}G[BCDFGHJKLMNPQRSTVWXYZ0-9]{8}\d$/

/** True for an ISIN (ISO 6166) whose check digit is right. */
export function isIsin(text: string): boolean {
  if (!ISIN.test(text)) return false
  const digits = text.replace(/[A-Z]/g, (letter) => String(valueOf(letter)))
  let sum = 0
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits.at(-1 - place))
    sum += place % 2 === 0 ? digit : digitSum(2 * digit)
  }
  return sum % 10 === 0
}

/** True for a FIGI (OMG "Financial Instrument Global Identifier", clause 6.1.2) whose check digit is right. */
export function isFigi(text: string): boolean {
  if (!FIGI.test(text)) return false
  let sum = 0
  for (let place = 0; place < text.length - 1; place += 1) {
    const value = valueOf(text.charAt(place))
    sum += digitSum(place % 2 === 0 ? value : 2 * value)
  }
  return (10 - (sum % 10)) % 10 === Number(text.at(-1))
}

/** A digit is itself, A = 10 to Z = 35. */
function valueOf(character: string): number {
  return Number.parseInt(character, 36)
}

function digitSum(value: number): number {
  return Math.floor(value / 10) + (value % 10)
}
