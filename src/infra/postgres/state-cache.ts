import { LRUCache } from 'lru-cache'
import type { VerifiedState } from '../../app/ports.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'

/** Holdings and open lots kept for each user the cache may hold, on average: what bounds its memory. */
export const ENTRIES_PER_USER = 50

interface Kept extends VerifiedState {
  /** Came from the cache that replicas share: good enough to show, not to decide a write by. */
  readonly isShared: boolean
}

/**
 * States of the users asked for last. An entry is replaced whole: a cache can be behind, never wrong. Writes use one
 * only when its version and head are the ones the database has under lock, and reads only when it was the newest a
 * short time ago.
 */
export class StateCache {
  readonly #states: LRUCache<string, Kept>

  constructor(usersMax: number) {
    this.#states = new LRUCache({
      max: usersMax,
      maxSize: usersMax * ENTRIES_PER_USER,
      sizeCalculation: ({ state }) => sizeOf(state),
    })
  }

  /** A state to decide a write by. */
  get(userId: string): PortfolioState | undefined {
    const kept = this.#states.get(userId)
    return kept?.isShared === false ? kept.state : undefined
  }

  /** The same, of exactly that version and head. */
  getExact(
    userId: string,
    head: Pick<PortfolioState, 'version' | 'chainHead'>,
  ): PortfolioState | undefined {
    const state = this.get(userId)
    return state !== undefined && isOfHead(state, head) ? state : undefined
  }

  /** Whatever is kept, with the moment at which it was the newest. */
  getVerified(userId: string): VerifiedState | undefined {
    return this.#states.get(userId)
  }

  /** Keeps a state that the database has committed, unless a newer one is kept already. */
  put(verified: VerifiedState): void {
    const { state } = verified
    const kept = this.#states.peek(state.userId)
    if (state.version > 0 && (kept === undefined || kept.state.version <= state.version)) {
      this.#set(state, { isShared: false, verifiedAtMs: latest(verified, kept) })
    }
  }

  /** Keeps a state read without its lots: never in place of one that has them. */
  putRead(verified: VerifiedState): void {
    const { state } = verified
    const kept = this.#states.peek(state.userId)
    if (kept?.isShared === false && isOfHead(kept.state, state)) {
      this.#set(kept.state, { isShared: false, verifiedAtMs: latest(verified, kept) })
    } else if (kept?.isShared !== false || kept.state.version < state.version) {
      this.put(verified)
    }
  }

  /** Keeps what the cache of all replicas had, never in place of anything as new. */
  putShared(verified: VerifiedState): void {
    const { state } = verified
    const kept = this.#states.peek(state.userId)
    if (kept !== undefined && isOfHead(kept.state, state)) {
      const verifiedAtMs = latest(verified, kept)
      this.#set(kept.state, { isShared: kept.isShared, verifiedAtMs })
    } else if (kept === undefined || kept.state.version < state.version) {
      this.#set(state, { isShared: true, verifiedAtMs: verified.verifiedAtMs })
    }
  }

  drop(userId: string): void {
    this.#states.delete(userId)
  }

  #set(state: PortfolioState, facts: { isShared: boolean; verifiedAtMs: number }): void {
    this.#states.set(state.userId, { state, ...facts })
  }
}

export function isOfHead(
  state: PortfolioState,
  { version, chainHead }: Pick<PortfolioState, 'version' | 'chainHead'>,
): boolean {
  return state.version === version && Buffer.compare(state.chainHead, chainHead) === 0
}

/** A state known before does not become unknown through a slower look at it. */
function latest({ state, verifiedAtMs }: VerifiedState, kept: Kept | undefined): number {
  return kept !== undefined && isOfHead(kept.state, state)
    ? Math.max(verifiedAtMs, kept.verifiedAtMs)
    : verifiedAtMs
}

export function sizeOf(state: Pick<PortfolioState, 'books'>): number {
  let size = 1
  for (const book of state.books.values()) {
    for (const holding of book.values()) size += 1 + (holding.lots?.length ?? 0)
  }
  return size
}
