import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import {
  type BatchGetQuotesRequest,
  MarketDataService,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'

const { batchGetQuotes } = MarketDataService.method

type Answer = MessageInitShape<typeof batchGetQuotes.output>

/** A provider of prices, as anybody may run one. */
export interface QuoteServer {
  readonly port: number
  /** The symbols of each request so far. */
  readonly requests: readonly (readonly string[])[]
  /** What it answers from now on; `never` = it takes the request and says nothing. */
  answer: ((symbols: readonly string[]) => Answer) | 'never'
  /** Ends it, and every call under way. */
  kill(): void
}

/** Starts one on a free port, or again on the port of one that was killed. */
export async function startQuoteServer(port = 0): Promise<QuoteServer> {
  const requests: (readonly string[])[] = []
  const server = new grpc.Server()
  const running = {
    port: 0,
    requests,
    answer: (() => ({})) as QuoteServer['answer'],
    kill: () => server.forceShutdown(),
  }
  server.addService(
    {
      batchGetQuotes: {
        path: `/${MarketDataService.typeName}/${batchGetQuotes.name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: () => Buffer.alloc(0),
        requestDeserialize: (bytes: Buffer) => fromBinary(batchGetQuotes.input, bytes),
        responseSerialize: (answer: Answer) =>
          Buffer.from(toBinary(batchGetQuotes.output, create(batchGetQuotes.output, answer))),
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    {
      batchGetQuotes(
        call: grpc.ServerUnaryCall<BatchGetQuotesRequest, Answer>,
        respond: grpc.sendUnaryData<Answer>,
      ) {
        const { symbols } = call.request
        requests.push(symbols)
        if (running.answer !== 'never') respond(null, running.answer(symbols))
      },
    },
  )
  running.port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${port}`,
      grpc.ServerCredentials.createInsecure(),
      (error, bound) => (error ? reject(error) : resolve(bound)),
    )
  })
  return running
}
