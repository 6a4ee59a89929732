import { once } from 'node:events'
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'

/** What a call that no gRPC client would make is answered: headers and trailers in one. */
export async function rawCall(
  port: number,
  path: string,
  message: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const session = connect(`http://127.0.0.1:${port}`)
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const answered: IncomingHttpHeaders = {}
    stream.on('response', (received) => void Object.assign(answered, received))
    stream.on('trailers', (received) => void Object.assign(answered, received))
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    stream.end(Buffer.concat([prefix, message]))
    stream.resume()
    await once(stream, 'close')
    return answered
  } finally {
    session.close()
  }
}
