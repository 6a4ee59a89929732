import { type Deadline, Metadata, type sendUnaryData } from '@grpc/grpc-js'
import { PortfolioError } from '../domain/errors.ts'
import { statusOf } from './errors.ts'
import { ILLEGAL_TIMEOUT } from './headers.ts'
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

  override admit(): void {
    super.admit()
    if (this.metadata.get(ILLEGAL_TIMEOUT).length === 0) return
    const text = 'grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u and n'
    throw new PortfolioError('METADATA_INVALID', text)
  }

  protected override sendHeaders(headers: ReplyHeaders | undefined): void {
    const metadata = new Metadata()
    metadata.set('x-request-id', this.requestId)
    for (const [name, value] of headers ?? []) {
      if (typeof value === 'string') metadata.set(name, value)
      else for (const one of value) metadata.add(name, one)
    }
    this.#call.sendMetadata(metadata)
  }

  protected override sendFailure(error: unknown): void {
    this.#callback(statusOf(error, this.requestId))
  }
}
