import type { CurrencyEffects } from '../../domain/portfolio/currency-effect.ts'
import type { Completeness } from '../../domain/portfolio/quality.ts'
import type { Valuation } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'

/** What a view says of itself, whatever the portfolio holds. */
export interface ViewFacts {
  readonly version: number
  /** Names the state and the prices it is valued with. */
  readonly etag: string
  /** The caller has this very answer: the valuation need not be sent. */
  readonly notModified: boolean
  readonly completeness: Completeness
  /** Time of the oldest price used; undefined when no price was. */
  readonly pricedAt: Instant | undefined
  readonly cached: boolean
  readonly computedAt: Instant
  /** When the next price can exist. */
  readonly expiresAt: Instant
}

/** A portfolio as it is shown: a state, valued at a moment. */
export interface PortfolioView extends ViewFacts {
  readonly userId: string
  readonly valuation: Valuation
  readonly effects: CurrencyEffects
  /** The holdings are kept in this process: what was made of them may serve again. */
  readonly isHeld: boolean
  readonly at: Instant | undefined
  readonly recordedUntil: Instant | undefined
}
