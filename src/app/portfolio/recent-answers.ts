import type { CorporateActions, DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { InstrumentSource } from '../../domain/market-data/instrument.ts'
import type { Quote, QuoteSource } from '../../domain/market-data/quote.ts'
import type { Instant } from '../../domain/time.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type { PortfolioView, ViewFacts } from './portfolio-view.ts'

/** Of all answers kept: about 0.4 KB each, written and with what they were valued with. */
const POSITIONS_MAX = 50_000

/** The quotes that a valuation asked for, and was given or not. */
export class UsedQuotes implements QuoteSource {
  readonly #quotes: QuoteSource
  readonly #asked: string[] = []
  readonly #given: (Quote | undefined)[] = []
  readonly #suspected: string[] = []
  readonly #epoch: number | undefined
  readonly #due: DueActions

  /** `due` are the actions that the state valued with them has in it, at least. */
  constructor(quotes: QuoteSource, due: DueActions) {
    this.#quotes = quotes
    this.#epoch = quotes.instruments?.epoch
    this.#due = due
  }

  get instruments(): InstrumentSource | undefined {
    return this.#quotes.instruments
  }

  get actions(): CorporateActions | undefined {
    return this.#quotes.actions
  }

  isSplitSuspected(instrumentId: string): boolean {
    const isSuspected = this.#quotes.isSplitSuspected?.(instrumentId) ?? false
    if (isSuspected) this.#suspected.push(instrumentId)
    return isSuspected
  }

  latest(instrumentId: string): Quote | undefined {
    const quote = this.#quotes.latest(instrumentId)
    this.#asked.push(instrumentId)
    this.#given.push(quote)
    return quote
  }

  /** True while asking again would give the very same, and no corporate action changed what is held. */
  standAt(now: Instant): boolean {
    if (this.#quotes.instruments?.epoch !== this.#epoch) return false
    if (dueActions(this.#quotes, now) !== this.#due) return false
    return this.#asked.every(
      (id, index) =>
        this.#quotes.latest(id) === this.#given[index] &&
        (this.#quotes.isSplitSuspected?.(id) ?? false) === this.#suspected.includes(id),
    )
  }
}

/** An answer with what it says of itself. */
export interface Answered<Answer> {
  readonly facts: ViewFacts
  /** Undefined where nothing but the facts was asked for. */
  readonly answer: Answer | undefined
}

interface Kept<Answer> extends Answered<Answer> {
  readonly stateEtag: string
  readonly reportingCurrency: string
  readonly quotes: UsedQuotes
  /** A price of it turns stale then, or it expires. */
  readonly until: Instant
  readonly size: number
}

/**
 * The answers about the present that were given last, one a user: one serves again while version and quotes stand.
 * The valuations they were made of are not kept: that much memory, held for seconds, costs more than it saves.
 */
export class RecentAnswers<Answer> {
  readonly #kept = new Map<string, Kept<Answer>>()
  #positions = 0

  /** The answer about exactly that state in that currency, if all it says still holds. */
  find(
    userId: string,
    wanted: { stateEtag: string; reportingCurrency: string; now: Instant },
  ): Answered<Answer> | undefined {
    const kept = this.#kept.get(userId)
    if (kept === undefined) return undefined
    const isWanted =
      kept.stateEtag === wanted.stateEtag &&
      kept.reportingCurrency === wanted.reportingCurrency &&
      wanted.now >= kept.facts.computedAt &&
      wanted.now < kept.until &&
      kept.quotes.standAt(wanted.now)
    return isWanted ? kept : undefined
  }

  keep(
    stateEtag: string,
    quotes: UsedQuotes,
    view: PortfolioView,
    answer: Answer | undefined,
  ): void {
    const { userId, valuation } = view
    this.#forget(userId)
    const size = 1 + valuation.positions.length
    this.#kept.set(userId, {
      stateEtag,
      reportingCurrency: valuation.reportingCurrency,
      quotes,
      until: Math.min(view.expiresAt, staleAt(view)),
      facts: factsOf(view),
      answer,
      size,
    })
    this.#positions += size
    for (const oldest of this.#kept.keys()) {
      if (this.#positions <= POSITIONS_MAX) break
      this.#forget(oldest)
    }
  }

  #forget(userId: string): void {
    const kept = this.#kept.get(userId)
    if (kept === undefined) return
    this.#kept.delete(userId)
    this.#positions -= kept.size
  }
}

/** Without what they are of. */
export function factsOf(view: ViewFacts): ViewFacts {
  const { version, etag, notModified, completeness, pricedAt, cached, computedAt, expiresAt } = view
  return { version, etag, notModified, completeness, pricedAt, cached, computedAt, expiresAt }
}

/** When the first price that is not stale when a view is computed turns stale. */
function staleAt({ valuation: { positions }, computedAt }: PortfolioView): Instant {
  let first = Number.POSITIVE_INFINITY
  for (const { staleAfter } of positions) {
    if (staleAfter >= computedAt) first = Math.min(first, staleAfter)
  }
  return first
}
