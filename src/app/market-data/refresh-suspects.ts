import { pairedQuote } from '../../domain/market-data/paired-quote.ts'
import { looksLikeSplit } from '../../domain/market-data/split-suspicion.ts'
import { MICROSECONDS_PER_DAY } from '../../domain/time.ts'
import type { Clock, QuoteBoard, QuoteStore } from '../ports.ts'

/** A suspicion that nobody looked at is forgotten: by then the instrument is worth what it is quoted at. */
const SUSPICION_LIFE_MICROSECONDS = 30 * MICROSECONDS_PER_DAY

/**
 * Finds the instruments whose price jumped as it does in a split that nobody recorded (decision 28), whether another
 * quote confirmed the jump or not. A recorded split explains it; so does a later price of the old kind.
 */
export async function refreshSuspects({
  clock,
  quoteStore,
  board,
}: {
  readonly clock: Clock
  readonly quoteStore: QuoteStore
  readonly board: QuoteBoard
}): Promise<void> {
  const outliers = await quoteStore.readOutliers(clock.now() - SUSPICION_LIFE_MICROSECONDS)
  const moments = outliers.map(({ instrumentId, pricedAt }) => ({
    instrumentId,
    pricedAt: pricedAt - 1,
  }))
  const before =
    outliers.length === 0 ? new Map<number, never>() : await quoteStore.readBefore(moments)
  const suspects = outliers.flatMap((outlier, place) => {
    const { instrumentId, pricedAt, isReleased } = outlier
    const earlier = before.get(place)
    const latest = board.latest(instrumentId)
    const isPast = !isReleased && latest !== undefined && latest.pricedAt >= pricedAt
    if (earlier === undefined || isPast) return []
    const paired = pairedQuote(earlier, board.actions, pricedAt)
    return looksLikeSplit(paired.price, outlier.price) ? [instrumentId] : []
  })
  board.suspectSplits(new Set(suspects))
}
