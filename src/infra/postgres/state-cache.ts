import { LRUCache } from 'lru-cache'
import type { PortfolioState } from '../../domain/portfolio/state.ts'

/** Holdings and open lots kept for each user the cache may hold, on average: what bounds its memory. */
const ENTRIES_PER_USER = 50

/**
 * States of the users asked for last. An entry is replaced whole and is only used when its version and head are the
 * ones the database has: a cache can be behind, never wrong.
 */
export class StateCache {
  readonly #states: LRUCache<string, PortfolioState>

  constructor(usersMax: number) {
    this.#states = new LRUCache({
      max: usersMax,
      maxSize: usersMax * ENTRIES_PER_USER,
      sizeCalculation: sizeOf,
    })
  }

  get(userId: string): PortfolioState | undefined {
    return this.#states.get(userId)
  }

  /** The state of exactly that version and head, or none. */
  getExact(
    userId: string,
    { version, chainHead }: Pick<PortfolioState, 'version' | 'chainHead'>,
  ): PortfolioState | undefined {
    const state = this.#states.get(userId)
    return state?.version === version && Buffer.compare(state.chainHead, chainHead) === 0
      ? state
      : undefined
  }

  /** Keeps a state that the database has committed, unless a newer one is kept already. */
  put(state: PortfolioState): void {
    const kept = this.#states.peek(state.userId)
    if (state.version > 0 && (kept === undefined || kept.version <= state.version)) {
      this.#states.set(state.userId, state)
    }
  }

  /** Keeps a state read without its lots: never in place of one that has them. */
  putIfNewer(state: PortfolioState): void {
    const kept = this.#states.peek(state.userId)
    if (kept === undefined || kept.version < state.version) this.put(state)
  }
}

function sizeOf(state: PortfolioState): number {
  let size = 1
  for (const book of state.books.values()) {
    for (const holding of book.values()) size += 1 + (holding.lots?.length ?? 0)
  }
  return size
}
