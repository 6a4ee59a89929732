import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import type { SentQuote } from '../domain/market-data/accept-quote.ts'
import type { AssetClass } from '../domain/market-data/asset-class.ts'
import { AssetClass as SentClass } from '../../gen/portfolio/v1/common_pb.ts'
import {
  type IngestQuotesRequestSchema,
  type IngestQuotesResponse,
  Instrument_Derivative_Right as SentRight,
  MarketDataService,
  type Quote_Kind,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { CALL_MS_MAX, callUnary, patiently } from './client.ts'
import { timestampOf } from './instant.ts'
import { readSentQuote } from './sent-quote.ts'

const METHODS = MarketDataService.method

/** An instrument as the service takes it; empty texts say nothing. */
export interface SentInstrument {
  readonly instrumentId: string
  readonly symbol: string
  readonly exchangeMic: string
  readonly isin: string
  readonly figi: string
  readonly currencyCode: string
  readonly assetClass: AssetClass
  readonly multiplier: string
  readonly quantityScale: number | undefined
  readonly symbolHistory: readonly {
    readonly symbol: string
    readonly fromDate: string
    readonly toDate: string
  }[]
  readonly classifications: Readonly<Record<string, string>>
  readonly derivative:
    | {
        readonly underlyingSymbol: string
        readonly expiryDate: string
        readonly strike: string
        readonly right: 'CALL' | 'PUT' | undefined
      }
    | undefined
}

export interface MarketDataClient {
  /** What the server knows of at most 1,000 symbols, nothing checked. @throws grpc-js' ServiceError. */
  batchGetQuotes(symbols: readonly string[], signal: AbortSignal): Promise<readonly SentQuote[]>
  /** Keeps at most 100 quotes; gives back which were quarantined, and why. @throws CallRefused. */
  ingestQuotes(
    quotes: readonly SentQuote[],
  ): Promise<readonly { readonly index: number; readonly reason: string }[]>
  /** All or none. @throws CallRefused. */
  upsertInstruments(
    instruments: readonly SentInstrument[],
  ): Promise<{ readonly created: number; readonly updated: number }>
  close(): void
}

/** A connection to a server of MarketDataService at `target` ("host:port"), in plain text. */
export function openMarketDataClient(target: string): MarketDataClient {
  const client = new Client(target, credentials.createInsecure(), {
    'grpc.enable_http_proxy': 0,
    // A server that was away is found again as soon as it is asked again.
    'grpc.max_reconnect_backoff_ms': 1_000,
  })
  return {
    async batchGetQuotes(symbols, signal) {
      const request = { symbols: [...symbols] }
      const { quotes } = await callUnary(client, METHODS.batchGetQuotes, request, signal)
      const now = Date.now() * 1_000
      return quotes.map((quote) => readSentQuote(quote, now))
    },
    async ingestQuotes(quotes) {
      // Each of so few is among the examples that the service names.
      const message = { quotes: quotes.map(quoteMessageOf) }
      const { examples } = await patiently(() => streamOne(client, message))
      return examples.map(({ index, reason }) => ({ index: Number(index), reason }))
    },
    upsertInstruments(instruments) {
      const request = { instruments: instruments.map(instrumentMessageOf) }
      return patiently(() => callUnary(client, METHODS.upsertInstruments, request))
    },
    close: () => client.close(),
  }
}

function quoteMessageOf({ pricedAt, ...quote }: SentQuote) {
  return {
    ...quote,
    kind: quote.kind as Quote_Kind,
    ...(pricedAt !== undefined && { pricedAt: timestampOf(pricedAt) }),
  }
}

function instrumentMessageOf({ derivative, quantityScale, ...instrument }: SentInstrument) {
  return {
    ...instrument,
    assetClass: SentClass[instrument.assetClass],
    symbolHistory: [...instrument.symbolHistory],
    ...(quantityScale !== undefined && { quantityScale }),
    ...(derivative !== undefined && {
      derivative: {
        ...derivative,
        right: derivative.right === undefined ? SentRight.UNSPECIFIED : SentRight[derivative.right],
      },
    }),
  }
}

/** A stream of one message. @throws grpc-js' ServiceError. */
function streamOne(
  client: Client,
  message: MessageInitShape<typeof IngestQuotesRequestSchema>,
): Promise<IngestQuotesResponse> {
  const { ingestQuotes } = METHODS
  return new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest(
      `/${MarketDataService.typeName}/${ingestQuotes.name}`,
      (request: MessageInitShape<typeof IngestQuotesRequestSchema>) =>
        Buffer.from(toBinary(ingestQuotes.input, create(ingestQuotes.input, request))),
      (bytes: Buffer) => fromBinary(ingestQuotes.output, bytes),
      new Metadata(),
      { deadline: Date.now() + CALL_MS_MAX },
      (error, response) => {
        if (error) reject(error)
        else if (response === undefined) reject(new Error('IngestQuotes answered nothing'))
        else resolve(response)
      },
    )
    call.write(message)
    call.end()
  })
}
