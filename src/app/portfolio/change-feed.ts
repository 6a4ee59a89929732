import { PortfolioError } from '../../domain/errors.ts'
import type { ChangeLog, CommittedChange, PortfolioStore } from '../ports.ts'

/** Changes of a watched user kept in memory, and the most that one reading gives. */
export const PAGE_CHANGES_MAX = 64
const POLL_CHANGES_MAX = 1_000
const POLL_USERS_MAX = 1_000
/** Streams of one process. */
const WATCHES_MAX = 1_000
const RETRY_AFTER_MS = 1_000

/** A set of users somebody watches. */
export interface FeedWatch {
  /** Settles once the version of each user has been read after the watch began. */
  readonly ready: Promise<void>
  close(): void
}

type Listener = (userId: string, changeCount: number) => void

interface Tail {
  readonly listeners: Set<Listener>
  /** The newest version known here; undefined until it was read once. */
  version: number | undefined
  /** The newest changes, without a gap, up to `version`; empty when they have to be read. */
  recent: CommittedChange[]
}

/**
 * Follows the committed changes of the users that this process's streams watch, whichever replica made them. Each
 * user is followed by version, which commits in order; a hint only makes a reading come sooner.
 */
export class ChangeFeed {
  readonly #log: ChangeLog
  readonly #tails = new Map<string, Tail>()
  readonly #due = new Set<string>()
  #watches = 0
  #current: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(log: ChangeLog) {
    this.#log = log
  }

  /** @throws PortfolioError TOO_MANY_WATCHES. */
  watch(userIds: readonly string[], onChanges: Listener): FeedWatch {
    if (this.#watches >= WATCHES_MAX) {
      throw new PortfolioError(
        'TOO_MANY_WATCHES',
        `at most ${WATCHES_MAX} streams watch portfolios`,
        {
          metadata: { maximum: String(WATCHES_MAX) },
          retryAfterMs: RETRY_AFTER_MS,
        },
      )
    }
    this.#watches += 1
    // Of its own for each watch, whatever function its owner gives.
    const listener: Listener = (userId, changeCount) => onChanges(userId, changeCount)
    for (const userId of userIds) {
      const tail = this.#tails.get(userId) ?? {
        listeners: new Set(),
        version: undefined,
        recent: [],
      }
      tail.listeners.add(listener)
      this.#tails.set(userId, tail)
    }
    return {
      ready: this.sync(userIds),
      close: () => {
        this.#watches -= 1
        for (const userId of userIds) this.#leave(userId, listener)
      },
    }
  }

  /** This user has probably changed: looked at now rather than with the next pass. */
  hint(userId: string): void {
    if (!this.#tails.has(userId)) return
    // A failure is the next pass's to report.
    this.sync([userId]).catch(() => undefined)
  }

  /**
   * Settles once what watched users have committed before this call is known here. The reading begins after the call;
   * calls that come before it begins share it.
   */
  sync(userIds: Iterable<string>): Promise<void> {
    for (const userId of userIds) this.#due.add(userId)
    this.#next ??= this.#afterCurrent()
    return this.#next
  }

  /** One pass over all watched users: finds what no hint told of. */
  async pass(): Promise<void> {
    if (this.#tails.size > 0) await this.sync(this.#tails.keys())
  }

  /** The newest version known of a watched user; 0 = nothing is recorded of it. */
  versionOf(userId: string): number {
    return this.#tails.get(userId)?.version ?? 0
  }

  /**
   * The changes of a watched user that come next after a version, a page of them; none when there are none yet, and
   * undefined when they are no longer kept.
   */
  async after(userId: string, version: number): Promise<readonly CommittedChange[] | undefined> {
    const tail = this.#tails.get(userId)
    if (tail === undefined || this.versionOf(userId) <= version) return []
    const [oldest] = tail.recent
    const changes =
      oldest !== undefined && oldest.version <= version + 1
        ? tail.recent.filter((change) => change.version > version)
        : await this.#log.changesAfter(new Map([[userId, version]]), PAGE_CHANGES_MAX)
    const end = changes.findIndex((change, index) => change.version !== version + 1 + index)
    const unbroken = end === -1 ? changes : changes.slice(0, end)
    return unbroken.length === 0 ? undefined : unbroken
  }

  #leave(userId: string, listener: Listener): void {
    const tail = this.#tails.get(userId)
    if (tail === undefined) return
    tail.listeners.delete(listener)
    if (tail.listeners.size > 0) return
    this.#tails.delete(userId)
    this.#due.delete(userId)
  }

  async #afterCurrent(): Promise<void> {
    await this.#current?.catch(() => undefined)
    this.#next = undefined
    this.#current = this.#readDue()
    await this.#current
  }

  async #readDue(): Promise<void> {
    while (this.#due.size > 0) {
      const users = [...this.#due].slice(0, POLL_USERS_MAX)
      for (const userId of users) this.#due.delete(userId)
      await this.#advance(users)
    }
  }

  async #advance(users: readonly string[]): Promise<void> {
    const versions = await this.#log.versions(users)
    const behind = new Map<string, number>()
    for (const userId of users) {
      const tail = this.#tails.get(userId)
      const version = versions.get(userId) ?? 0
      if (tail === undefined) continue
      if (tail.version === undefined) tail.version = version
      else if (tail.version < version) behind.set(userId, tail.version)
    }
    if (behind.size === 0) return
    const changes = await this.#log.changesAfter(behind, POLL_CHANGES_MAX)
    const isAll = changes.length < POLL_CHANGES_MAX
    for (const userId of behind.keys()) {
      this.#append(
        userId,
        changes.filter((change) => change.userId === userId),
      )
    }
    for (const userId of behind.keys()) {
      const version = versions.get(userId) ?? 0
      if (this.versionOf(userId) >= version) continue
      if (isAll) this.#skip(userId, version)
      else this.#due.add(userId)
    }
  }

  #append(userId: string, changes: readonly CommittedChange[]): void {
    const tail = this.#tails.get(userId)
    if (tail === undefined || changes.length === 0) return
    for (const change of changes) {
      if (change.version !== (tail.version ?? 0) + 1) tail.recent = []
      tail.recent.push(change)
      tail.version = change.version
    }
    tail.recent = tail.recent.slice(-PAGE_CHANGES_MAX)
    for (const tell of tail.listeners) tell(userId, changes.length)
  }

  /** The changes up to a version are not kept any more. */
  #skip(userId: string, version: number): void {
    const tail = this.#tails.get(userId)
    if (tail === undefined) return
    const count = version - (tail.version ?? 0)
    tail.version = version
    tail.recent = []
    for (const tell of tail.listeners) tell(userId, count)
  }
}

/** The store; `announce` hears of each user that a change of this process was decided for. */
export function announcingStore(
  store: PortfolioStore,
  announce: (userId: string) => void,
): PortfolioStore {
  return {
    ...store,
    change: async (request) => {
      const outcome = await store.change(request)
      announce(request.userId)
      return outcome
    },
  }
}
