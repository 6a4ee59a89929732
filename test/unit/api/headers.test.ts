import type { Server } from '@grpc/grpc-js'
import { expect, it } from '@jest/globals'
import { http2ServersOf } from '../../../src/api/grpc-server.ts'
import { shorterTimeout } from '../../../src/api/headers.ts'

it.each([
  ['600H', '86400S'],
  ['99999999H', '86400S'],
  ['1441M', '86400S'],
  ['86401S', '86400S'],
  ['24H', '24H'],
  ['1440M', '1440M'],
  ['86400S', '86400S'],
  ['99999999m', '99999999m'],
  ['10u', '10u'],
  ['10n', '10n'],
  ['soon', 'soon'],
  ['-1H', '-1H'],
  ['123456789H', '123456789H'],
])('the timeout %s is read as %s', (sent, read) => {
  expect(shorterTimeout(sent)).toBe(read)
})

it.each([
  ['keeps its HTTP/2 servers elsewhere', {}],
  ['keeps none yet', { http2Servers: new Map() }],
])('a grpc-js that %s is not served with headers unmended', (_, server) => {
  expect(() => http2ServersOf(server as unknown as Server)).toThrow('http2Servers')
})
