import {
  type DescMessage,
  type DescMethod,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt'
import type {
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  MethodDefinition,
  sendUnaryData,
  Server,
  ServerWritableStream,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { CallContext } from '../app/ports.ts'
import { PortfolioError } from '../domain/errors.ts'
import { GrpcCall } from './grpc-call.ts'
import { messageBytes } from './message-bytes.ts'
import { checkSize } from './message-size.ts'
import type { Edge, MethodFacts, ReplyHeaders, ServedCall } from './served-call.ts'

/** What a handler answers: the message, and what the specification's messages have no field for. */
type Reply<Output extends DescMessage> = Answer<Output> & { readonly headers?: ReplyHeaders }

/** A message, or its bytes where the handler has written them. */
type Answer<Output extends DescMessage> =
  { readonly message: MessageInitShape<Output> } | { readonly bytes: Buffer }

export type UnaryHandler<Input extends DescMessage, Output extends DescMessage> = (
  request: MessageShape<Input>,
  metadata: Metadata,
  call: CallContext,
) => Promise<Reply<Output>>

/** The next message is decoded when the handler asks for it: a slow handler slows its client down. */
type ClientStreamHandler<Input extends DescMessage, Output extends DescMessage> = (
  requests: AsyncIterable<MessageShape<Input>>,
  metadata: Metadata,
  call: CallContext,
) => Promise<Reply<Output>>

/** What serves a call that answers with a stream. */
export interface StreamContext extends CallContext {
  /** Ends the call with an error at once, even while its client takes no messages. */
  drop(error: PortfolioError): void
}

/** The next message is asked for when the client has room for it: a slow client slows its handler down. */
export type ServerStreamHandler<Input extends DescMessage, Output extends DescMessage> = (
  request: MessageShape<Input>,
  metadata: Metadata,
  call: StreamContext,
) => AsyncIterable<MessageInitShape<Output>>

type HandlerOf<Method> =
  Method extends DescMethodUnary<infer Input, infer Output>
    ? UnaryHandler<Input, Output>
    : Method extends DescMethodClientStreaming<infer Input, infer Output>
      ? ClientStreamHandler<Input, Output>
      : Method extends DescMethodServerStreaming<infer Input, infer Output>
        ? ServerStreamHandler<Input, Output>
        : never

/** A service's table: a handler for each of its RPCs; the compiler names what is missing. */
export type HandlersOf<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: HandlerOf<Service['method'][Name]>
}

const READ_MS_MAX = 5_000
const WRITE_MS_MAX = 10_000
/** A stream ends with its connection's age at the latest. */
const STREAM_MS_MAX = 300_000

/** Serves a table of handlers. Messages reach our own code as bytes: grpc-js answers INTERNAL to malformed ones. */
export function addService<Service extends DescService>(
  server: Server,
  service: Service,
  handlers: HandlersOf<Service>,
  edge: Edge,
): void {
  const definition: Record<string, MethodDefinition<Buffer, Buffer>> = {}
  const implementation: UntypedServiceImplementation = {}
  const table = handlers as Readonly<Record<string, unknown>>
  for (const method of service.methods) {
    definition[method.localName] = bytesDefinition(method)
    implementation[method.localName] = callOf(method, table[method.localName], edge)
  }
  server.addService(definition, implementation)
}

function callOf(method: DescMethod, handler: unknown, edge: Edge): UntypedHandleCall {
  switch (method.methodKind) {
    case 'unary':
      return unaryCall(method, handler as UnaryHandler<DescMessage, DescMessage>, edge)
    case 'client_streaming':
      return clientStreamCall(
        method,
        handler as ClientStreamHandler<DescMessage, DescMessage>,
        edge,
      )
    case 'server_streaming':
      return serverStreamCall(
        method,
        handler as ServerStreamHandler<DescMessage, DescMessage>,
        edge,
      )
    case 'bidi_streaming':
      throw new Error(`nothing serves calls like ${method.name}`)
  }
}

function bytesDefinition(method: DescMethod): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming',
    responseStream: method.methodKind === 'server_streaming',
    requestSerialize: sameBytes,
    requestDeserialize: sameBytes,
    responseSerialize: sameBytes,
    responseDeserialize: sameBytes,
  }
}

function sameBytes(bytes: Buffer): Buffer {
  return bytes
}

function unaryCall(
  method: DescMethod,
  handler: UnaryHandler<DescMessage, DescMessage>,
  edge: Edge,
): handleUnaryCall<Buffer, Buffer> {
  const facts = unaryFacts(method)
  return (call, callback) => {
    const served = new GrpcCall(facts, edge, call, callback)
    void answer(served, method.output, callback, () => {
      served.admit()
      return handler(decode(method.input, call.request), call.metadata, served)
    })
  }
}

function clientStreamCall(
  method: DescMethod,
  handler: ClientStreamHandler<DescMessage, DescMessage>,
  edge: Edge,
): handleClientStreamingCall<Buffer, Buffer> {
  const facts = methodFacts(method, STREAM_MS_MAX)
  return (call, callback) => {
    const served = new GrpcCall(facts, edge, call, callback)
    const endAtDrain = (): void => {
      call.destroy(new PortfolioError('DRAINING', 'the server is shutting down'))
    }
    edge.streams.add(endAtDrain)
    void answer(served, method.output, callback, () => {
      served.admit()
      return handler(decodeEach(method.input, call), call.metadata, served)
    }).finally(() => edge.streams.delete(endAtDrain))
  }
}

export function unaryFacts(method: DescMethod): MethodFacts {
  const isRead = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS
  return methodFacts(method, isRead ? READ_MS_MAX : WRITE_MS_MAX)
}

/** Of a read that is no RPC; `name` is "service/method", as metrics and traces call it. */
export function readFacts(name: string): MethodFacts {
  return { name, timeMsMax: READ_MS_MAX }
}

function serverStreamCall(
  method: DescMethod,
  handler: ServerStreamHandler<DescMessage, DescMessage>,
  edge: Edge,
): handleServerStreamingCall<Buffer, Buffer> {
  const facts = methodFacts(method, STREAM_MS_MAX)
  return (call) => {
    const served = new GrpcCall(facts, edge, call, (error) => call.emit('error', error))
    const endAtDrain = (): void => {
      served.drop(new PortfolioError('DRAINING', 'the server is shutting down'))
    }
    edge.streams.add(endAtDrain)
    void sendEach(served, method.output, call, () => {
      served.admit()
      return handler(decode(method.input, call.request), call.metadata, served)
    }).finally(() => edge.streams.delete(endAtDrain))
  }
}

async function sendEach(
  served: ServedCall,
  output: DescMessage,
  call: ServerWritableStream<Buffer, Buffer>,
  serve: () => AsyncIterable<MessageInitShape<DescMessage>>,
): Promise<void> {
  try {
    const messages = serve()
    served.begin()
    for await (const message of messages) {
      if (served.hasEnded) return
      if (!call.write(messageBytes(output, message))) await hasRoom(call, served.signal)
    }
    if (served.hasEnded) return
    served.finish()
    call.end()
  } catch (error) {
    served.fail(error)
  }
}

/** Settles when the client has taken enough, or the call is over. */
async function hasRoom(
  call: ServerWritableStream<Buffer, Buffer>,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      call.off('drain', settle)
      signal.removeEventListener('abort', settle)
      resolve()
    }
    call.on('drain', settle)
    signal.addEventListener('abort', settle)
  })
}

function methodFacts(method: DescMethod, timeMsMax: number): MethodFacts {
  return { name: `${method.parent.typeName}/${method.name}`, timeMsMax }
}

async function answer(
  served: ServedCall,
  output: DescMessage,
  callback: sendUnaryData<Buffer>,
  serve: () => Promise<Reply<DescMessage>>,
): Promise<void> {
  try {
    const reply = await serve()
    if (served.hasEnded) return
    const bytes = 'bytes' in reply ? reply.bytes : messageBytes(output, reply.message)
    served.succeed(reply.headers)
    callback(null, bytes)
  } catch (error) {
    served.fail(error)
  }
}

/** @throws PortfolioError MALFORMED_REQUEST for bytes that are no such message, invalid UTF-8 included, or REQUEST_TOO_LARGE. */
function decode<Input extends DescMessage>(input: Input, bytes: Uint8Array): MessageShape<Input> {
  try {
    checkSize(input, bytes)
    return fromBinary(input, bytes)
  } catch (error) {
    throw error instanceof PortfolioError ? error : malformed(input, error)
  }
}

/** The error of a request that is no such message. */
export function malformed(input: DescMessage, error: unknown): PortfolioError {
  // Not its cause: it is the client's doing, nothing for the operators' log.
  const detail = error instanceof Error ? error.message : 'undecodable'
  return new PortfolioError('MALFORMED_REQUEST', `not a ${input.typeName}: ${detail}`)
}

async function* decodeEach<Input extends DescMessage>(
  input: Input,
  messages: AsyncIterable<Buffer>,
): AsyncGenerator<MessageShape<Input>> {
  for await (const bytes of messages) yield decode(input, bytes)
}
