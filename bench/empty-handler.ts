import { create, toBinary } from '@bufbuild/protobuf'
import { PortfolioUpdateResponseSchema } from '../gen/portfolio/v1/portfolio_update_pb.ts'
import { serveUpdates } from './serve.ts'
import { heldSymbol } from './workload.ts'

/** Case (a): what gRPC alone costs. Answers a fixed message of the usual size without looking at the request. */
const response = Buffer.from(
  toBinary(
    PortfolioUpdateResponseSchema,
    create(PortfolioUpdateResponseSchema, {
      success: true,
      updatedPortfolio: {
        totalValue: 1,
        totalProfitLoss: 1,
        performancePercentage: 1,
        assets: Array.from({ length: 10 }, (_, holding) => ({
          symbol: heldSymbol(0, holding),
          quantity: 1,
          currentValue: 1,
          profitLoss: 1,
        })),
      },
    }),
  ),
)

await serveUpdates(Number(process.argv[2]), (_call, callback) => callback(null, response))
