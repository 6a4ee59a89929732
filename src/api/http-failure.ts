import { createRegistry, toJson } from '@bufbuild/protobuf'
import { status } from '@grpc/grpc-js'
import type { FastifyError, FastifyReply } from 'fastify'
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.ts'
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts'
import { PortfolioError, type Reason } from '../domain/errors.ts'
import type { Failure } from './errors.ts'

/** Of a request's body. */
export const BODY_BYTES_MAX = 1_048_576

/** The messages that stand in a status's details. */
export const DETAILS = createRegistry(file_google_rpc_error_details)

/** google.rpc.Code's own mapping, as its proto says it. */
const HTTP_STATUSES: Readonly<Record<status, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
}

/** Where HTTP has a status of its own for what gRPC has none. */
const HTTP_STATUS_OF_REASON: Readonly<Partial<Record<Reason, number>>> = {
  REQUEST_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  METHOD_NOT_ALLOWED: 405,
}

/** The HTTP status of a failure, the same in every protocol of the port. */
export function httpStatusOf({ code, reason }: Failure): number {
  const own = reason === undefined ? undefined : HTTP_STATUS_OF_REASON[reason]
  return own ?? HTTP_STATUSES[code]
}

/** A failure as the JSON of google.rpc.Status. */
export function statusJson({ status: answer }: Failure): string {
  return JSON.stringify(toJson(StatusSchema, answer, { registry: DETAILS }))
}

/** Answers google.rpc.Status as JSON. */
export function sendStatus(reply: FastifyReply, failure: Failure): void {
  putRetryAfter(reply, failure)
  void reply
    .code(httpStatusOf(failure))
    .header('content-type', 'application/json')
    .send(statusJson(failure))
}

/** Seconds, as HTTP has it. */
export function putRetryAfter(reply: FastifyReply, { retryAfterMs }: Failure): void {
  if (retryAfterMs !== undefined) {
    void reply.header('retry-after', String(Math.ceil(retryAfterMs / 1_000)))
  }
}

/** What is wrong with a request that the HTTP server did not take; anything else is returned as it is. */
export function refusalByServer(error: unknown): unknown {
  const { code, statusCode, message } = error as Partial<FastifyError>
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const maximum = String(BODY_BYTES_MAX)
    const text = `a body has at most ${maximum} bytes`
    return new PortfolioError('REQUEST_TOO_LARGE', text, { metadata: { maximum } })
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const text = 'the content type must be application/json'
    return new PortfolioError('MEDIA_TYPE_UNSUPPORTED', text)
  }
  const isClients = statusCode !== undefined && statusCode >= 400 && statusCode < 500
  return isClients ? new PortfolioError('MALFORMED_REQUEST', message ?? 'malformed') : error
}
