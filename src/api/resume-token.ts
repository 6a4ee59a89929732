import { createHash } from 'node:crypto'

const FORMAT = 1
const DIGEST_BYTES = 8
const HEAD_BYTES = 1 + DIGEST_BYTES
const LOW_BITS = 0x80
const VERSION_MAX = Number.MAX_SAFE_INTEGER - 1

/**
 * Where a stream of users stands: the version each was sent up to, as varints in the order of their ids, under a
 * digest of the ids. A user whose first message has not come yet has none, and is 0.
 */
export class ResumeTokens {
  readonly #userIds: readonly string[]
  readonly #head: Buffer

  constructor(userIds: readonly string[]) {
    this.#userIds = userIds.toSorted()
    const digest = createHash('sha256').update(JSON.stringify(this.#userIds)).digest()
    this.#head = Buffer.concat([Buffer.of(FORMAT), digest.subarray(0, DIGEST_BYTES)])
  }

  write(versions: ReadonlyMap<string, number>): string {
    const bytes = [...this.#head]
    for (const userId of this.#userIds) {
      let rest = (versions.get(userId) ?? -1) + 1
      while (rest >= LOW_BITS) {
        bytes.push((rest % LOW_BITS) + LOW_BITS)
        rest = Math.floor(rest / LOW_BITS)
      }
      bytes.push(rest)
    }
    return Buffer.from(bytes).toString('base64url')
  }

  /** Undefined for a text that is no token of exactly these users. */
  read(token: string): ReadonlyMap<string, number> | undefined {
    const bytes = Buffer.from(token, 'base64url')
    const versions = new Map<string, number>()
    let position = HEAD_BYTES
    for (const userId of this.#userIds) {
      let value = 0
      let factor = 1
      let byte = LOW_BITS
      while (byte >= LOW_BITS) {
        byte = bytes[position] ?? 0
        position += 1
        value += (byte % LOW_BITS) * factor
        factor *= LOW_BITS
        if (value > VERSION_MAX) return undefined
      }
      if (value > 0) versions.set(userId, value - 1)
    }
    // Only what write() makes: of these users, in its alphabet, nothing missing, nothing over, each number one way.
    return this.write(versions) === token ? versions : undefined
  }
}
