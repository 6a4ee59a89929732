import type { Http2Server, ServerHttp2Session } from 'node:http2'
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js'
import { mendHeaders } from './headers.ts'

const MEBIBYTE = 1_048_576

const OPTIONS: ServerOptions = {
  'grpc.max_receive_message_length': MEBIBYTE,
  'grpc.max_send_message_length': 4 * MEBIBYTE,
  'grpc.max_concurrent_streams': 100,
  // Connections end now and then, so that clients find replicas that came later.
  'grpc.max_connection_age_ms': 300_000,
  'grpc.max_connection_age_grace_ms': 30_000,
  'grpc.max_connection_idle_ms': 300_000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Mebibytes: enough for the messages of all streams of a connection, and not without an end.
  'grpc-node.max_session_memory': 256,
  'grpc.enable_channelz': 0,
}

/** A server of grpc-js with our limits, in plain text, that knows its connections. */
export class GrpcServer extends Server {
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor() {
    super(OPTIONS)
  }

  /**
   * Listens, on a free port where it is 0. `setting` is the name that operators know the port by.
   * @returns the port
   * @throws when the port cannot be had.
   */
  async listen(setting: string, host: string, port: number): Promise<number> {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    const bound = await new Promise<number>((resolve, reject) => {
      this.bindAsync(address, ServerCredentials.createInsecure(), (error, boundPort) => {
        if (error === null) resolve(boundPort)
        else reject(new Error(`${setting} ${address} cannot be had`, { cause: error }))
      })
    })
    for (const http2Server of http2ServersOf(this)) {
      mendHeaders(http2Server)
      this.#follow(http2Server)
    }
    return bound
  }

  /** Ends all connections; without channelz grpc-js does not know them here, and would end none. */
  override forceShutdown(): void {
    super.forceShutdown()
    for (const session of this.#sessions) session.destroy()
  }

  #follow(http2Server: Http2Server): void {
    http2Server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
    })
  }
}

/**
 * The HTTP/2 servers below a server that listens.
 * @throws when grpc-js no longer keeps them where it did.
 */
export function http2ServersOf(server: Server): readonly Http2Server[] {
  const { http2Servers } = server as unknown as { http2Servers?: Map<Http2Server, unknown> }
  if (http2Servers === undefined || http2Servers.size === 0) {
    throw new Error('this version of grpc-js is not known: its http2Servers are not there')
  }
  return [...http2Servers.keys()]
}
