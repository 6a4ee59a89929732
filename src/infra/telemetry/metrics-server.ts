import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves `GET /metrics` alone. Port 0 is a free one.
 * @throws when the port cannot be had.
 */
export async function startMetricsServer(
  address: { readonly host: string; readonly port: number },
  writeMetrics: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (path === '/metrics' && request.method === 'GET') {
      writeMetrics(request, response)
    } else {
      response.writeHead(404).end()
    }
  })
  server.listen(address.port, address.host)
  await once(server, 'listening').catch((cause: unknown) => {
    throw new Error(`METRICS_PORT ${address.host}:${address.port} cannot be had`, { cause })
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
