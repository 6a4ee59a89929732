import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ResumeTokens, type StreamPlace } from '../../../src/api/resume-token.ts'

const VERSIONS = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.option(
    fc.maxSafeNat().map((version) => Math.min(version, Number.MAX_SAFE_INTEGER - 2)),
    {
      nil: undefined,
    },
  ),
  { minKeys: 1, maxKeys: 100 },
)

const NUMBER = fc.maxSafeNat().map((number) => Math.min(number, Number.MAX_SAFE_INTEGER - 1))
const MARK = fc.record({ epoch: NUMBER, at: NUMBER })

function known(versions: Readonly<Record<string, number | undefined>>): Map<string, number> {
  return new Map(
    Object.entries(versions).flatMap(([userId, version]) =>
      version === undefined ? [] : [[userId, version] as const],
    ),
  )
}

function placeOf(versions: readonly (readonly [string, number])[]): StreamPlace {
  return { versions: new Map(versions), actions: { epoch: 7, at: 1_700_000_000_000_000 } }
}

it('reads what it wrote, in whatever order the users are named', () => {
  fc.assert(
    fc.property(VERSIONS, MARK, (versions, actions) => {
      const userIds = Object.keys(versions)
      const place = { versions: known(versions), actions }
      const token = new ResumeTokens(userIds).write(place)
      expect(token).toMatch(/^[\w-]+$/)
      expect(new ResumeTokens(userIds.toReversed()).read(token)).toEqual(place)
    }),
  )
})

it('reads nothing else: every token that is read is one it would write', () => {
  const tokens = new ResumeTokens(['a', 'b'])
  const valid = tokens.write(placeOf([['a', 300]]))
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.string({ maxLength: 3 }), (at, text) => {
      const changed = valid.slice(0, at) + text + valid.slice(at + 1)
      const read = tokens.read(changed)
      expect([undefined, changed]).toContain(read && tokens.write(read))
    }),
    { numRuns: 1_000 },
  )
})

const LOW_ZEROS = Array.from({ length: 8 }, () => 0x80)

/** The token with other numbers: of actions, their moment, and the versions. */
function versionsOf(token: string, bytes: readonly number[]): string {
  const head = Buffer.from(token, 'base64url').subarray(0, 9)
  return Buffer.concat([head, Buffer.from(bytes)]).toString('base64url')
}

it.each([
  ['an empty text', () => ''],
  ['a text', () => 'nonsense'],
  ['a token cut short', (token: string) => token.slice(0, -1)],
  ['a token with more', (token: string) => `${token}AA`],
  ['a token of other users', () => new ResumeTokens(['a', 'c']).write(placeOf([['a', 1]]))],
  ['a token of fewer users', () => new ResumeTokens(['a']).write(placeOf([['a', 1]]))],
  ['another alphabet', (token: string) => `${token.slice(0, -1)}+`],
  ['a number beyond any version', (token: string) => token.slice(0, 12) + '_'.repeat(20)],
  ['a number beyond any double', (token: string) => token.slice(0, 12) + '_'.repeat(400)],
  // 2^60, which a double holds exactly.
  [
    'a version nobody counts to',
    (token: string) => versionsOf(token, [0, 0, ...LOW_ZEROS, 0x10, 0]),
  ],
])('refuses %s', (_name, change) => {
  const tokens = new ResumeTokens(['a', 'b'])
  const valid = tokens.write(placeOf([['a', 1]]))
  expect(tokens.read(valid)).toEqual(placeOf([['a', 1]]))
  expect(tokens.read(change(valid))).toBeUndefined()
})
