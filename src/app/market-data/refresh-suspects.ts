import type { Clock, QuoteBoard, QuoteStore } from '../ports.ts'
import { splitSuspects, SUSPICION_LIFE_MICROSECONDS } from './split-suspects.ts'

/** Finds the instruments that seem to have split without a word. */
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
  const { actions } = board
  const latest = (instrumentId: string) => board.latest(instrumentId)
  board.suspectSplits(await splitSuspects(quoteStore, outliers, { latest, actions }))
}
