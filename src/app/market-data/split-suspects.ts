import type { CorporateActions } from '../../domain/market-data/corporate-actions.ts'
import { pairedQuote } from '../../domain/market-data/paired-quote.ts'
import type { Quote } from '../../domain/market-data/quote.ts'
import { looksLikeSplit } from '../../domain/market-data/split-suspicion.ts'
import { type Instant, MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { Outlier, QuoteStore } from '../ports.ts'

/** A suspicion that nobody looked at is forgotten: by then the instrument is worth what it is quoted at. */
export const SUSPICION_LIFE_MICROSECONDS = 30 * MICROSECONDS_PER_DAY

/**
 * The instruments whose price jumped as it does in a split that nobody recorded (decision 28), whether another quote
 * confirmed the jump or not. A recorded split explains it; so does a later price of the old kind.
 */
export async function splitSuspects(
  quoteStore: QuoteStore,
  outliers: readonly Outlier[],
  {
    latest,
    actions,
    recordedUntil,
  }: {
    readonly latest: (instrumentId: string) => Pick<Quote, 'pricedAt'> | undefined
    readonly actions: CorporateActions | undefined
    /** Undefined = whenever. */
    readonly recordedUntil?: Instant | undefined
  },
): Promise<ReadonlySet<string>> {
  if (outliers.length === 0) return NOBODY
  const moments = outliers.map(({ instrumentId, pricedAt }) => ({
    instrumentId,
    pricedAt: pricedAt - 1,
  }))
  const before = await quoteStore.readBefore(moments, recordedUntil)
  const suspects = outliers.flatMap((outlier, place) => {
    const { instrumentId, pricedAt, isReleased } = outlier
    const earlier = before.get(place)
    const newest = latest(instrumentId)
    const isPast = !isReleased && newest !== undefined && newest.pricedAt >= pricedAt
    if (earlier === undefined || isPast) return []
    const paired = pairedQuote(earlier, actions, pricedAt)
    return looksLikeSplit(paired.price, outlier.price) ? [instrumentId] : []
  })
  return new Set(suspects)
}

const NOBODY: ReadonlySet<string> = new Set()
