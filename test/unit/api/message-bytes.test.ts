import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  SourceCodeInfo_LocationSchema,
  StructSchema,
  UInt32ValueSchema,
} from '@bufbuild/protobuf/wkt'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { fieldTag, messageBytes } from '../../../src/api/message-bytes.ts'
import { AnalyticsService } from '../../../gen/portfolio/v1/analytics_service_pb.ts'
import { MarketDataService } from '../../../gen/portfolio/v1/market_data_service_pb.ts'
import {
  GetPortfolioResponseSchema,
  PortfolioService,
} from '../../../gen/portfolio/v1/portfolio_service_pb.ts'
import { messageOf } from '../../support/arbitrary-messages.ts'

const SERVICES = [PortfolioService, MarketDataService, AnalyticsService]
const OUTPUTS = SERVICES.flatMap(({ methods }) => methods.map(({ output }) => output))

test.each(OUTPUTS.map((output) => [output.name, output] as const))(
  'the bytes of %s are those of the library',
  (_, output) => {
    fc.assert(
      fc.property(messageOf(output), (message) => {
        const expected = toBinary(output, create(output, message))
        expect(Buffer.compare(messageBytes(output, message), expected)).toBe(0)
      }),
      { numRuns: 100 },
    )
  },
)

test('an answer stays as it was when the next one is written', () => {
  const first = messageBytes(GetPortfolioResponseSchema, { etag: 'first' })
  messageBytes(GetPortfolioResponseSchema, { etag: 'other' })
  expect(fromBinary(GetPortfolioResponseSchema, first).etag).toBe('first')
})

test('an answer of megabytes is written whole', () => {
  const positions = Array.from({ length: 30_000 }, (_, index) => ({
    symbol: `SYM${index}`,
    value: '123456789.123456789',
    priceSource: 'x'.repeat(100),
  }))
  const message = { detail: { positions } }
  const expected = toBinary(GetPortfolioResponseSchema, create(GetPortfolioResponseSchema, message))
  expect(Buffer.compare(messageBytes(GetPortfolioResponseSchema, message), expected)).toBe(0)
})

test('kinds of fields that no answer has are refused, not written wrong', () => {
  expect(() => messageBytes(StructSchema, {})).toThrow('nothing writes the map')
  expect(() => messageBytes(SourceCodeInfo_LocationSchema, {})).toThrow('nothing writes the packed')
  expect(() => messageBytes(UInt32ValueSchema, { value: 1 })).toThrow('nothing writes fields')
})

test('the tag of a field is that of its number and type', () => {
  expect(fieldTag(GetPortfolioResponseSchema, 'etag')).toBe(
    toBinary(GetPortfolioResponseSchema, create(GetPortfolioResponseSchema, { etag: 'x' }))[0],
  )
  expect(() => fieldTag(GetPortfolioResponseSchema, 'other')).toThrow('has no field other')
})
