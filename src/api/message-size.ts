import type { DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { PortfolioError } from '../domain/errors.ts'

/**
 * Of all messages within a request, together. Decoding makes room for each field of each of them, in 0.3 microseconds
 * or so: two bytes, an empty transaction, ask for dozens, and a mebibyte of those for seconds in which nobody else is
 * served. 1,000 transactions with all that belongs to them stay far below.
 */
const FIELDS_MAX = 400_000
/** Messages that are smaller cannot have as many. */
const BYTES_UNCOUNTED = 16_384
/** A mebibyte of lots that are named has fewer. */
const OBJECTS_MAX = 50_000
const BRACE = 0x7b
/** Of an entry of a map: key and value. */
const ENTRY_FIELDS = 2

/**
 * Looks at a request before it is decoded; one that is malformed is left to whoever decodes it.
 * @throws PortfolioError REQUEST_TOO_LARGE for one that takes too long.
 */
export function checkSize(input: DescMessage, bytes: Uint8Array): void {
  if (bytes.length <= BYTES_UNCOUNTED) return
  let count = 0
  try {
    count = countFields(input, new BinaryReader(bytes), bytes.length)
  } catch {
    return
  }
  if (count > FIELDS_MAX) throw tooLarge({ maximum_fields: String(FIELDS_MAX) })
}

/**
 * The same of a request in JSON, whose objects are counted by their braces.
 * @throws PortfolioError REQUEST_TOO_LARGE
 */
export function checkJsonSize(bytes: Uint8Array): void {
  let objects = 0
  for (let at = bytes.indexOf(BRACE); at !== -1; at = bytes.indexOf(BRACE, at + 1)) objects += 1
  if (objects > OBJECTS_MAX) throw tooLarge({ maximum_objects: String(OBJECTS_MAX) })
}

function tooLarge(metadata: Readonly<Record<string, string>>): PortfolioError {
  return new PortfolioError('REQUEST_TOO_LARGE', 'too many messages within one', { metadata })
}

/** Stops counting where there are too many. */
function countFields(message: DescMessage, reader: BinaryReader, end: number): number {
  let count = message.fields.length
  while (reader.pos < end && count <= FIELDS_MAX) {
    const [number, wireType] = reader.tag()
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number)
      continue
    }
    const length = reader.uint32()
    const next = reader.pos + length
    const field = message.fields.find((each) => each.number === number)
    if (field?.fieldKind === 'map') count += ENTRY_FIELDS
    else if (field?.message !== undefined) count += countFields(field.message, reader, next)
    reader.pos = next
  }
  return count
}
