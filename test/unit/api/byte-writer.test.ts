import { expect, it } from '@jest/globals'
import { decimal, decimalText } from '../../../src/domain/decimal.ts'
import { ByteWriter } from '../../../src/api/byte-writer.ts'

const DOUBLE_TAG = 0x09
const MESSAGE_TAG = 0x0a
const DOUBLE_BYTES = 9
const DEPTH = 40
/** What the writer has room for before it grows. */
const ROOM_BYTES = 65_536

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

function nested(content: Buffer): Buffer {
  let inner = content
  for (let level = 0; level < DEPTH; level += 1) {
    inner = Buffer.concat([Buffer.from([MESSAGE_TAG, ...varint(inner.length)]), inner])
  }
  return inner
}

it('makes room for lengths that grow at the very end of what it has', () => {
  const most = Math.floor((ROOM_BYTES - 2 * DEPTH) / DOUBLE_BYTES)
  for (let count = most - 12; count <= most + 1; count += 1) {
    const writer = new ByteWriter()
    const starts = Array.from({ length: DEPTH }, () => writer.open(MESSAGE_TAG))
    for (let index = 0; index < count; index += 1) writer.double(DOUBLE_TAG, 0)
    for (const start of starts.toReversed()) writer.close(start)
    const doubles = Buffer.alloc(DOUBLE_BYTES * count, Buffer.of(DOUBLE_TAG, ...Buffer.alloc(8)))
    expect(Buffer.compare(writer.taken(), nested(doubles))).toBe(0)
  }
})

it('writes a number as it writes its text, however long it is', () => {
  const digits = '123456789'.repeat(30)
  const numbers = Array.from({ length: 260 }, (_, count) => [
    decimal(digits.slice(0, count + 1)),
    decimal(`-0.${'0'.repeat(count)}1`),
    decimal(`1${'0'.repeat(count)}`),
  ]).flat()
  const [written, expected] = [new ByteWriter(), new ByteWriter()]
  for (const number of numbers) {
    written.decimal(MESSAGE_TAG, number)
    expected.text(MESSAGE_TAG, decimalText(number))
  }
  expect(Buffer.compare(written.taken(), expected.taken())).toBe(0)
})

it.each(['taken', 'reset'] as const)(
  'shows what was written, and keeps no memory that one long message took when it is %s',
  (end) => {
    const writer = new ByteWriter()
    writer.text(MESSAGE_TAG, 'x'.repeat(2_000_000))
    const { written } = writer
    expect(written.length).toBe(2_000_000 + 4)
    expect(written.buffer.byteLength).toBeGreaterThan(2_000_000)
    writer[end]()
    expect(writer.written.buffer.byteLength).toBeLessThan(1_048_576)
  },
)
