import { afterEach, describe, expect, it } from '@jest/globals'
import * as grpc from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import { PortfolioService } from '../../../gen/portfolio/v1/portfolio_service_pb.ts'
import { openServiceClient, ServiceNotReady } from '../../../samples/service-client.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function startHealth(status: 'SERVING' | 'NOT_SERVING') {
  const server = new grpc.Server()
  const health = new HealthImplementation({ [PortfolioService.typeName]: status })
  health.addToServer(server)
  closers.push(() => server.forceShutdown())
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return { server, health, target: `127.0.0.1:${port}` }
}

function waitFor(target: string, waitMaxMilliseconds: number): Promise<void> {
  const client = openServiceClient(target)
  closers.push(() => client.close())
  return client.waitUntilServing(waitMaxMilliseconds)
}

describe('waitUntilServing', () => {
  it('says what to do when nothing listens', async () => {
    const { server, target } = await startHealth('SERVING')
    server.forceShutdown()
    await expect(waitFor(target, 100)).rejects.toThrow(
      new ServiceNotReady(`no service at ${target}: start it with npm start`),
    )
  })

  it('tells a service that cannot work yet from one that is not there', async () => {
    const { target } = await startHealth('NOT_SERVING')
    await expect(waitFor(target, 100)).rejects.toThrow(`at ${target} is not ready (NOT_SERVING)`)
  })

  it('waits for a service that becomes ready', async () => {
    const { health, target } = await startHealth('NOT_SERVING')
    const waiting = waitFor(target, 10_000)
    health.setStatus(PortfolioService.typeName, 'SERVING')
    await expect(waiting).resolves.toBeUndefined()
  })
})
