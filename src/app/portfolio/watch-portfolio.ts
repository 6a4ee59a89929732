import { type Decimal, minus, multiply } from '../../domain/decimal.ts'
import { PortfolioError } from '../../domain/errors.ts'
import { type Summary, summaryOf } from '../../domain/portfolio/summary.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import { valuePortfolio } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import type { ActionMark } from '../../domain/market-data/corporate-actions.ts'
import type { Quote } from '../../domain/market-data/quote.ts'
import type {
  ActionTable,
  CallContext,
  Clock,
  CommittedChange,
  PortfolioStore,
  QuoteBoard,
  QuoteStore,
} from '../ports.ts'
import { type ChangeFeed, type FeedWatch, PAGE_CHANGES_MAX } from './change-feed.ts'
import { getPortfolio } from './get-portfolio.ts'
import type { PortfolioView } from './portfolio-view.ts'

export interface WatchQuery {
  readonly userIds: readonly string[]
  /** Fraction of the total value; undefined = repricings are not sent. */
  readonly minMove: Decimal | undefined
  /** Versions to go on after; a user without one begins with the present state. */
  readonly versions: ReadonlyMap<string, number>
  /** Up to where the earlier stream was told of corporate actions; undefined = there was none. */
  readonly actions: ActionMark | undefined
}

export type WatchEvent =
  | { readonly kind: 'snapshot'; readonly userId: string; readonly view: PortfolioView }
  | { readonly kind: 'change'; readonly userId: string; readonly change: CommittedChange }
  | { readonly kind: 'repriced'; readonly userId: string; readonly summary: Summary }
  /** Every change committed before `sentAt` was sent before it. */
  | { readonly kind: 'heartbeat'; readonly sentAt: Instant }

/** An event with the version that each user has been sent up to, this event included; live, to be read at once. */
export interface WatchMessage {
  readonly event: WatchEvent
  readonly versions: ReadonlyMap<string, number>
  readonly actions: ActionMark
}

/** Milliseconds. */
export interface WatchTimes {
  readonly heartbeatMs: number
  /** A user's repricing is sent at most once in this time. */
  readonly repricingMs: number
  /** A reader that takes nothing for this long is slow when more than a page of changes has come up meanwhile. */
  readonly stallMs: number
}

export const WATCH_TIMES: WatchTimes = { heartbeatMs: 15_000, repricingMs: 1_000, stallMs: 1_000 }

export interface WatchPorts {
  readonly clock: Clock
  readonly portfolios: PortfolioStore
  readonly quotes: QuoteBoard
  readonly quoteStore: QuoteStore
  readonly actions: ActionTable
  readonly changes: ChangeFeed
  readonly watchTimes: WatchTimes
}

/** A call that answers with a stream. */
export interface WatchCall extends CallContext {
  /** Ends the call with an error at once, even while its client takes no messages. */
  drop(error: PortfolioError): void
}

/**
 * The present state of each user, then their changes in order of version, and what else the query asks for, until the
 * call is over. An event is made when its reader takes it: a reader that is behind finds its changes in the database.
 * @throws PortfolioError TOO_MANY_WATCHES, DATABASE_UNAVAILABLE; the call is dropped with SLOW_READER.
 */
export async function* watchPortfolio(
  ports: WatchPorts,
  query: WatchQuery,
  call: WatchCall,
): AsyncGenerator<WatchMessage> {
  const watch = new PortfolioWatch(ports, query, call)
  try {
    for await (const event of watch.events()) {
      watch.giveOut()
      yield { event, versions: watch.versions, actions: watch.actions }
      watch.takeBack()
    }
  } finally {
    watch.close()
  }
}

/** What a repricing of a user is measured against. */
interface Reference {
  readonly state: PortfolioState
  totalValue: Decimal
  isOutdated: boolean
}

class PortfolioWatch {
  /** What has been sent; a user whose first message has not come is not in it. */
  readonly versions = new Map<string, number>()
  /** What every user was told of, as far as it concerns them. */
  actions: ActionMark
  readonly #ports: WatchPorts
  readonly #query: WatchQuery
  readonly #call: WatchCall
  readonly #feed: FeedWatch
  readonly #unfollow: (() => void)[]
  readonly #references = new Map<string, Reference>()
  #isWoken = false
  #wake: (() => void) | undefined
  #heartbeatDueMs: number
  #repricingDueMs: number
  #givenOutMs: number | undefined
  #missed = 0

  constructor(ports: WatchPorts, query: WatchQuery, call: WatchCall) {
    this.#ports = ports
    this.#query = query
    this.#call = call
    this.#heartbeatDueMs = ports.clock.monotonicMs() + ports.watchTimes.heartbeatMs
    this.#repricingDueMs = 0
    call.signal.addEventListener('abort', () => this.#rouse(), { once: true })
    this.#feed = ports.changes.watch(query.userIds, (_userId, count) => this.#comeUp(count))
    this.actions = query.actions ?? { epoch: ports.actions.current.epoch, at: ports.clock.now() }
    this.#unfollow = [ports.actions.follow(() => this.#rouse())]
    if (query.minMove !== undefined) {
      this.#unfollow.push(ports.quotes.follow((changed) => this.#reprice(changed)))
    }
  }

  close(): void {
    this.#feed.close()
    for (const unfollow of this.#unfollow) unfollow()
  }

  /** The reader has an event to take. */
  giveOut(): void {
    this.#givenOutMs = this.#ports.clock.monotonicMs()
  }

  /** It took it, and asks for the next. */
  takeBack(): void {
    this.#givenOutMs = undefined
    this.#missed = 0
  }

  async *events(): AsyncGenerator<WatchEvent> {
    const { userIds } = this.#query
    await this.#feed.ready
    for (const userId of userIds) yield* this.#begin(userId)
    while (!this.#call.signal.aborted) {
      this.#isWoken = false
      for (const userId of userIds) yield* this.#page(userId)
      yield* this.#actedOn()
      yield* this.#repricings()
      if (this.#ports.clock.monotonicMs() >= this.#heartbeatDueMs) yield* this.#heartbeat()
      await this.#rest()
    }
  }

  async *#begin(userId: string): AsyncGenerator<WatchEvent> {
    const version = this.#query.versions.get(userId)
    // A version that is not there yet is of a database that has lost it: a restored backup.
    if (version === undefined || version > this.#ports.changes.versionOf(userId)) {
      yield* this.#snapshot(userId)
    } else {
      this.versions.set(userId, version)
      await this.#refer(userId)
    }
  }

  async *#snapshot(userId: string): AsyncGenerator<WatchEvent> {
    const view = await this.#view(userId)
    this.versions.set(userId, view?.version ?? this.#ports.changes.versionOf(userId))
    if (view !== undefined) yield { kind: 'snapshot', userId, view }
    await this.#refer(userId, view?.valuation.totalValue)
  }

  /**
   * The present state of whoever holds what a corporate action changed, which is in no version. The changes that it
   * has in it already are sent all the same: each is, once.
   */
  async *#actedOn(): AsyncGenerator<WatchEvent> {
    const { clock, portfolios, actions } = this.#ports
    const { current } = actions
    const told = this.actions
    const mark = { epoch: current.epoch, at: clock.now() }
    if (!current.isNews(told, mark.at)) return
    for (const userId of this.#query.userIds) {
      const versionMin = this.#sentOf(userId)
      const present = await portfolios.read(userId, this.#call, { versionMin })
      const held = [...(present?.state.books.keys() ?? [])]
      if (!held.some((id) => current.hasChanged(id, told, mark.at))) continue
      const view = await this.#view(userId)
      if (view !== undefined) yield { kind: 'snapshot', userId, view }
      await this.#refer(userId, view?.valuation.totalValue)
    }
    this.actions = mark
  }

  async #view(userId: string): Promise<PortfolioView | undefined> {
    const versionMin = this.#ports.changes.versionOf(userId)
    const query = {
      userId,
      versionMin,
      at: undefined,
      recordedUntil: undefined,
      reportingCurrency: undefined,
    }
    return getPortfolio(this.#ports, query, this.#call).catch(absent)
  }

  /** The next changes of a user, at most a page, so that no user keeps the others waiting. */
  async *#page(userId: string): AsyncGenerator<WatchEvent> {
    const { changes } = this.#ports
    const next = await changes.after(userId, this.#sentOf(userId))
    if (next === undefined) {
      yield* this.#snapshot(userId)
      return
    }
    for (const change of next) {
      this.versions.set(userId, change.version)
      yield { kind: 'change', userId, change }
    }
    if (next.length > 0) await this.#refer(userId)
  }

  /** First everything that was committed before it. */
  async *#heartbeat(): AsyncGenerator<WatchEvent> {
    const { clock, changes, watchTimes } = this.#ports
    const { userIds } = this.#query
    const sentAt = clock.now()
    await changes.sync(userIds)
    const until = new Map(userIds.map((userId) => [userId, changes.versionOf(userId)]))
    for (const [userId, version] of until) {
      while (this.#sentOf(userId) < version) yield* this.#page(userId)
    }
    this.#heartbeatDueMs = clock.monotonicMs() + watchTimes.heartbeatMs
    yield { kind: 'heartbeat', sentAt }
  }

  *#repricings(): Generator<WatchEvent> {
    const { clock, quotes, watchTimes } = this.#ports
    const { minMove } = this.#query
    if (minMove === undefined || !this.#isRepricingDue()) return
    this.#repricingDueMs = clock.monotonicMs() + watchTimes.repricingMs
    for (const [userId, reference] of this.#references) {
      if (!reference.isOutdated) continue
      reference.isOutdated = false
      const valuation = valuePortfolio(reference.state, quotes, clock.now())
      const { totalValue } = reference
      const move = minus(valuation.totalValue, totalValue).abs()
      if (move.lessThanOrEqualTo(multiply(minMove, totalValue.abs()))) continue
      reference.totalValue = valuation.totalValue
      yield { kind: 'repriced', userId, summary: summaryOf(valuation) }
    }
  }

  #isRepricingDue(): boolean {
    return this.#hasOutdated() && this.#ports.clock.monotonicMs() >= this.#repricingDueMs
  }

  #hasOutdated(): boolean {
    return [...this.#references.values()].some(({ isOutdated }) => isOutdated)
  }

  /** What was just sent is what the next repricing is measured against. */
  async #refer(userId: string, sentValue?: Decimal): Promise<void> {
    if (this.#query.minMove === undefined) return
    const { portfolios, quotes, clock } = this.#ports
    const present = await portfolios.read(userId, this.#call)
    if (present === undefined) return
    const { state } = present
    const { totalValue } = valuePortfolio(state, quotes, clock.now())
    const isOutdated = sentValue !== undefined && !sentValue.equals(totalValue)
    this.#references.set(userId, { state, totalValue: sentValue ?? totalValue, isOutdated })
  }

  #reprice(changed: readonly Quote[]): void {
    const isRate = changed.some(({ kind }) => kind === 'FX')
    for (const reference of this.#references.values()) {
      const { books } = reference.state
      const isHeld = isRate || changed.some(({ instrumentId }) => books.has(instrumentId))
      if (!isHeld || reference.isOutdated) continue
      reference.isOutdated = true
      this.#rouse()
    }
  }

  #comeUp(changeCount: number): void {
    this.#rouse()
    if (this.#givenOutMs === undefined) return
    this.#missed += changeCount
    const waitedMs = this.#ports.clock.monotonicMs() - this.#givenOutMs
    if (this.#missed <= PAGE_CHANGES_MAX || waitedMs < this.#ports.watchTimes.stallMs) return
    this.#call.drop(
      new PortfolioError('SLOW_READER', 'the messages were not taken as fast as they came up', {
        metadata: { actual: String(this.#missed), maximum: String(PAGE_CHANGES_MAX) },
      }),
    )
  }

  #rouse(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  /** Until something comes up, a time is due, or the call is over. */
  async #rest(): Promise<void> {
    const { changes, clock } = this.#ports
    const isBehind = this.#query.userIds.some(
      (userId) => changes.versionOf(userId) > this.#sentOf(userId),
    )
    if (this.#isWoken || isBehind || this.#call.signal.aborted) return
    const dueMs = this.#hasOutdated()
      ? Math.min(this.#heartbeatDueMs, this.#repricingDueMs)
      : this.#heartbeatDueMs
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, Math.max(0, dueMs - clock.monotonicMs()))
    })
    clearTimeout(timer)
    this.#wake = undefined
  }

  #sentOf(userId: string): number {
    return this.versions.get(userId) ?? 0
  }
}

function absent(error: unknown): undefined {
  if (error instanceof PortfolioError && error.reason === 'PORTFOLIO_NOT_FOUND') return undefined
  throw error
}
