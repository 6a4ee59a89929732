import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type IngestQuotesRequestSchema,
  type IngestQuotesResponse,
  MarketDataService,
} from '../gen/portfolio/v1/market_data_service_pb.ts'
import {
  GetPortfolioRequestSchema,
  type GetPortfolioResponse,
  PortfolioService,
} from '../gen/portfolio/v1/portfolio_service_pb.ts'
import type { PortfolioUpdateRequest } from '../gen/portfolio/v1/portfolio_update_pb.ts'

/** The calls the player makes. Each fails with grpc-js' ServiceError. */
export interface ServiceClient {
  /** @throws ServiceNotReady when it does not serve within that many milliseconds. */
  waitUntilServing(waitMaxMilliseconds: number): Promise<void>
  /** True when the service had applied the same request under this key before, and did nothing now. */
  updatePortfolio(request: PortfolioUpdateRequest, idempotencyKey: string): Promise<boolean>
  ingestQuotes(
    messages: Iterable<MessageShape<typeof IngestQuotesRequestSchema>>,
  ): Promise<IngestQuotesResponse>
  getPortfolio(userId: string): Promise<GetPortfolioResponse>
  close(): void
}

/** Nobody listens, or the service cannot work yet; the message says which and what to do. */
export class ServiceNotReady extends Error {
  override readonly name = 'ServiceNotReady'
}

const CALL_MAX_MILLISECONDS = 60_000
const HEALTH_CALL_MAX_MILLISECONDS = 2_000
const HEALTH_INTERVAL_MILLISECONDS = 200

/** A connection to `target` ("host:port"), in plain text as the service listens on the loopback. */
export function openServiceClient(target: string): ServiceClient {
  const client = new grpc.Client(target, grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': HEALTH_INTERVAL_MILLISECONDS,
    'grpc.max_reconnect_backoff_ms': 1_000,
  })
  return {
    waitUntilServing: (waitMaxMilliseconds) =>
      waitUntilServing(client, target, Date.now() + waitMaxMilliseconds),

    async updatePortfolio(request, idempotencyKey) {
      const metadata = new grpc.Metadata()
      metadata.set('idempotency-key', idempotencyKey)
      const method = PortfolioService.method.updatePortfolio
      const { headers } = await callUnary(client, method, request, metadata)
      return headers.get('idempotency-replayed').includes('true')
    },

    ingestQuotes: (messages) =>
      callClientStream(client, MarketDataService.method.ingestQuotes, messages),

    async getPortfolio(userId) {
      const method = PortfolioService.method.getPortfolio
      const request = create(GetPortfolioRequestSchema, { userId })
      return (await callUnary(client, method, request, new grpc.Metadata())).message
    },

    close: () => {
      client.close()
    },
  }
}

async function waitUntilServing(client: grpc.Client, target: string, until: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(until, (error) => (error ? reject(error) : resolve()))
    })
  } catch {
    throw new ServiceNotReady(`no service at ${target}: start it with npm start`)
  }
  for (;;) {
    const answer = await readHealth(client)
    if (answer === 'SERVING') return
    if (Date.now() >= until) {
      throw new ServiceNotReady(`the service at ${target} is not ready (${answer}): see its log`)
    }
    await delay(HEALTH_INTERVAL_MILLISECONDS)
  }
}

/** The health of what reads and writes portfolios, or why there is no answer. */
async function readHealth(client: grpc.Client): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = healthService['Check'] ?? {}
  if (path === undefined || requestSerialize === undefined || responseDeserialize === undefined) {
    throw new Error('grpc-health-check has no Check')
  }
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service: PortfolioService.typeName },
      { deadline: Date.now() + HEALTH_CALL_MAX_MILLISECONDS },
      (error, answer) => {
        resolve(error ? error.details : String((answer as { status?: unknown }).status))
      },
    )
  })
}

function callUnary<Input extends DescMessage, Output extends DescMessage>(
  client: grpc.Client,
  method: DescMethodUnary<Input, Output>,
  request: MessageShape<Input>,
  metadata: grpc.Metadata,
): Promise<{ message: MessageShape<Output>; headers: grpc.Metadata }> {
  const { path, serialize, deserialize } = wireOf(method)
  return new Promise((resolve, reject) => {
    let headers = new grpc.Metadata()
    const options = { deadline: Date.now() + CALL_MAX_MILLISECONDS }
    client
      .makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        metadata,
        options,
        (error, message) => {
          if (error) reject(error)
          else if (message === undefined) reject(new Error(`${path} answered nothing`))
          else resolve({ message, headers })
        },
      )
      .on('metadata', (received) => {
        headers = received
      })
  })
}

function callClientStream<Input extends DescMessage, Output extends DescMessage>(
  client: grpc.Client,
  method: DescMethodStreaming<Input, Output>,
  messages: Iterable<MessageShape<Input>>,
): Promise<MessageShape<Output>> {
  const { path, serialize, deserialize } = wireOf(method)
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + CALL_MAX_MILLISECONDS }
    const call = client.makeClientStreamRequest(
      path,
      serialize,
      deserialize,
      options,
      (error, message) => {
        if (error) reject(error)
        else if (message === undefined) reject(new Error(`${path} answered nothing`))
        else resolve(message)
      },
    )
    void pipeMessages(messages, call)
  })
}

/** One message after the other, as fast as the service takes them. */
async function pipeMessages<Message>(
  messages: Iterable<Message>,
  call: grpc.ClientWritableStream<Message>,
): Promise<void> {
  for (const message of messages) {
    await new Promise<void>((resolve) => {
      call.write(message, () => resolve())
    })
  }
  call.end()
}

function wireOf<Input extends DescMessage, Output extends DescMessage>(
  method: DescMethodUnary<Input, Output> | DescMethodStreaming<Input, Output>,
) {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    serialize: (message: MessageShape<Input>) => Buffer.from(toBinary(method.input, message)),
    deserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
  }
}
