import {
  acceptQuote,
  type QuarantineReason,
  type SentQuote,
} from '../../domain/market-data/accept-quote.ts'
import type { Quote } from '../../domain/market-data/quote.ts'
import { plainText } from '../../domain/text.ts'
import type { Clock, QuoteBoard, QuoteStore, Telemetry } from '../ports.ts'

export interface IngestResult {
  accepted: number
  quarantined: number
  /** The first ones only. */
  readonly examples: {
    readonly index: number
    readonly symbol: string
    readonly reason: QuarantineReason
  }[]
}

const EXAMPLES_MAX = 100
const EXAMPLE_SYMBOL_LENGTH_MAX = 64

/**
 * Keeps a stream of quotes. Each message is durable before the next is read, so a broken stream loses only what
 * was not taken yet; an unusable quote is counted and named, and the rest goes on.
 */
export async function ingestQuotes(
  ports: {
    readonly clock: Clock
    readonly quoteStore: QuoteStore
    readonly board: QuoteBoard
    readonly telemetry: Telemetry
  },
  messages: AsyncIterable<readonly SentQuote[]>,
): Promise<IngestResult> {
  const result: IngestResult = { accepted: 0, quarantined: 0, examples: [] }
  for await (const message of messages) {
    const now = ports.clock.now()
    const before = result.quarantined
    const accepted = message.flatMap((sent): Quote[] => {
      const outcome = acceptQuote(sent, now)
      if (typeof outcome === 'object') {
        result.accepted += 1
        return [outcome]
      }
      const index = result.accepted + result.quarantined
      result.quarantined += 1
      if (result.examples.length < EXAMPLES_MAX) {
        const symbol = plainText(sent.symbol, EXAMPLE_SYMBOL_LENGTH_MAX)
        result.examples.push({ index, symbol, reason: outcome })
      }
      return []
    })
    await ports.quoteStore.append(accepted, now)
    ports.board.publish(accepted)
    ports.telemetry.quotesIngested(accepted.length, result.quarantined - before)
  }
  return result
}
