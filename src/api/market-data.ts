import type { MessageInitShape } from '@bufbuild/protobuf'
import { batchGetQuotes } from '../app/market-data/batch-get-quotes.ts'
import { ingestQuotes } from '../app/market-data/ingest-quotes.ts'
import { listInstruments } from '../app/market-data/list-instruments.ts'
import { listQuotes } from '../app/market-data/list-quotes.ts'
import { upsertInstruments } from '../app/market-data/upsert-instruments.ts'
import type {
  ActionTable,
  Clock,
  CorporateActionStore,
  InstrumentStore,
  QuoteBoard,
  QuoteStore,
  Telemetry,
} from '../app/ports.ts'
import { type Decimal, decimalText } from '../domain/decimal.ts'
import type { PortfolioError, Violation } from '../domain/errors.ts'
import type { SentQuote } from '../domain/market-data/accept-quote.ts'
import { type InstrumentSource, symbolOf } from '../domain/market-data/instrument.ts'
import { type Quote, QUOTE_KINDS } from '../domain/market-data/quote.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import { dayOf } from '../domain/portfolio/calendar-day.ts'
import type { Instant } from '../domain/time.ts'
import type {
  BatchGetQuotesRequest,
  IngestQuotesRequest,
  MarketDataService,
  Quote_Kind,
  QuoteSchema,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import type { HandlersOf } from './call.ts'
import { corporateActionHandlers } from './corporate-action-handlers.ts'
import { instantOf, timestampOf } from './instant.ts'
import {
  instrumentsToken,
  presentInstrument,
  readInstrumentsPage,
  readUpsert,
} from './instruments.ts'
import { quotesToken, readQuotesPage } from './quote-pages.ts'
import { readSentQuote } from './sent-quote.ts'
import {
  countProblem,
  INSTANT_PROBLEM,
  readMoment,
  refusalOf,
  SYMBOL_PROBLEM,
} from './violations.ts'

/** Of the symbols of a request, and of the quotes of a message of a stream. */
const ENTRIES_MAX = 1_000

interface MarketDataPorts {
  readonly clock: Clock
  readonly quoteStore: QuoteStore
  readonly instrumentStore: InstrumentStore
  readonly actionStore: CorporateActionStore
  readonly actions: ActionTable
  readonly board: QuoteBoard
  readonly telemetry: Telemetry
  /** Tells the other replicas that there is something new. */
  readonly announce: () => void
}

/** The RPCs of MarketDataService: parse, use case, present. */
export function marketDataHandlers(ports: MarketDataPorts): HandlersOf<typeof MarketDataService> {
  const { clock } = ports
  const { instruments } = ports.board
  return {
    async upsertInstruments(request) {
      const drafts = readUpsert(request, dayOf(clock.now(), 'UTC'))
      return { message: await upsertInstruments({ ...ports, instruments }, drafts) }
    },

    async listInstruments(request) {
      const query = readInstrumentsPage(request)
      const page = listInstruments({ clock, instruments }, query)
      return {
        message: {
          instruments: page.instruments.map(presentInstrument),
          nextPageToken: instrumentsToken(page.next),
        },
      }
    },

    async listQuotes(request) {
      const query = readQuotesPage(request)
      const page = await listQuotes({ ...ports, instruments }, query)
      return {
        message: {
          quotes: page.quotes.map((quote) => presentQuote(quote, instruments)),
          nextPageToken: quotesToken(query.quarantinedOnly, page.next),
        },
      }
    },

    ...corporateActionHandlers({ ...ports, instruments }),

    async ingestQuotes(requests) {
      const result = await ingestQuotes(ports, readQuotes(requests, ports.clock))
      return {
        message: {
          accepted: BigInt(result.accepted),
          quarantined: BigInt(result.quarantined),
          examples: result.examples.map(({ index, symbol, reason }) => ({
            index: BigInt(index),
            symbol,
            reason,
          })),
        },
      }
    },

    async batchGetQuotes(request) {
      const { symbols, at } = readBatch(request, clock.now())
      const found = await batchGetQuotes({ ...ports, quotes: ports.board }, symbols, at)
      return {
        message: {
          quotes: found.quotes.map((quote) => presentQuote(quote, instruments)),
          missingSymbols: [...found.missing],
        },
      }
    },
  }
}

async function* readQuotes(
  requests: AsyncIterable<IngestQuotesRequest>,
  clock: Clock,
): AsyncGenerator<readonly SentQuote[]> {
  for await (const { quotes } of requests) {
    if (quotes.length > ENTRIES_MAX) throw tooManyQuotes(quotes.length)
    const now = clock.now()
    yield quotes.map((quote) => readSentQuote(quote, now))
  }
}

/** @throws PortfolioError with everything that is wrong with the request. */
function readBatch(
  { symbols, effectiveAt }: BatchGetQuotesRequest,
  now: Instant,
): { symbols: readonly string[]; at: Instant | undefined } {
  const violations: Violation[] = []
  const canonical: string[] = []
  const reasons = { none: 'SYMBOLS_REQUIRED', tooMany: 'TOO_MANY_SYMBOLS' } as const
  const count = { actual: symbols.length, maximum: ENTRIES_MAX }
  const problem = countProblem(reasons, count)
  if (problem !== undefined) violations.push({ field: 'symbols', ...problem })
  for (const [index, symbol] of symbols.slice(0, ENTRIES_MAX).entries()) {
    const meant = canonicalSymbol(symbol)
    if (meant === undefined) {
      violations.push({ field: `symbols[${index}]`, ...SYMBOL_PROBLEM })
    } else {
      canonical.push(meant)
    }
  }
  const at = readMoment(effectiveAt && instantOf(effectiveAt, now), () =>
    violations.push({ field: 'effective_at', ...INSTANT_PROBLEM }),
  )
  if (violations.length > 0) throw refusalOf(violations, count)
  return { symbols: canonical, at }
}

function tooManyQuotes(actual: number): PortfolioError {
  const description = `at most ${ENTRIES_MAX} in a message, ${actual} sent`
  const violations: Violation[] = [{ field: 'quotes', reason: 'TOO_MANY_QUOTES', description }]
  return refusalOf(violations, { actual, maximum: ENTRIES_MAX })
}

function presentQuote(
  quote: Omit<Quote, 'price'> & { readonly price: Decimal | string },
  instruments: InstrumentSource,
): MessageInitShape<typeof QuoteSchema> {
  return {
    symbol: symbolOf(instruments, quote.instrumentId),
    price: typeof quote.price === 'string' ? quote.price : decimalText(quote.price),
    currencyCode: quote.currency,
    pricedAt: timestampOf(quote.pricedAt),
    source: quote.source,
    // The domain's kinds are in the order of the contract's numbers.
    kind: QUOTE_KINDS.indexOf(quote.kind) as Quote_Kind,
    splitAdjusted: quote.splitAdjusted,
  }
}
