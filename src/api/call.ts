import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodClientStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt'
import type {
  handleClientStreamingCall,
  handleUnaryCall,
  Metadata,
  MethodDefinition,
  sendUnaryData,
  Server,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { CallContext } from '../app/ports.ts'
import { PortfolioError } from '../domain/errors.ts'
import { PortfolioUpdateResponseSchema } from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import { GrpcCall } from './grpc-call.ts'
import type { Edge, MethodFacts, ReplyHeaders, ServedCall } from './served-call.ts'
import { updateResponseBytes } from './update-response-bytes.ts'

/** What a handler answers: the message, and what the specification's messages have no field for. */
interface Reply<Output extends DescMessage> {
  readonly message: MessageInitShape<Output>
  readonly headers?: ReplyHeaders
}

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

type HandlerOf<Method> =
  Method extends DescMethodUnary<infer Input, infer Output>
    ? UnaryHandler<Input, Output>
    : Method extends DescMethodClientStreaming<infer Input, infer Output>
      ? ClientStreamHandler<Input, Output>
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
    const handler = table[method.localName]
    definition[method.localName] = bytesDefinition(method)
    implementation[method.localName] =
      method.methodKind === 'unary'
        ? unaryCall(method, handler as UnaryHandler<DescMessage, DescMessage>, edge)
        : clientStreamCall(method, handler as ClientStreamHandler<DescMessage, DescMessage>, edge)
  }
  server.addService(definition, implementation)
}

function bytesDefinition(method: DescMethod): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming',
    responseStream: false,
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
    const bytes = encode(output, reply.message)
    served.succeed(reply.headers)
    callback(null, bytes)
  } catch (error) {
    served.fail(error)
  }
}

function encode(output: DescMessage, message: MessageInitShape<DescMessage>): Buffer {
  if (output === PortfolioUpdateResponseSchema) return updateResponseBytes(message)
  const bytes = toBinary(output, create(output, message))
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** @throws PortfolioError MALFORMED_REQUEST for bytes that are no such message, invalid UTF-8 included. */
function decode<Input extends DescMessage>(input: Input, bytes: Uint8Array): MessageShape<Input> {
  try {
    return fromBinary(input, bytes)
  } catch (error) {
    throw malformed(input, error)
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
