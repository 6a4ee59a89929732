import { create, toBinary } from '@bufbuild/protobuf'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { updateResponseBytes } from '../../../src/api/update-response-bytes.ts'
import { PortfolioUpdateResponseSchema } from '../../../gen/portfolio/v1/portfolio_update_pb.ts'

const double = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1, 1e15))
const symbol = fc.stringMatching(/^[A-Z0-9^][A-Z0-9.:/=^_-]{0,31}$/)
const asset = fc.record({ symbol, quantity: double, currentValue: double, profitLoss: double })
const summary = fc.record({
  totalValue: double,
  totalProfitLoss: double,
  performancePercentage: double,
  assets: fc.array(asset, { maxLength: 300 }),
})

test('the bytes are those of the library', () => {
  fc.assert(
    fc.property(fc.boolean(), summary, (success, updatedPortfolio) => {
      const message = { success, updatedPortfolio }
      const expected = toBinary(
        PortfolioUpdateResponseSchema,
        create(PortfolioUpdateResponseSchema, message),
      )
      expect(Buffer.compare(updateResponseBytes(message), expected)).toBe(0)
    }),
    { numRuns: 300 },
  )
})

test('a symbol that cannot be is no answer', () => {
  const updatedPortfolio = { assets: [{ symbol: 'A'.repeat(33) }] }
  expect(() => updateResponseBytes({ updatedPortfolio })).toThrow(RangeError)
})
