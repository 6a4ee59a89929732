import {
  create,
  createRegistry,
  type DescMessage,
  type DescMethodClientStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import * as grpc from '@grpc/grpc-js'
import {
  type BadRequest,
  type ErrorInfo,
  file_google_rpc_error_details,
  type PreconditionFailure,
  type RequestInfo,
  type RetryInfo,
} from '../../gen/google/rpc/error_details_pb.ts'
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts'
import {
  type IngestQuotesRequestSchema,
  MarketDataService,
} from '../../gen/portfolio/v1/market_data_service_pb.ts'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { PortfolioUpdateRequestSchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'

const PATIENCE_MS = 20_000
const REGISTRY = createRegistry(file_google_rpc_error_details)

export interface Answered<Message> {
  readonly message: Message
  /** The first value of each. */
  readonly headers: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

/** A call that was refused, with its details unpacked. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure'
  readonly code: string
  readonly requestId: string | undefined
  readonly info: ErrorInfo | undefined
  readonly badRequest: BadRequest | undefined
  readonly precondition: PreconditionFailure | undefined
  readonly retry: RetryInfo | undefined
  readonly requestInfo: RequestInfo | undefined
  readonly metadata: grpc.Metadata
  /** Of the details as they travel, base64. */
  readonly detailsLength: number

  constructor(error: grpc.ServiceError) {
    super(error.details)
    this.code = grpc.status[error.code]
    this.metadata = error.metadata
    this.requestId = error.metadata.get('x-request-id')[0]?.toString()
    const [bytes] = error.metadata.get('grpc-status-details-bin') as Buffer[]
    this.detailsLength = bytes?.toString('base64').length ?? 0
    const details = bytes === undefined ? [] : fromBinary(StatusSchema, bytes).details
    const messages = details.map((any) => anyUnpack(any, REGISTRY))
    const detail = (name: string): unknown =>
      messages.find((message) => message?.$typeName === `google.rpc.${name}`)
    this.info = detail('ErrorInfo') as ErrorInfo | undefined
    this.badRequest = detail('BadRequest') as BadRequest | undefined
    this.precondition = detail('PreconditionFailure') as PreconditionFailure | undefined
    this.retry = detail('RetryInfo') as RetryInfo | undefined
    this.requestInfo = detail('RequestInfo') as RequestInfo | undefined
  }

  get reason(): string | undefined {
    return this.info?.reason
  }

  /** "field REASON" of each violation. */
  get violations(): readonly string[] {
    const { fieldViolations = [] } = this.badRequest ?? {}
    return fieldViolations.map(({ field, reason }) => `${field} ${reason}`)
  }
}

type Headers = Readonly<Record<string, string>>

interface CallOptions {
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
}

/** Calls a service as any gRPC client would. Each call resolves, or rejects with a CallFailure. */
export class ApiClient {
  readonly grpc: grpc.Client

  constructor(port: number) {
    this.grpc = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      // Of no other client's connection.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
    })
  }

  close(): void {
    this.grpc.close()
  }

  update(
    request: MessageInitShape<typeof PortfolioUpdateRequestSchema> | Buffer,
    headers: Headers = {},
    options: CallOptions = {},
  ) {
    return this.unary(PortfolioService.method.updatePortfolio, request, headers, options)
  }

  get(
    request: MessageInitShape<typeof PortfolioService.method.getPortfolio.input> | Buffer,
    headers: Headers = {},
  ) {
    return this.unary(PortfolioService.method.getPortfolio, request, headers)
  }

  batchGet(
    request: MessageInitShape<typeof MarketDataService.method.batchGetQuotes.input> | Buffer,
  ) {
    return this.unary(MarketDataService.method.batchGetQuotes, request)
  }

  /** Sends all messages at once and awaits the one answer. */
  ingest(...messages: readonly MessageInitShape<typeof IngestQuotesRequestSchema>[]) {
    const stream = this.openStream(MarketDataService.method.ingestQuotes)
    for (const message of messages) stream.send(message)
    stream.call.end()
    return stream.answer
  }

  unary<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input> | Buffer,
    headers: Headers = {},
    { deadlineMs = PATIENCE_MS, signal }: CallOptions = {},
  ): Promise<Answered<MessageShape<Output>>> {
    const metadata = metadataOf(headers)
    const bytes = Buffer.isBuffer(request)
      ? request
      : Buffer.from(toBinary(method.input, create(method.input, request)))
    return answerOf((callback) => {
      const call = this.grpc.makeUnaryRequest(
        pathOf(method),
        (message: Buffer) => message,
        (answer) => fromBinary(method.output, answer),
        bytes,
        metadata,
        { deadline: Date.now() + deadlineMs },
        callback,
      )
      signal?.addEventListener('abort', () => call.cancel())
      return call
    })
  }

  openStream<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodClientStreaming<Input, Output>,
  ) {
    let call: grpc.ClientWritableStream<Buffer> | undefined
    const answer = answerOf<MessageShape<Output>>((callback) => {
      call = this.grpc.makeClientStreamRequest(
        pathOf(method),
        (message: Buffer) => message,
        (bytes) => fromBinary(method.output, bytes),
        { deadline: Date.now() + PATIENCE_MS },
        callback,
      )
      return call
    })
    return {
      answer,
      call: call!,
      send: (message: MessageInitShape<Input> | Buffer) => {
        call!.write(
          Buffer.isBuffer(message)
            ? message
            : Buffer.from(toBinary(method.input, create(method.input, message))),
        )
      },
    }
  }
}

function answerOf<Message>(
  start: (
    callback: (error: grpc.ServiceError | null, message?: Message) => void,
  ) => grpc.ClientUnaryCall | grpc.ClientWritableStream<Buffer>,
): Promise<Answered<Message>> {
  return new Promise((resolve, reject) => {
    let received = new grpc.Metadata()
    const call = start((error, message) => {
      if (error) reject(new CallFailure(error))
      else resolve({ message: message!, ...headersOf(received) })
    })
    call.on('metadata', (metadata: grpc.Metadata) => {
      received = metadata
    })
  })
}

function headersOf(metadata: grpc.Metadata) {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(metadata.getMap())) headers[name] = value.toString()
  // Node hands repeated headers over as one text.
  const warnings = metadata.get('portfolio-warning').flatMap((text) => text.toString().split(', '))
  return { headers, warnings }
}

function metadataOf(headers: Headers): grpc.Metadata {
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return metadata
}

function pathOf(method: {
  readonly parent: { readonly typeName: string }
  readonly name: string
}): string {
  return `/${method.parent.typeName}/${method.name}`
}

/** The CallFailure a call ends with; a call that succeeds is an error. */
export async function failureOf(call: Promise<unknown>): Promise<CallFailure> {
  try {
    await call
  } catch (error) {
    if (error instanceof CallFailure) return error
    throw error
  }
  throw new Error('the call succeeded')
}
