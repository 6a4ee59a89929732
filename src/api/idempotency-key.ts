import { createHash } from 'node:crypto'
import { type DescMessage, type DescMethod, type MessageShape, toBinary } from '@bufbuild/protobuf'
import type { IdempotencyKey } from '../app/ports.ts'

/** Equal requests have equal hashes, however their bytes were laid out; fields we do not know do not count. */
export function keyOf<Input extends DescMessage>(
  key: string | undefined,
  method: DescMethod & { readonly input: Input },
  request: MessageShape<Input>,
): IdempotencyKey | undefined {
  if (key === undefined) return undefined
  const canonical = toBinary(method.input, request, { writeUnknownFields: false })
  const contentHash = createHash('sha256').update(canonical).digest()
  return { key, method: `${method.parent.typeName}/${method.name}`, contentHash }
}
