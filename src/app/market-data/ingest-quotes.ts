import {
  acceptQuote,
  type QuarantineReason,
  quotedInstrument,
  type SentQuote,
} from '../../domain/market-data/accept-quote.ts'
import {
  heldBack,
  quarantined,
  type QuarantinedQuote,
  type Screened,
  screenQuotes,
} from '../../domain/market-data/quarantine.ts'
import { pairedQuote } from '../../domain/market-data/paired-quote.ts'
import type { Quote } from '../../domain/market-data/quote.ts'
import { plainText } from '../../domain/text.ts'
import type { Instant } from '../../domain/time.ts'
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

export interface IngestPorts {
  readonly clock: Clock
  readonly quoteStore: QuoteStore
  readonly board: QuoteBoard
  readonly telemetry: Telemetry
  /** Tells the other replicas that there is something new. */
  readonly announce: () => void
}

const EXAMPLES_MAX = 100
const EXAMPLE_SYMBOL_LENGTH_MAX = 64

/**
 * Keeps a stream of quotes. Each message is durable before the next is read, so a broken stream loses only what
 * was not taken yet; an unusable quote and an outlier are kept apart, counted and named, and the rest goes on.
 */
export async function ingestQuotes(
  ports: IngestPorts,
  messages: AsyncIterable<readonly SentQuote[]> | Iterable<readonly SentQuote[]>,
): Promise<IngestResult> {
  const result: IngestResult = { accepted: 0, quarantined: 0, examples: [] }
  for await (const message of messages) {
    const now = ports.clock.now()
    const read = message.map((sent) => readQuote(ports, sent, now))
    const usable = read.filter((outcome): outcome is Quote => !('reason' in outcome))
    const screened = await screen(ports, usable)
    const outliers = new Set([...screened.outliers].map((place) => usable[place]))
    const reasons = read.map((outcome) => {
      if ('reason' in outcome) return outcome.reason
      return outliers.has(outcome) ? 'OUTLIER' : undefined
    })
    await ports.quoteStore.append(screened.accepted, now, {
      quarantined: read.flatMap((outcome): QuarantinedQuote[] => {
        if ('reason' in outcome) return 'price' in outcome ? [outcome] : []
        return outliers.has(outcome) ? [heldBack(outcome)] : []
      }),
      released: screened.released,
    })
    ports.board.publish(screened.accepted)
    ports.announce()
    report(ports, result, message, reasons)
  }
  return result
}

/** A quote without a symbol is nobody's: nothing is kept of it. */
type Unreadable = { readonly reason: QuarantineReason }

function readQuote(
  { board }: IngestPorts,
  sent: SentQuote,
  now: Instant,
): Quote | QuarantinedQuote | Unreadable {
  const quoted = quotedInstrument(sent, board.instruments, now)
  const outcome = acceptQuote(sent, quoted, now)
  if (typeof outcome === 'object') {
    return outcome.splitAdjusted ? { ...outcome, recordedAt: now } : outcome
  }
  if (quoted.instrumentId === undefined) return { reason: outcome }
  return quarantined(sent, quoted.instrumentId, outcome, now)
}

/** What is held back is looked up only when there is something to confirm it, or to be confirmed by it. */
async function screen(
  { board, quoteStore }: IngestPorts,
  quotes: readonly Quote[],
): Promise<Screened> {
  const backdated = quotes.filter((quote) => {
    const latest = board.latest(quote.instrumentId)
    return latest !== undefined && latest.pricedAt > quote.pricedAt
  })
  const earlier = await quoteStore.readBefore(backdated)
  const before = new Map(backdated.map((quote, place) => [quote, earlier.get(place)]))
  const facts = {
    before: (quote: Quote) =>
      before.has(quote) ? before.get(quote) : board.latest(quote.instrumentId),
    inUnitsOf: (known: Quote, quote: Quote) =>
      pairedQuote(known, board.actions, quote.recordedAt ?? quote.pricedAt),
    instrumentOf: (instrumentId: string) => board.instruments.get(instrumentId),
    held: [],
  }
  const screened = screenQuotes(quotes, facts)
  if (screened.outliers.size === 0) return screened
  const suspects = new Set([...screened.outliers].map((place) => quotes[place]?.instrumentId ?? ''))
  const held = await quoteStore.readHeld([...suspects])
  return held.length === 0 ? screened : screenQuotes(quotes, { ...facts, held })
}

function report(
  { telemetry }: IngestPorts,
  result: IngestResult,
  message: readonly SentQuote[],
  reasons: readonly (QuarantineReason | undefined)[],
): void {
  const first = result.accepted + result.quarantined
  let accepted = 0
  for (const [place, reason] of reasons.entries()) {
    if (reason === undefined) {
      accepted += 1
      continue
    }
    if (result.examples.length >= EXAMPLES_MAX) continue
    const symbol = plainText(message[place]?.symbol ?? '', EXAMPLE_SYMBOL_LENGTH_MAX)
    result.examples.push({ index: first + place, symbol, reason })
  }
  result.accepted += accepted
  result.quarantined += reasons.length - accepted
  telemetry.quotesIngested(accepted, reasons.length - accepted)
}
