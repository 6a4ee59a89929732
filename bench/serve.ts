import grpc from '@grpc/grpc-js'
import { PortfolioService } from '../gen/portfolio/v1/portfolio_service_pb.ts'

export const UPDATE_PATH = `/${PortfolioService.typeName}/${PortfolioService.method.updatePortfolio.name}`

export const GET_PATH = `/${PortfolioService.typeName}/${PortfolioService.method.getPortfolio.name}`

/** Leaves encoding to whoever calls: what is sent is what goes over the wire. */
export const sameBytes = (bytes: Buffer): Buffer => bytes

/** Serves UpdatePortfolio alone, as bytes, on a port of loopback. */
export async function serveUpdates(
  port: number,
  handler: grpc.handleUnaryCall<Buffer, Buffer>,
): Promise<void> {
  await serveMethod(port, UPDATE_PATH, handler)
}

/** Serves one unary method, as bytes, on a port of loopback. */
export async function serveMethod(
  port: number,
  path: string,
  handler: grpc.handleUnaryCall<Buffer, Buffer>,
): Promise<void> {
  // An end of its own lets --cpu-prof write what it saw.
  process.once('SIGTERM', () => process.exit())
  const server = new grpc.Server()
  const method = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: sameBytes,
    requestDeserialize: sameBytes,
    responseSerialize: sameBytes,
    responseDeserialize: sameBytes,
  } as const
  server.addService({ method }, { method: handler })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}
