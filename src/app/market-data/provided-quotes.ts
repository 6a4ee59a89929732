import { effectiveStaleAfter } from '../../domain/market-data/effective-quote.ts'
import { symbolOf } from '../../domain/market-data/instrument.ts'
import { quotedInstrument, type SentQuote } from '../../domain/market-data/accept-quote.ts'
import { type EffectiveQuote, inverseOf } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'
import type {
  CallContext,
  FreshQuotes,
  Leases,
  ProviderTelemetry,
  QuoteBoard,
  QuoteProvider,
} from '../ports.ts'
import { type IngestPorts, ingestQuotes } from './ingest-quotes.ts'

export interface ProvidedQuotePorts extends IngestPorts {
  readonly leases: Leases
  readonly telemetry: IngestPorts['telemetry'] & ProviderTelemetry
  /** In the order in which they are asked. */
  readonly providers: readonly QuoteProvider[]
}

export interface ProvidedQuoteTimes {
  /** What a call waits at most, for all providers together. */
  readonly budgetMs: number
  /** Between two passes. */
  readonly refreshMs: number
}

const SYMBOLS_PER_REQUEST_MAX = 1_000
const WANTED_MAX = 10_000
/** Nobody waits again so soon for what nobody knew. */
const RETRY_MICROSECONDS = 5_000_000
/** Longer than any provider is given: in the background each is waited for. */
const PATIENCE_MS = 60_000
const LEASE = 'provider-refresh'

/**
 * Prices that providers bring where the store has no fresh one. Whatever they say is taken in as if it had been sent to
 * IngestQuotes: checked, held back where it is an outlier, kept, and known to every replica.
 */
export class ProvidedQuotes {
  readonly #ports: ProvidedQuotePorts
  readonly #times: ProvidedQuoteTimes
  readonly #names: ReadonlySet<string>
  /** Looked for and not found since the last pass. */
  readonly #wanted = new Set<string>()
  /** When it is worth waiting for it again. */
  readonly #retryAt = new Map<string, Instant>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #deadlines = new WeakMap<object, number>()

  constructor(ports: ProvidedQuotePorts, times: ProvidedQuoteTimes) {
    this.#ports = ports
    this.#times = times
    this.#names = new Set(ports.providers.map(({ name }) => name))
    this.board = {
      ...ports.board,
      // Read anew each time: what was copied would be the actions known at the start.
      get actions() {
        return ports.board.actions
      },
      latest: (instrumentId) => {
        const quote = ports.board.latest(instrumentId)
        if (quote === undefined && this.#wanted.size < WANTED_MAX) this.#wanted.add(instrumentId)
        return quote
      },
    }
  }

  /** The board as those see it whose misses are to be found by the next pass. */
  readonly board: QuoteBoard

  readonly fresh: FreshQuotes = (instrumentIds, call) => {
    const now = this.#ports.clock.now()
    const missing = new Set<string>()
    for (const id of instrumentIds) {
      const isAwaited = (this.#retryAt.get(id) ?? now) <= now
      if (id !== '' && isAwaited && !this.#isKnown(id, now)) missing.add(id)
    }
    if (missing.size === 0) return undefined
    const budgetMs = this.#budgetOf(call)
    return budgetMs > 0 ? this.#await(missing, budgetMs) : undefined
  }

  /**
   * Refreshes what providers brought and what has become stale, and looks for what was missed since the last pass. Of
   * several replicas one refreshes; each looks for its own misses.
   */
  async pass(replica: string): Promise<void> {
    const { board, clock, leases } = this.#ports
    const now = clock.now()
    for (const [id, retryAt] of this.#retryAt) if (retryAt <= now) this.#retryAt.delete(id)
    const due = new Set([...this.#wanted].filter((id) => !this.#isKnown(id, now)))
    this.#wanted.clear()
    // A pass may be late: the lease outlives it.
    if ((await leases.claim(LEASE, replica, 2 * this.#times.refreshMs)) !== undefined) {
      for (const quote of board.all()) if (this.#isDue(quote, now)) due.add(quote.instrumentId)
    }
    const ids = [...due].slice(0, WANTED_MAX)
    for (let start = 0; start < ids.length; start += SYMBOLS_PER_REQUEST_MAX) {
      await this.#ask(ids.slice(start, start + SYMBOLS_PER_REQUEST_MAX), PATIENCE_MS)
    }
  }

  /** What is left for this call, which may have waited before. */
  #budgetOf(call: Pick<CallContext, 'deadlineMs'>): number {
    const nowMs = this.#ports.clock.monotonicMs()
    // The write itself needs time too.
    const ownMs = Math.min(this.#times.budgetMs, (call.deadlineMs - nowMs) / 2)
    const deadlineMs = this.#deadlines.get(call) ?? nowMs + ownMs
    this.#deadlines.set(call, deadlineMs)
    return deadlineMs - nowMs
  }

  /** What another call asks for already is waited for with it. */
  async #await(missing: ReadonlySet<string>, budgetMs: number): Promise<void> {
    const ids = [...missing].filter((id) => !this.#running.has(id))
    for (let start = 0; start < ids.length; start += SYMBOLS_PER_REQUEST_MAX) {
      const asked = ids.slice(start, start + SYMBOLS_PER_REQUEST_MAX)
      const asking = this.#ask(asked, budgetMs / this.#ports.providers.length).finally(() => {
        for (const id of asked) this.#running.delete(id)
      })
      for (const id of asked) this.#running.set(id, asking)
    }
    const running = new Set([...missing].flatMap((id) => this.#running.get(id) ?? []))
    await settledWithin(budgetMs, Promise.all(running))
  }

  /** Asks one provider after the other for what is still missing. Never rejects. */
  async #ask(ids: readonly string[], patienceMs: number): Promise<void> {
    const { board, clock, providers } = this.#ports
    const before = new Map(ids.map((id) => [id, board.latest(id)]))
    let missing = ids
    for (const provider of providers) {
      if (missing.length === 0) return
      // What comes later is taken in all the same.
      await settledWithin(patienceMs, this.#take(provider, missing))
      const now = clock.now()
      missing = missing.filter(
        (id) => board.latest(id) === before.get(id) || !this.#isFresh(id, now),
      )
    }
    if (this.#retryAt.size > WANTED_MAX) this.#retryAt.clear()
    const retryAt = clock.now() + RETRY_MICROSECONDS
    for (const id of missing) this.#retryAt.set(id, retryAt)
  }

  async #take(provider: QuoteProvider, ids: readonly string[]): Promise<void> {
    const { board, clock, telemetry } = this.#ports
    const { instruments } = board
    try {
      const sent = await provider.fetch(ids.map((id) => symbolOf(instruments, id)))
      const asked = new Set<string | undefined>(ids)
      const now = clock.now()
      const quotes: SentQuote[] = []
      for (const quote of sent) {
        const { instrumentId } = quotedInstrument(quote, instruments, now)
        // What nobody asked for may be anything.
        if (asked.has(instrumentId)) quotes.push({ ...quote, source: provider.name })
      }
      await ingestQuotes(this.#ports, chunksOf(quotes))
      telemetry.providerAnswered(provider.name)
    } catch (error) {
      telemetry.providerFailed(provider.name, error)
    }
  }

  #isFresh(instrumentId: string, now: Instant): boolean {
    const quote = this.#ports.board.latest(instrumentId)
    return quote !== undefined && now <= effectiveStaleAfter(quote)
  }

  /** A pair is known by its inverse too. */
  #isKnown(instrumentId: string, now: Instant): boolean {
    const inverse = inverseOf(instrumentId)
    if (inverse !== undefined && this.#isFresh(inverse, now)) return true
    return this.#isFresh(instrumentId, now)
  }

  /** What others send is theirs to keep fresh, as long as they do. */
  #isDue(quote: EffectiveQuote, now: Instant): boolean {
    if (!this.#names.has(quote.source)) return now > effectiveStaleAfter(quote)
    return (quote.nextPriceAt?.(now) ?? now) <= now
  }
}

function* chunksOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += SYMBOLS_PER_REQUEST_MAX) {
    yield items.slice(start, start + SYMBOLS_PER_REQUEST_MAX)
  }
}

async function settledWithin(timeMsMax: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeMsMax)
  })
  await Promise.race([work, expiry])
  clearTimeout(timer)
}
