import type { Instant } from '../../domain/time.ts'
import type { QuoteBoard, QuoteStore } from '../ports.ts'

/** A quote is stamped before it is committed: what was stamped this long ago is read again. */
const COMMIT_LAG_MAX_MICROSECONDS = 5_000_000

/**
 * One pass of the background reading that brings quotes ingested by other replicas to this one's board.
 * Gives back the moment to pass to the next call; the first call, without one, reads all.
 */
export async function refreshQuotes(
  ports: { readonly quoteStore: QuoteStore; readonly board: QuoteBoard },
  recordedUntil: Instant | undefined,
): Promise<Instant | undefined> {
  const since =
    recordedUntil === undefined ? undefined : recordedUntil - COMMIT_LAG_MAX_MICROSECONDS
  const read = await ports.quoteStore.readNewest(since)
  ports.board.publish(read.quotes)
  return read.recordedUntil ?? recordedUntil
}
