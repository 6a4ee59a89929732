import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type DescField, ScalarType } from '@bufbuild/protobuf'
import { describe, expect, it } from '@jest/globals'
import {
  closed,
  framed,
  LEAKS,
  METHODS,
  nameOf,
  pathOf,
  rawExchange,
  useRawSession,
} from '../support/raw-call.ts'
import { useService } from '../support/service.ts'

const MEBIBYTE = 1_048_576
const NOTHING = Buffer.alloc(0)
/** Where something is made of nothing. */
const EMPTY_ALLOWED = new Set(['IngestQuotes', 'ListCorporateActions', 'ListInstruments'])

const fixture = useService()
const raw = useRawSession(fixture)

/** The status of each RPC where all are sent the same. */
async function statusesOf(
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<Readonly<Record<string, string>>> {
  const statuses: Record<string, string> = {}
  for (const method of METHODS) {
    const answer = await rawExchange(raw.session, pathOf(method), body, headers)
    const { 'grpc-status': code, 'grpc-message': message = '' } = answer
    expect(decodeURIComponent(String(message))).not.toMatch(LEAKS)
    statuses[method.name] = code === undefined ? `HTTP ${String(answer[':status'])}` : nameOf(code)
  }
  return statuses
}

function everyStatus(name: string, streamed = name): Readonly<Record<string, string>> {
  return Object.fromEntries(
    METHODS.map((method) => [
      method.name,
      method.methodKind === 'client_streaming' ? streamed : name,
    ]),
  )
}

/** Of an empty message: its fields are missed, where there are any that have to be there. */
const OF_EMPTY = Object.fromEntries(
  METHODS.map(({ name }) => [name, EMPTY_ALLOWED.has(name) ? 'OK' : 'INVALID_ARGUMENT']),
)

/** Of a field 500 that nobody knows. */
const GROUP = Buffer.from([0xa3, 0x1f])
const END_OF_GROUP = Buffer.from([0xa4, 0x1f])

function unknownField(byteCount: number): Buffer {
  // Field 500, whose length takes three bytes.
  const length = [byteCount & 0x7f, byteCount >> 7, byteCount >> 14].map((part) => part & 0x7f)
  const head = [0xa2, 0x1f, length[0]! | 0x80, length[1]! | 0x80, length[2]!]
  return Buffer.concat([Buffer.from(head), Buffer.alloc(byteCount)])
}

describe('every RPC', () => {
  it.each<[string, Uint8Array, OutgoingHttpHeaders]>([
    ['an empty message', NOTHING, {}],
    ['fields that nobody knows', Buffer.from([0xa0, 0x1f, 1, 0xaa, 0x1f, 2, 1, 2]), {}],
    ['a message of 1 MiB', unknownField(MEBIBYTE - 5), {}],
    [
      'groups in groups that end',
      Buffer.concat([Buffer.alloc(100, GROUP), Buffer.alloc(100, END_OF_GROUP)]),
      {},
    ],
    ['no te', NOTHING, { te: undefined }],
    ['a binary header that is no base64', NOTHING, { 'x-odd-bin': '!!! ***' }],
    ['headers of an answer', NOTHING, { 'grpc-status': '0', 'grpc-message': 'done' }],
    ['a request id given twice', NOTHING, { 'x-request-id': ['a', 'b'] }],
    ['a trace of nobody', NOTHING, { traceparent: '00-zz', tracestate: '=,=' }],
  ])('takes %s for what it is', async (_, message, headers) => {
    expect(await statusesOf(framed(message), headers)).toEqual(OF_EMPTY)
  })

  it.each<[string, Uint8Array]>([
    ['a field 0', Buffer.of(0x00, 1)],
    ['a wire type 7', Buffer.of(0x0f, 1)],
    ['a field cut short', Buffer.of(0x0a, 0x7f, 1)],
    ['a varint without an end', Buffer.alloc(20, 0xff)],
    ['a group without an end', Buffer.of(0x0b, 0x08, 1)],
    ['an end without a group', Buffer.of(0x0c)],
    ['groups 100,000 deep', Buffer.alloc(200_000, GROUP)],
  ])('refuses %s', async (_, bytes) => {
    const statuses = await statusesOf(framed(bytes))
    expect(statuses).toEqual(everyStatus('INVALID_ARGUMENT'))
  })

  it('refuses texts that are no UTF-8, wherever its message has one', async () => {
    for (const { parent, name, input } of METHODS) {
      const texts = input.fields.filter(({ scalar }) => scalar === ScalarType.STRING)
      for (const { number } of texts) {
        if (number > 15) continue
        const bytes = Buffer.from([number * 8 + 2, 3, 0xed, 0xa0, 0x80])
        const answer = await rawExchange(raw.session, `/${parent.typeName}/${name}`, framed(bytes))
        expect([name, number, answer['grpc-status']]).toEqual([name, number, '3'])
      }
    }
  })

  it('refuses lists as long as a message can hold, by what they would make of it', async () => {
    const statuses: Record<string, string> = {}
    for (const method of METHODS) {
      for (const { number, name, message } of method.input.fields.filter(isList)) {
        const bytes = Buffer.alloc(MEBIBYTE, Buffer.from([number * 8 + 2, 0]))
        const answer = await rawExchange(raw.session, pathOf(method), framed(bytes))
        const expected = message === undefined ? 'INVALID_ARGUMENT' : 'RESOURCE_EXHAUSTED'
        const actual = nameOf(answer['grpc-status'])
        if (actual !== expected) statuses[`${method.name} ${name}`] = actual
      }
    }
    expect(statuses).toEqual({})
  })

  it.each<[string, Uint8Array, OutgoingHttpHeaders]>([
    ['1 MiB and a byte', framed(unknownField(MEBIBYTE - 4)), {}],
    ['4 MiB and a byte', framed(Buffer.alloc(4 * MEBIBYTE + 1)), {}],
    ['4 GiB, as it says', framed(NOTHING, 0, 0xffff_ffff), {}],
    [
      '20 MB compressed',
      framed(gzipSync(Buffer.alloc(20_000_000)), 1),
      { 'grpc-encoding': 'gzip' },
    ],
  ])('refuses a message of %s', async (_, body, headers) => {
    expect(await statusesOf(body, headers)).toEqual(everyStatus('RESOURCE_EXHAUSTED'))
  })

  // Of the frames around messages grpc-js answers, by gRPC's own table of codes: INTERNAL for what does not decompress.
  it.each<[string, Uint8Array, OutgoingHttpHeaders, Readonly<Record<string, string>>]>([
    ['no message', NOTHING, {}, everyStatus('UNIMPLEMENTED', 'OK')],
    ['half a frame', Buffer.alloc(3), {}, everyStatus('UNIMPLEMENTED', 'OK')],
    ['half a message', framed(NOTHING, 0, 100), {}, everyStatus('UNIMPLEMENTED', 'OK')],
    ['two messages', Buffer.alloc(10), {}, everyStatus('UNIMPLEMENTED', 'OK')],
    [
      'an encoding of nobody',
      framed(NOTHING, 1),
      { 'grpc-encoding': 'zstd' },
      everyStatus('UNIMPLEMENTED'),
    ],
    [
      'a message that does not decompress',
      framed(Buffer.from('no gzip'), 1),
      { 'grpc-encoding': 'gzip' },
      everyStatus('INTERNAL'),
    ],
    ['JSON', NOTHING, { 'content-type': 'application/json' }, everyStatus('HTTP 415')],
    ['no content type', NOTHING, { 'content-type': undefined }, everyStatus('HTTP 415')],
  ])('ends a call with %s', async (_, body, headers, statuses) => {
    expect(await statusesOf(body, headers)).toEqual(statuses)
  })

  it.each<[string, OutgoingHttpHeaders]>([
    ['9 KB in one', { 'x-odd': 'y'.repeat(9_000) }],
    ['60 KB in one', { 'x-odd': 'y'.repeat(60_000) }],
    ['12 KB in many', manyHeaders(60, 200)],
    ['a timeout that is none', { 'grpc-timeout': 'soon' }],
  ])('refuses headers of %s', async (_, headers) => {
    expect(await statusesOf(framed(NOTHING), headers)).toEqual(everyStatus('INVALID_ARGUMENT'))
  })

  it('resets a call with more headers than Node takes', async () => {
    const statuses = await statusesOf(framed(NOTHING), manyHeaders(300, 1))
    expect(statuses).toEqual(everyStatus('HTTP undefined'))
  })

  it.each(['0n', '1n', '0m', '1m'])('ends in or beyond a time of %s', async (timeout) => {
    const allowed = ['OK', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED']
    const statuses = await statusesOf(framed(NOTHING), { 'grpc-timeout': timeout })
    expect(allowed).toEqual(expect.arrayContaining(Object.values(statuses)))
  })

  it('may be left by its client at any moment', async () => {
    for (const method of METHODS) {
      for (const body of [NOTHING, Buffer.of(0), framed(NOTHING)]) {
        const stream = raw.session.request({
          ':method': 'POST',
          ':path': pathOf(method),
          'content-type': 'application/grpc',
          te: 'trailers',
        })
        stream.write(body)
        stream.close(8)
        await closed(stream)
      }
    }
    expect(await statusesOf(framed(NOTHING))).toEqual(OF_EMPTY)
  })
})

function isList({ fieldKind }: DescField): boolean {
  return fieldKind === 'list'
}

function manyHeaders(count: number, length: number): OutgoingHttpHeaders {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`x-odd-${index}`, 'y'.repeat(length)]),
  )
}

it.each<[string, Uint8Array]>([
  ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
  ['TLS', Buffer.from('160301020001000001fc0303', 'hex')],
  ['bytes of nothing', Buffer.alloc(1_000, 0xff)],
  ['HTTP/2 and then nonsense', Buffer.from(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'x'.repeat(99)}`)],
])('a connection that speaks %s is ended, and no other', async (_, bytes) => {
  const socket = connectTcp(fixture.service.ports.grpc, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(bytes)
  socket.resume()
  await once(socket, 'close')
  const [method] = METHODS
  const answer = await rawExchange(raw.session, pathOf(method!), framed(NOTHING))
  expect(answer['grpc-status']).toBe('3')
})
