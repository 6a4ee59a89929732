import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import grpc from '@grpc/grpc-js'
import {
  IngestQuotesRequestSchema,
  IngestQuotesResponseSchema,
  MarketDataService,
  Quote_Kind,
} from '../gen/portfolio/v1/market_data_service_pb.ts'
import { sameBytes } from './serve.ts'
import { priceText, SYMBOLS } from './workload.ts'

const INGEST_PATH = `/${MarketDataService.typeName}/${MarketDataService.method.ingestQuotes.name}`
const INTERVAL_MS = 1_000

/** One quote a second for every symbol, through IngestQuotes, until it is stopped. */
export interface QuoteFeed {
  /** @throws when a quote was not accepted. */
  stop(): Promise<void>
}

export function startQuoteFeed(address: string): QuoteFeed {
  const client = new grpc.Client(address, grpc.credentials.createInsecure())
  const sent: Promise<void>[] = []
  let tick = 1
  const timer = setInterval(() => sent.push(send(client, tick++)), INTERVAL_MS)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(sent)
      client.close()
    },
  }
}

/** Sends one quote of each symbol, at the prices that `plain-handler.ts` has. */
export async function sendOpeningQuotes(address: string): Promise<void> {
  const client = new grpc.Client(address, grpc.credentials.createInsecure())
  await send(client, 0)
  client.close()
}

async function send(client: grpc.Client, tick: number): Promise<void> {
  const quotes = SYMBOLS.map((symbol) => ({
    symbol,
    price: priceText(symbol, tick),
    currencyCode: 'USD',
    source: 'bench',
    kind: Quote_Kind.REALTIME,
  }))
  const request = create(IngestQuotesRequestSchema, { quotes })
  const bytes = Buffer.from(toBinary(IngestQuotesRequestSchema, request))
  const response = await new Promise<Buffer>((resolve, reject) => {
    const stream = client.makeClientStreamRequest<Buffer, Buffer>(
      INGEST_PATH,
      sameBytes,
      sameBytes,
      (error, answer) => {
        if (answer === undefined) reject(error ?? new Error('no answer'))
        else resolve(answer)
      },
    )
    stream.end(bytes)
  })
  const { accepted } = fromBinary(IngestQuotesResponseSchema, response)
  if (accepted !== BigInt(SYMBOLS.length)) throw new Error(`only ${accepted} quotes were accepted`)
}
