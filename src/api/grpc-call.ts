import { type Deadline, Metadata, type sendUnaryData } from '@grpc/grpc-js'
import { statusOf } from './errors.ts'
import { type Edge, type MethodFacts, type ReplyHeaders, ServedCall } from './served-call.ts'

/** What unary and streaming calls of grpc-js have in common. */
interface Call {
  readonly metadata: Metadata
  getDeadline(): Deadline
  sendMetadata(metadata: Metadata): void
  on(event: 'cancelled', listener: () => void): unknown
}

/** A call that came by gRPC. */
export class GrpcCall extends ServedCall {
  readonly #call: Call
  readonly #callback: sendUnaryData<Buffer>

  constructor(method: MethodFacts, edge: Edge, call: Call, callback: sendUnaryData<Buffer>) {
    const clientMs = Number(call.getDeadline()) - Date.now()
    super(method, edge, { metadata: call.metadata, clientMs, endsAtClientDeadline: true })
    this.#call = call
    this.#callback = callback
    call.on('cancelled', () => this.leave())
  }

  protected override sendHeaders(headers: ReplyHeaders): void {
    const metadata = new Metadata()
    for (const [name, value] of headers) {
      if (typeof value === 'string') metadata.set(name, value)
      else for (const one of value) metadata.add(name, one)
    }
    this.#call.sendMetadata(metadata)
  }

  protected override sendFailure(error: unknown): void {
    this.#callback(statusOf(error, this.requestId))
  }
}
