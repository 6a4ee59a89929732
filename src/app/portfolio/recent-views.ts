import type { CorporateActions, DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { InstrumentSource } from '../../domain/market-data/instrument.ts'
import type { Quote, QuoteSource } from '../../domain/market-data/quote.ts'
import type { Valuation } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type { PortfolioView } from './portfolio-view.ts'

/** Of all views kept: about 1.5 KB each, with the answers made of them. */
const POSITIONS_MAX = 50_000

/** The quotes that a valuation asked for, and was given or not. */
export class UsedQuotes implements QuoteSource {
  readonly #quotes: QuoteSource
  readonly #asked: string[] = []
  readonly #given: (Quote | undefined)[] = []
  readonly #suspicions = new Map<string, boolean>()
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
    this.#suspicions.set(instrumentId, isSuspected)
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
    for (const [instrumentId, isSuspected] of this.#suspicions) {
      if (this.#quotes.isSplitSuspected?.(instrumentId) !== isSuspected) return false
    }
    return this.#asked.every((id, index) => this.#quotes.latest(id) === this.#given[index])
  }
}

interface Kept {
  readonly stateEtag: string
  readonly quotes: UsedQuotes
  readonly view: PortfolioView
  /** A price of it turns stale then, or it expires. */
  readonly until: Instant
}

/**
 * The present views that were asked for last, one a user: a view serves again while version and quotes stand, and with
 * it the answer that was made of it.
 */
export class RecentViews {
  readonly #kept = new Map<string, Kept>()
  #positions = 0

  /** The view of exactly that state in that currency, if all it says still holds. */
  find(
    userId: string,
    wanted: { stateEtag: string; reportingCurrency: string; now: Instant },
  ): PortfolioView | undefined {
    const kept = this.#kept.get(userId)
    if (kept === undefined) return undefined
    const { stateEtag, view, until, quotes } = kept
    const isWanted =
      stateEtag === wanted.stateEtag &&
      view.valuation.reportingCurrency === wanted.reportingCurrency &&
      wanted.now >= view.computedAt &&
      wanted.now < until &&
      quotes.standAt(wanted.now)
    return isWanted ? view : undefined
  }

  keep(stateEtag: string, quotes: UsedQuotes, view: PortfolioView): void {
    this.#forget(view.userId)
    const until = Math.min(view.expiresAt, staleAt(view.valuation, view.computedAt))
    this.#kept.set(view.userId, { stateEtag, quotes, view, until })
    this.#positions += sizeOf(view)
    for (const oldest of this.#kept.keys()) {
      if (this.#positions <= POSITIONS_MAX) break
      this.#forget(oldest)
    }
  }

  #forget(userId: string): void {
    const kept = this.#kept.get(userId)
    if (kept === undefined) return
    this.#kept.delete(userId)
    this.#positions -= sizeOf(kept.view)
  }
}

function sizeOf({ valuation }: PortfolioView): number {
  return 1 + valuation.positions.length
}

/** When the first price that is not stale at `now` turns stale. */
function staleAt({ positions }: Valuation, now: Instant): Instant {
  let first = Number.POSITIVE_INFINITY
  for (const { staleAfter } of positions) {
    if (staleAfter >= now) first = Math.min(first, staleAfter)
  }
  return first
}
