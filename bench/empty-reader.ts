import { create, toBinary } from '@bufbuild/protobuf'
import { GetPortfolioResponseSchema } from '../gen/portfolio/v1/portfolio_service_pb.ts'
import { GET_PATH, serveMethod } from './serve.ts'
import { heldSymbol } from './workload.ts'

/** Case (a): what gRPC alone costs. Answers a fixed message of the usual size without looking at the request. */
const HOLDINGS = 20
const AMOUNT = '123456.78'
const profitLoss = {
  total: AMOUNT,
  realized: '0',
  unrealized: AMOUNT,
  income: '0',
  fees: '0',
  taxes: '0',
}
const response = Buffer.from(
  toBinary(
    GetPortfolioResponseSchema,
    create(GetPortfolioResponseSchema, {
      portfolio: {
        totalValue: 1,
        totalProfitLoss: 1,
        performancePercentage: 1,
        assets: Array.from({ length: HOLDINGS }, (_, holding) => ({
          symbol: heldSymbol(0, holding),
          quantity: 1,
          currentValue: 1,
          profitLoss: 1,
        })),
      },
      detail: {
        userId: 'user-000000',
        reportingCurrency: 'USD',
        version: 2n,
        totalValue: AMOUNT,
        profitLoss,
        positions: Array.from({ length: HOLDINGS }, (_, holding) => ({
          symbol: heldSymbol(0, holding),
          instrumentId: heldSymbol(0, holding),
          currencyCode: 'USD',
          quantity: AMOUNT,
          multiplier: '1',
          averageCost: AMOUNT,
          costBasis: AMOUNT,
          price: AMOUNT,
          priceSource: 'bench',
          marketValue: AMOUNT,
          value: AMOUNT,
          fxRate: '1',
          weight: '0.0512345678901234567890123456789012',
          profitLoss,
          lotCount: 2,
          basisComplete: true,
        })),
      },
      etag: '2-0123456789abcdef.01234567',
    }),
  ),
)

await serveMethod(Number(process.argv[2]), GET_PATH, (_call, callback) => callback(null, response))
