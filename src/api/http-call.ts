import {
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'
import { Metadata } from '@grpc/grpc-js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { UnaryHandler } from './call.ts'
import { type Failure, failureOf } from './errors.ts'
import { legalValue } from './headers.ts'
import { refusalByServer } from './http-failure.ts'
import { type Edge, type MethodFacts, type ReplyHeaders, ServedCall } from './served-call.ts'

/** Answers a call that failed, in its protocol's form. */
export type SendFailure = (reply: FastifyReply, failure: Failure) => void

/** As traces name it; gRPC is what they name by default. */
type RpcSystem = 'connect_rpc' | 'http'

/** A call that came by HTTP: its metadata is the request's headers, and the answer's headers are the reply's. */
export class HttpCall extends ServedCall {
  readonly #reply: FastifyReply
  readonly #sendFailure: SendFailure
  #headers: ReplyHeaders | undefined
  #hasRun = false

  constructor(
    method: MethodFacts,
    edge: Edge,
    { request, reply }: { request: FastifyRequest; reply: FastifyReply },
    options: {
      readonly system: RpcSystem
      readonly clientMs: number
      readonly sendFailure: SendFailure
    },
  ) {
    const metadata = metadataOf(request)
    const { clientMs, sendFailure } = options
    super(method, edge, { metadata, clientMs, endsAtClientDeadline: false })
    this.span.setAttribute('rpc.system', options.system)
    this.#reply = reply
    this.#sendFailure = sendFailure
    reply.raw.on('close', () => this.leave())
  }

  /** Runs the RPC's handler; the headers it answers are sent by {@link complete}. */
  async run<Input extends DescMessage, Output extends DescMessage>(
    { output }: { readonly output: Output },
    handler: UnaryHandler<Input, Output>,
    request: MessageShape<Input>,
  ): Promise<MessageInitShape<Output>> {
    this.#hasRun = true
    const reply = await handler(request, this.metadata, this)
    this.#headers = reply.headers
    return 'bytes' in reply ? fromBinary(output, reply.bytes) : reply.message
  }

  /** Whether the request came as far as the RPC's handler. */
  get hasRun(): boolean {
    return this.#hasRun
  }

  /** Ends the call well and puts its headers on the reply, which is to be sent then. */
  complete(): FastifyReply {
    this.succeed(this.#headers)
    return this.#reply
  }

  protected override sendHeaders(headers: ReplyHeaders | undefined): void {
    void this.#reply.header('x-request-id', this.requestId)
    for (const [name, value] of headers ?? []) {
      void this.#reply.header(name, typeof value === 'string' ? value : [...value])
    }
  }

  protected override sendFailure(error: unknown): void {
    void this.#reply.header('x-request-id', this.requestId)
    this.#sendFailure(this.#reply, failureOf(error, this.requestId))
  }
}

const CALLS = new WeakMap<FastifyRequest, HttpCall>()

/** Serves an RPC, or what is like one, at a path: the call exists from the arrival of the headers, so whatever goes wrong is its failure. */
export function addCallRoute(
  app: FastifyInstance,
  method: MethodFacts,
  edge: Edge,
  route: {
    readonly httpMethods: string[]
    readonly url: string
    readonly system: RpcSystem
    readonly clientMs: (request: FastifyRequest) => number
    readonly sendFailure: SendFailure
    readonly serve: (call: HttpCall, request: FastifyRequest) => Promise<void>
  },
): void {
  app.route({
    method: route.httpMethods,
    url: route.url,
    exposeHeadRoute: false,
    onRequest: (request, reply, done) => {
      const options = { ...route, clientMs: route.clientMs(request) }
      const call = new HttpCall(method, edge, { request, reply }, options)
      CALLS.set(request, call)
      try {
        call.admit()
        done()
      } catch (error) {
        call.fail(error)
      }
    },
    handler: (request) => {
      const call = callOf(request)
      if (!call.hasEnded) route.serve(call, request).catch((error: unknown) => call.fail(error))
    },
    errorHandler: (error, request) => callOf(request).fail(refusalByServer(error)),
  })
}

function callOf(request: FastifyRequest): HttpCall {
  const call = CALLS.get(request)
  if (call === undefined) throw new Error('a request without its call')
  return call
}

const LEGAL_NAME = /^[0-9a-z_.-]+(?<!-bin)$/
const WEAK = /^W\//

/** Header by header as they were sent: a pair of keys joined by a comma would be a key of its own. */
export function metadataOf({ raw }: FastifyRequest): Metadata {
  const metadata = new Metadata()
  for (const [name, values = []] of Object.entries(raw.headersDistinct)) {
    if (!LEGAL_NAME.test(name)) continue
    for (const value of values) {
      // Proxies that compress weaken etags; ours still names the same state.
      metadata.add(name, legalValue(name === 'if-match' ? value.replace(WEAK, '') : value))
    }
  }
  return metadata
}
