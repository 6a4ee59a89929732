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
/** A statement that takes longer holds up nobody but those it was sent for. */
const PATIENCE_MS = 50

/**
 * Asks for the versions of all users that are read in one turn of the event loop with one statement, and while it is
 * under way gathers who comes for the next one: the more reads there are, the fewer statements each of them costs.
 */
export class VersionProbe {
  readonly #database: Database
  readonly #monotonicMs: () => number
  #waiting: Waiting[] = []
  /** Whose statement the others wait for. */
  #underWay: readonly Waiting[] | undefined

  constructor(database: Database, monotonicMs: () => number) {
    this.#database = database
    this.#monotonicMs = monotonicMs
  }

  /** The newest committed version, or undefined for a user never written. */
  head(userId: string): Promise<VerifiedHead | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ userId, resolve, reject })
      if (this.#underWay === undefined && this.#waiting.length === 1) {
        setImmediate(() => this.#flush())
      }
    })
  }

  #flush(): void {
    const asked = this.#waiting.splice(0, USERS_MAX)
    const goOn = (): void => {
      if (this.#underWay !== asked) return
      this.#underWay = undefined
      if (this.#waiting.length > 0) this.#flush()
    }
    this.#underWay = asked
    const timer = setTimeout(goOn, PATIENCE_MS)
    this.#ask(asked)
      .catch((error: unknown) => {
        for (const { reject } of asked) reject(error)
      })
      .finally(() => {
        clearTimeout(timer)
        goOn()
      })
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
