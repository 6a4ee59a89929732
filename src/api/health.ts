import {
  type ClientOptions,
  Client,
  credentials,
  type Server,
  type ServerWritableStream,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { HealthImplementation, service as healthService } from 'grpc-health-check'

/** grpc.health.v1 of a set of services, on any number of servers. "" is the process itself, and always serving. */
export interface Health {
  addTo(server: Server): void
  setServing(isServing: boolean): void
  /** Ends the watching streams, which would hold a shutdown up. */
  endWatches(): void
}

type WatchCall = ServerWritableStream<unknown, unknown>

export function createHealth(services: readonly string[]): Health {
  const notServing = services.map((name) => [name, 'NOT_SERVING'] as const)
  const implementation = new HealthImplementation({
    '': 'SERVING',
    ...Object.fromEntries(notServing),
  })
  const watches = new Set<WatchCall>()
  return {
    addTo: (server) => {
      implementation.addToServer({
        addService: (definition: object, handlers: Record<string, UntypedHandleCall>) => {
          const watch = handlers['watch'] as (call: WatchCall) => void
          server.addService(definition as typeof healthService, {
            ...handlers,
            watch: (call: WatchCall) => {
              watches.add(call)
              call.on('cancelled', () => watches.delete(call))
              watch(call)
            },
          })
        },
      })
    },
    setServing: (isServing) => {
      for (const name of services) {
        implementation.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING')
      }
    },
    endWatches: () => {
      for (const call of watches) call.end()
    },
  }
}

/** The serving status of a service at `target` ("host:port"), or why there is none. */
export async function checkHealth(
  target: string,
  service: string,
  timeoutMs: number,
): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = healthService['Check'] ?? {}
  if (path === undefined || requestSerialize === undefined || responseDeserialize === undefined) {
    throw new Error('grpc-health-check has no Check')
  }
  const options: ClientOptions = { 'grpc.enable_http_proxy': 0 }
  const client = new Client(target, credentials.createInsecure(), options)
  try {
    return await new Promise((resolve) => {
      const deadline = Date.now() + timeoutMs
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { service },
        { deadline },
        (error, answer) => {
          resolve(error ? error.details : String((answer as { status?: unknown }).status))
        },
      )
    })
  } finally {
    client.close()
  }
}
