import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ResumeTokens } from '../../../src/api/resume-token.ts'

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

function known(versions: Readonly<Record<string, number | undefined>>): Map<string, number> {
  return new Map(
    Object.entries(versions).flatMap(([userId, version]) =>
      version === undefined ? [] : [[userId, version] as const],
    ),
  )
}

it('reads what it wrote, in whatever order the users are named', () => {
  fc.assert(
    fc.property(VERSIONS, (versions) => {
      const userIds = Object.keys(versions)
      const token = new ResumeTokens(userIds).write(known(versions))
      expect(token).toMatch(/^[\w-]+$/)
      expect(new ResumeTokens(userIds.toReversed()).read(token)).toEqual(known(versions))
    }),
  )
})

it('reads nothing else: every token that is read is one it would write', () => {
  const tokens = new ResumeTokens(['a', 'b'])
  const valid = tokens.write(new Map([['a', 300]]))
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

function versionsOf(token: string, bytes: readonly number[]): string {
  const head = Buffer.from(token, 'base64url').subarray(0, 9)
  return Buffer.concat([head, Buffer.from(bytes)]).toString('base64url')
}

it.each([
  ['an empty text', () => ''],
  ['a text', () => 'nonsense'],
  ['a token cut short', (token: string) => token.slice(0, -1)],
  ['a token with more', (token: string) => `${token}AA`],
  ['a token of other users', () => new ResumeTokens(['a', 'c']).write(new Map([['a', 1]]))],
  ['a token of fewer users', () => new ResumeTokens(['a']).write(new Map([['a', 1]]))],
  ['another alphabet', (token: string) => `${token.slice(0, -1)}+`],
  ['a number beyond any version', (token: string) => token.slice(0, 12) + '_'.repeat(20)],
  ['a number beyond any double', (token: string) => token.slice(0, 12) + '_'.repeat(400)],
  // 2^60, which a double holds exactly.
  ['a version nobody counts to', (token: string) => versionsOf(token, [...LOW_ZEROS, 0x10, 0])],
])('refuses %s', (_name, change) => {
  const tokens = new ResumeTokens(['a', 'b'])
  const valid = tokens.write(new Map([['a', 1]]))
  expect(tokens.read(valid)).toEqual(new Map([['a', 1]]))
  expect(tokens.read(change(valid))).toBeUndefined()
})
