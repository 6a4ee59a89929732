import { expect, it } from '@jest/globals'
import { ByteWriter } from '../../../src/api/byte-writer.ts'

const TAG = 0x0a
const DEPTH = 40
/** What the writer has room for before it grows. */
const ROOM_BYTES = 65_536

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** A double in messages within messages. */
function nested(prefix: Buffer, depth: number): Buffer {
  const double = Buffer.alloc(9, 0)
  double[0] = 0x09
  double.writeDoubleLE(1.5, 1)
  let inner: Buffer = Buffer.concat([prefix, double])
  for (let level = 0; level < depth; level += 1) {
    inner = Buffer.concat([Buffer.from([TAG, ...varint(inner.length)]), inner])
  }
  return inner
}

it('makes room for lengths that grow at the very end of what it has', () => {
  for (let short = 0; short < 120; short += 1) {
    const text = 'x'.repeat(ROOM_BYTES - 2 * DEPTH - short)
    const writer = new ByteWriter()
    const starts = Array.from({ length: DEPTH }, () => writer.open(TAG))
    writer.text(0x12, text)
    writer.double(0x09, 1.5)
    for (const start of starts.toReversed()) writer.close(start)
    const prefix = Buffer.concat([Buffer.from([0x12, ...varint(text.length)]), Buffer.from(text)])
    expect(Buffer.compare(writer.taken(), nested(prefix, DEPTH))).toBe(0)
  }
})
