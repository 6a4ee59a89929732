import { type IncomingMessage, type OutgoingHttpHeaders, request as startRequest } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly json: unknown
}

interface HttpRequest {
  readonly method?: string
  /** A header of several values is sent several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
}

/** Sends headers and bodies just as they are given, which fetch does not. */
export async function sendHttp(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: HttpRequest = {},
): Promise<HttpAnswer> {
  const lines: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    lines[name] = typeof value === 'string' ? value : [...value]
  }
  const sent = startRequest({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: lines,
    agent: false,
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const received = await text(response)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: received,
    json: received.startsWith('{') ? (JSON.parse(received) as unknown) : undefined,
  }
}

/** Sends a body of JSON, as text or to be made one. */
export function postJson(
  port: number,
  path: string,
  body: unknown,
  headers: HttpRequest['headers'] = {},
): Promise<HttpAnswer> {
  return sendHttp(port, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  })
}

interface StatusJson {
  readonly code: number
  readonly message: string
  readonly details: readonly (Readonly<Record<string, unknown>> & { readonly '@type': string })[]
}

/** What a refusal says: "field REASON" for each violation. */
export function refusalOf({ status, json, headers }: HttpAnswer) {
  const { code, details } = json as StatusJson
  const detail = (name: string) =>
    details.find((one) => one['@type'] === `type.googleapis.com/google.rpc.${name}`)
  const { fieldViolations = [] } = (detail('BadRequest') ?? {}) as {
    fieldViolations?: readonly { field: string; reason: string }[]
  }
  return {
    status,
    code,
    reason: detail('ErrorInfo')?.['reason'],
    violations: fieldViolations.map(({ field, reason }) => `${field} ${reason}`),
    requestIds: [headers['x-request-id'], detail('RequestInfo')?.['requestId']],
  }
}
