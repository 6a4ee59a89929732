import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import fc from 'fast-check'

const DEPTH_MAX = 4

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  // What means something, in one field or another.
  fc.constantFrom('AAPL', 'USD', '1.5', '2024-02-29', '1-0123456789abcdef'),
  fc.constantFrom(
    '',
    'a'.repeat(127),
    'b'.repeat(128),
    'ü'.repeat(64),
    '\ud800',
    'x'.repeat(20_000),
  ),
)

/** Values of each kind of field that the contract's messages have. */
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

/** Any message of a type, as it is made from plain values: most of them make no sense. */
export function messageOf(schema: DescMessage, depth = 0): fc.Arbitrary<Record<string, unknown>> {
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
