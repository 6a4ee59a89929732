import { type Decimal, decimalBytesMax, writeDecimal } from '../domain/decimal.ts'

const BYTES_AT_FIRST = 65_536
/** A buffer that had to grow beyond it is not kept: one long answer does not hold memory for good. */
const BYTES_KEPT_MAX = 1_048_576
/** A varint of 64 bits, and so the longest. */
const VARINT_BYTES_MAX = 10
/** Of one UTF-16 unit in UTF-8. */
const BYTES_PER_UNIT_MAX = 3
const ONE_BYTE_MAX = 0x7f

/** Writes protobuf's wire format, one message after another into the same memory. Not to be used by two at once. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(BYTES_AT_FIRST)
  #at = 0

  reset(): void {
    if (this.#bytes.length > BYTES_KEPT_MAX) this.#bytes = Buffer.allocUnsafe(BYTES_AT_FIRST)
    this.#at = 0
  }

  /** A copy of everything written since {@link reset}, which this is too. */
  taken(): Buffer {
    const copy = Buffer.allocUnsafe(this.#at)
    this.#bytes.copy(copy, 0, 0, this.#at)
    this.reset()
    return copy
  }

  /** The same without a copy: it stands until the next {@link reset}. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Begins a message within a message. @returns what {@link close} wants to know. */
  open(tag: number): number {
    this.#makeRoom(2 * VARINT_BYTES_MAX)
    this.#varint(tag)
    // Most are short: their length takes one byte, and is written when it is known.
    this.#at += 1
    return this.#at
  }

  close(start: number): void {
    const length = this.#at - start
    if (length <= ONE_BYTE_MAX) {
      this.#bytes[start - 1] = length
      return
    }
    const extra = varintBytes(length) - 1
    this.#makeRoom(extra)
    this.#bytes.copyWithin(start + extra, start, this.#at)
    this.#at = start - 1
    this.#varint(length)
    this.#at += length
  }

  /** Fields that were written before. */
  raw(fields: Uint8Array): void {
    this.#makeRoom(fields.length)
    this.#bytes.set(fields, this.#at)
    this.#at += fields.length
  }

  text(tag: number, text: string): void {
    const { length } = text
    this.#makeRoom(2 * VARINT_BYTES_MAX + BYTES_PER_UNIT_MAX * length)
    this.#varint(tag)
    if (length <= ONE_BYTE_MAX && this.#ascii(text)) return
    this.#varint(Buffer.byteLength(text))
    this.#at += this.#bytes.write(text, this.#at)
  }

  /** The plain text of a number, which is never made. */
  decimal(tag: number, value: Decimal): void {
    const digitsMax = decimalBytesMax(value)
    this.#makeRoom(2 * VARINT_BYTES_MAX + digitsMax)
    this.#varint(tag)
    // Its length takes one byte, but for numbers that hardly ever are.
    const start = this.#at + varintBytes(digitsMax)
    const end = writeDecimal(value, this.#bytes, start)
    this.#varint(end - start)
    if (this.#at < start) this.#bytes.copyWithin(this.#at, start, end)
    this.#at += end - start
  }

  double(tag: number, value: number): void {
    this.#makeRoom(VARINT_BYTES_MAX + 8)
    this.#varint(tag)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  integer(tag: number, value: number): void {
    if (value < 0) {
      this.bigInteger(tag, BigInt(value))
      return
    }
    this.#makeRoom(2 * VARINT_BYTES_MAX)
    this.#varint(tag)
    this.#varint(value)
  }

  bigInteger(tag: number, value: bigint): void {
    this.#makeRoom(2 * VARINT_BYTES_MAX)
    this.#varint(tag)
    if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) {
      this.#varint(Number(value))
      return
    }
    let rest = BigInt.asUintN(64, value)
    for (; rest > 0x7fn; rest >>= 7n) this.#byte(Number(rest & 0x7fn) | 0x80)
    this.#byte(Number(rest))
  }

  /** Length and characters of a short text; nothing, and false, when one of them takes more than a byte. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes
    const start = this.#at + 1
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index)
      if (code > ONE_BYTE_MAX) return false
      bytes[start + index] = code
    }
    bytes[this.#at] = text.length
    this.#at = start + text.length
    return true
  }

  /** Of a whole number from 0 to 2^53. */
  #varint(value: number): void {
    let rest = value
    for (; rest > ONE_BYTE_MAX; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 0x80)
    this.#byte(rest)
  }

  #byte(value: number): void {
    this.#bytes[this.#at] = value
    this.#at += 1
  }

  #makeRoom(byteCount: number): void {
    const needed = this.#at + byteCount
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

function varintBytes(value: number): number {
  let count = 1
  for (let rest = value; rest > ONE_BYTE_MAX; rest = Math.floor(rest / 128)) count += 1
  return count
}
