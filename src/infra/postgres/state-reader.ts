import { setTimeout as delay } from 'node:timers/promises'
import { type Selectable, sql } from 'kysely'
import type {
  CacheTelemetry,
  Clock,
  PortfolioCache,
  ReadTolerance,
  StateSource,
  VerifiedState,
} from '../../app/ports.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import type { Database } from './database.ts'
import { stateOfRows } from './portfolio-rows.ts'
import type { CashTable, HoldingTable, PortfolioTable } from './schema.ts'
import { isOfHead, type StateCache } from './state-cache.ts'
import { VersionProbe } from './version-probe.ts'

/** How states are read; without it every read asks the database for the version first. */
export interface ReadOptions {
  /** For how long a version that was the newest may be answered without asking again. */
  readonly stalenessMs: number
  readonly sharedCache: PortfolioCache | undefined
  readonly telemetry: CacheTelemetry
}

/** How long a read leaves the rows to another replica, and how often it looks whether that has put them. */
const FILL_WAIT_MS = 100
const FILL_POLL_MS = 5

type Found = VerifiedState & { readonly source: StateSource }

/** What a read insists on. */
interface Demand {
  readonly versionMin: number
  readonly verifiedSinceMs: number
}

interface Flight {
  readonly versionMin: number
  readonly result: Promise<Found | undefined>
}

/**
 * The read path (architecture): positions from this process, from the cache of all replicas or from the database, in
 * that order, each only when it is known to be new enough.
 */
export class StateReader {
  readonly #database: Database
  readonly #cache: StateCache
  readonly #clock: Clock
  readonly #options: ReadOptions | undefined
  readonly #probe: VersionProbe
  /** The read under way of each user: whoever comes meanwhile shares it when it is good enough. */
  readonly #flights = new Map<string, Flight>()
  /** What this replica committed within the staleness: no cache may make it unseen here. Oldest first. */
  readonly #written = new Map<string, { readonly version: number; readonly untilMs: number }>()

  constructor(ports: {
    readonly database: Database
    readonly cache: StateCache
    readonly clock: Clock
    readonly reading: ReadOptions | undefined
  }) {
    this.#database = ports.database
    this.#cache = ports.cache
    this.#clock = ports.clock
    this.#options = ports.reading
    this.#probe = new VersionProbe(ports.database, () => ports.clock.monotonicMs())
  }

  /** Tells of a commit of this replica, before it is acknowledged. */
  committed(verified: VerifiedState): void {
    this.#options?.sharedCache?.put(verified)
    const nowMs = this.#clock.monotonicMs()
    const { userId } = verified.state
    const version = Math.max(verified.state.version, this.#written.get(userId)?.version ?? 0)
    this.#written.delete(userId)
    this.#written.set(userId, { version, untilMs: nowMs + this.#stalenessMs })
    for (const [oldest, { untilMs }] of this.#written) {
      if (untilMs >= nowMs) break
      this.#written.delete(oldest)
    }
  }

  async read(
    userId: string,
    tolerance: ReadTolerance | undefined,
  ): Promise<{ state: PortfolioState; source: StateSource } | undefined> {
    const found = await this.#find(userId, this.#demandOf(userId, tolerance))
    if (found === undefined) return undefined
    this.#options?.telemetry.stateRead(found.source)
    return { state: found.state, source: found.source }
  }

  get #stalenessMs(): number {
    return this.#options?.stalenessMs ?? 0
  }

  #demandOf(userId: string, tolerance: ReadTolerance | undefined): Demand {
    const nowMs = this.#clock.monotonicMs()
    const versionMin = Math.max(
      tolerance?.versionMin ?? 0,
      this.#written.get(userId)?.version ?? 0,
      this.#cache.getVerified(userId)?.state.version ?? 0,
    )
    // Strictly before now where nothing is tolerated: what was seen in this very microsecond may be older than a write.
    const verifiedSinceMs =
      tolerance === undefined || this.#stalenessMs === 0
        ? Number.POSITIVE_INFINITY
        : nowMs - this.#stalenessMs
    return { versionMin, verifiedSinceMs }
  }

  async #find(userId: string, demand: Demand): Promise<Found | undefined> {
    const held = this.#cache.getVerified(userId)
    if (held !== undefined && meets(held, demand)) return { ...held, source: 'memory' }
    const joined = await this.#flights.get(userId)?.result
    if (joined !== undefined && meets(joined, demand)) return joined
    // Whatever stands there now began after this call, and so its look at the database is as good as an own one.
    const next =
      demand.verifiedSinceMs === Number.POSITIVE_INFINITY ? undefined : this.#flights.get(userId)
    const flight =
      next !== undefined && next.versionMin >= demand.versionMin
        ? next
        : this.#start(userId, demand)
    return flight.result
  }

  #start(userId: string, demand: Demand): Flight {
    const result = this.#look(userId, demand).finally(() => {
      if (this.#flights.get(userId) === flight) this.#flights.delete(userId)
    })
    const flight: Flight = { versionMin: demand.versionMin, result }
    this.#flights.set(userId, flight)
    return flight
  }

  async #look(userId: string, demand: Demand): Promise<Found | undefined> {
    const known = await this.#askCaches(userId, demand)
    const good = known.find((found) => meets(found, demand))
    if (good !== undefined) {
      this.#cache.putShared(good)
      return good
    }
    if (known.length === 0) return this.#fill(userId, demand)
    return (await this.#confirm(userId, known)) ?? this.#askDatabase(userId, known)
  }

  /** Of all replicas that miss a user at once one reads the rows, and the others what it puts. */
  async #fill(userId: string, demand: Demand): Promise<Found | undefined> {
    const sharedCache = this.#options?.sharedCache
    // Whoever tolerates nothing asks the database in any case.
    if (sharedCache === undefined || demand.verifiedSinceMs === Number.POSITIVE_INFINITY) {
      return this.#askDatabase(userId, [])
    }
    if (await sharedCache.claimFill(userId)) {
      try {
        return await this.#askDatabase(userId, [])
      } finally {
        sharedCache.releaseFill(userId)
      }
    }
    const endMs = this.#clock.monotonicMs() + FILL_WAIT_MS
    while (this.#clock.monotonicMs() < endMs) {
      await delay(FILL_POLL_MS)
      const shared = await sharedCache.get(userId, undefined)
      if (shared === undefined) continue
      if (!meets(shared, demand)) break
      this.#cache.putShared(shared)
      return { ...shared, source: 'shared-cache' }
    }
    return this.#askDatabase(userId, [])
  }

  async #askCaches(userId: string, demand: Demand): Promise<readonly Found[]> {
    const kept = this.#cache.getVerified(userId)
    const held = kept === undefined ? [] : [{ ...kept, source: 'memory' } as const]
    // Where the database is asked in any case, the shared cache is of use only for positions that are not here.
    if (kept !== undefined && demand.verifiedSinceMs === Number.POSITIVE_INFINITY) return held
    const shared = await this.#options?.sharedCache?.get(userId, kept?.state)
    if (shared === undefined) return held
    const source = shared.state === kept?.state ? 'memory' : 'shared-cache'
    return [...held, { ...shared, source }]
  }

  /** The known state that the database says is the newest. */
  async #confirm(userId: string, known: readonly Found[]): Promise<Found | undefined> {
    const head = await this.#probe.head(userId)
    if (head === undefined) return undefined
    const match = known.find(({ state }) => isOfHead(state, head))
    if (match === undefined) return undefined
    const confirmed = { ...match, verifiedAtMs: head.verifiedAtMs }
    this.#cache.putShared(confirmed)
    return confirmed
  }

  async #askDatabase(userId: string, known: readonly Found[]): Promise<Found | undefined> {
    const verified = await this.#readRows(userId)
    const sharedCache = this.#options?.sharedCache
    const version = verified?.state.version ?? 0
    for (const { state, source } of known) {
      // Not older than what the database has, and another: a history that a restored database no longer knows of.
      if (state.version < version) continue
      if (source === 'memory') this.#cache.drop(userId)
      else sharedCache?.drop(userId)
    }
    if (verified === undefined) return undefined
    this.#cache.putRead(verified)
    sharedCache?.put(verified)
    return { ...verified, source: 'database' }
  }

  async #readRows(userId: string): Promise<VerifiedState | undefined> {
    const verifiedAtMs = this.#clock.monotonicMs()
    // One statement, so that head and holdings are of one moment.
    const { rows } = await sql<StateRow>`
      select *, (select json_agg(json_build_object('currency', currency, 'amount', amount::text))
        from cash where cash.user_id = portfolio.user_id) as cash_rows
      from portfolio left join holding using (user_id) where user_id = ${userId}`.execute(
      this.#database.kysely,
    )
    const [row] = rows
    if (row === undefined || row.version === 0) return undefined
    const state = stateOfRows(row, rows.filter(hasHolding), row.cash_rows ?? [])
    return { state, verifiedAtMs }
  }
}

type StateRow = Selectable<PortfolioTable> &
  Selectable<HoldingTable> & { cash_rows: Pick<CashTable, 'currency' | 'amount'>[] | null }

/** A portfolio without holdings joins as one row of nulls. */
function hasHolding(joined: { instrument_id: string | null }): boolean {
  return joined.instrument_id !== null
}

function meets({ state, verifiedAtMs }: VerifiedState, demand: Demand): boolean {
  return state.version >= demand.versionMin && verifiedAtMs >= demand.verifiedSinceMs
}
