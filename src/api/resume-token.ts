import { createHash } from 'node:crypto'
import type { ActionMark } from '../domain/market-data/corporate-actions.ts'

const FORMAT = 2
const DIGEST_BYTES = 8
const HEAD_BYTES = 1 + DIGEST_BYTES
const LOW_BITS = 0x80
const NUMBER_MAX = Number.MAX_SAFE_INTEGER - 1

/** Where a stream stands. */
export interface StreamPlace {
  /** The version each user was sent up to; none of a user whose first message has not come yet. */
  readonly versions: ReadonlyMap<string, number>
  readonly actions: ActionMark
}

/**
 * Where a stream of users stands as a text: varints under a digest of the ids. First the corporate actions that it was
 * told of, then the versions in the order of the ids, one more than each; 0 is none.
 */
export class ResumeTokens {
  readonly #userIds: readonly string[]
  readonly #head: Buffer

  constructor(userIds: readonly string[]) {
    this.#userIds = userIds.toSorted()
    const digest = createHash('sha256').update(JSON.stringify(this.#userIds)).digest()
    this.#head = Buffer.concat([Buffer.of(FORMAT), digest.subarray(0, DIGEST_BYTES)])
  }

  write({ versions, actions: { epoch, at } }: StreamPlace): string {
    const bytes = [...this.#head]
    const numbers = this.#userIds.map((userId) => (versions.get(userId) ?? -1) + 1)
    for (const number of [epoch, at, ...numbers]) {
      let rest = number
      while (rest >= LOW_BITS) {
        bytes.push((rest % LOW_BITS) + LOW_BITS)
        rest = Math.floor(rest / LOW_BITS)
      }
      bytes.push(rest)
    }
    return Buffer.from(bytes).toString('base64url')
  }

  /** Undefined for a text that is no token of exactly these users. */
  read(token: string): StreamPlace | undefined {
    const bytes = Buffer.from(token, 'base64url')
    const numbers = numbersOf(bytes.subarray(HEAD_BYTES), this.#userIds.length + 2)
    if (numbers === undefined) return undefined
    const [epoch = 0, at = 0, ...sent] = numbers
    const versions = new Map<string, number>()
    for (const [place, userId] of this.#userIds.entries()) {
      const value = sent[place] ?? 0
      if (value > 0) versions.set(userId, value - 1)
    }
    const read = { versions, actions: { epoch, at } }
    // Only what write() makes: of these users, in its alphabet, nothing missing, nothing over, each number one way.
    return this.write(read) === token ? read : undefined
  }
}

/** The first `count` varints; undefined when one is beyond any number that is written. */
function numbersOf(bytes: Buffer, count: number): readonly number[] | undefined {
  const numbers: number[] = []
  let position = 0
  while (numbers.length < count) {
    let value = 0
    let factor = 1
    let byte = LOW_BITS
    while (byte >= LOW_BITS) {
      byte = bytes[position] ?? 0
      position += 1
      value += (byte % LOW_BITS) * factor
      factor *= LOW_BITS
      if (value > NUMBER_MAX) return undefined
    }
    numbers.push(value)
  }
  return numbers
}
