import type { Instant } from '../time.ts'

export type Completeness = 'COMPLETE' | 'STALE' | 'PARTIAL'

export interface QualityIssue {
  /** What answers call the instrument; empty = of none. */
  readonly symbol: string
  readonly reason:
    | 'PRICE_MISSING'
    | 'PRICE_STALE'
    | 'FX_MISSING'
    | 'BASIS_UNKNOWN'
    | 'SPLIT_SUSPECTED'
    | 'ACTION_LEFT_OUT'
  readonly detail: string
}

export interface Quality {
  readonly completeness: Completeness
  /** Time of the oldest price used; undefined when no price was. */
  readonly pricedAt: Instant | undefined
  readonly issues: readonly QualityIssue[]
}
