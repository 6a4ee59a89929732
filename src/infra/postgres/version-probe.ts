import { sql } from 'kysely'
import type { Database } from './database.ts'

/** A user's version and head, and a moment at which they were not older than that. */
export interface VerifiedHead {
  readonly version: number
  readonly chainHead: Uint8Array
  readonly verifiedAtMs: number
}

interface HeadRow {
  readonly user_id: string
  readonly version: number
  readonly chain_head: Buffer
}

interface Waiting {
  readonly userId: string
  readonly resolve: (head: VerifiedHead | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Users asked for in one statement. */
const USERS_MAX = 1_000

/** Asks for the versions of all users that are read in one turn of the event loop with one statement. */
export class VersionProbe {
  readonly #database: Database
  readonly #monotonicMs: () => number
  #waiting: Waiting[] = []

  constructor(database: Database, monotonicMs: () => number) {
    this.#database = database
    this.#monotonicMs = monotonicMs
  }

  /** The newest committed version, or undefined for a user never written. */
  head(userId: string): Promise<VerifiedHead | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush())
      this.#waiting.push({ userId, resolve, reject })
    })
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let start = 0; start < waiting.length; start += USERS_MAX) {
      const asked = waiting.slice(start, start + USERS_MAX)
      this.#ask(asked).catch((error: unknown) => {
        for (const { reject } of asked) reject(error)
      })
    }
  }

  async #ask(asked: readonly Waiting[]): Promise<void> {
    const users = [...new Set(asked.map(({ userId }) => userId))]
    const verifiedAtMs = this.#monotonicMs()
    const { rows } = await sql<HeadRow>`
      select user_id, version, chain_head from portfolio where user_id = any(${users}::text[])`.execute(
      this.#database.kysely,
    )
    const heads = new Map(rows.map((row) => [row.user_id, row]))
    for (const { userId, resolve } of asked) {
      const row = heads.get(userId)
      resolve(row && { version: row.version, chainHead: row.chain_head, verifiedAtMs })
    }
  }
}
