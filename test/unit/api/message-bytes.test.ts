import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf'
import { StructSchema, UInt32ValueSchema } from '@bufbuild/protobuf/wkt'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { messageBytes } from '../../../src/api/message-bytes.ts'
import { MarketDataService } from '../../../gen/portfolio/v1/market_data_service_pb.ts'
import {
  GetPortfolioResponseSchema,
  PortfolioService,
} from '../../../gen/portfolio/v1/portfolio_service_pb.ts'

const DEPTH_MAX = 4
const OUTPUTS = [...PortfolioService.methods, ...MarketDataService.methods].map(
  ({ output }) => output,
)

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '',
    'a'.repeat(127),
    'b'.repeat(128),
    'ü'.repeat(64),
    '\ud800',
    'x'.repeat(20_000),
  ),
)

/** Values of each kind of field that the contract's answers have. */
const SCALARS: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: text,
  [ScalarType.DOUBLE]: fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e15)),
  [ScalarType.INT32]: fc.oneof(fc.integer(), fc.constantFrom(0, 127, 128, -1)),
  [ScalarType.INT64]: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(0n, 127n, 128n, 2n ** 53n, -1n),
  ),
  [ScalarType.BOOL]: fc.boolean(),
}

function scalarOf(type: ScalarType): fc.Arbitrary<unknown> {
  const found = SCALARS[type]
  if (found === undefined) throw new Error(`no values of type ${ScalarType[type]}`)
  return found
}

function messageOf(schema: DescMessage, depth = 0): fc.Arbitrary<Record<string, unknown>> {
  const model: Record<string, fc.Arbitrary<unknown>> = {}
  for (const field of schema.fields) {
    const value = valueOf(field, depth)
    if (value !== undefined && field.oneof === undefined) model[field.localName] = value
  }
  for (const oneof of schema.oneofs) {
    const cases = oneof.fields.flatMap((field) => {
      const value = valueOf(field, depth)
      return value === undefined ? [] : [fc.record({ case: fc.constant(field.localName), value })]
    })
    if (cases.length > 0) model[oneof.localName] = fc.oneof(...cases)
  }
  return fc.record(model, { requiredKeys: [] })
}

function valueOf(field: DescField, depth: number): fc.Arbitrary<unknown> | undefined {
  if (field.fieldKind === 'map') return fc.dictionary(text, scalarOf(field.scalar!), { maxKeys: 3 })
  const one = singleOf(field, depth)
  return field.fieldKind === 'list' && one !== undefined ? fc.array(one, { maxLength: 3 }) : one
}

function singleOf(field: DescField, depth: number): fc.Arbitrary<unknown> | undefined {
  if (field.message !== undefined) {
    return depth < DEPTH_MAX ? messageOf(field.message, depth + 1) : undefined
  }
  if (field.enum === undefined) return scalarOf(field.scalar)
  return fc.constantFrom(...field.enum.values.map(({ number }) => number))
}

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
  expect(() => messageBytes(UInt32ValueSchema, { value: 1 })).toThrow('nothing writes fields')
})
