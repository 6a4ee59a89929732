import { expect, it } from '@jest/globals'
import { readDay, readPlace, readSize, readSymbols, tokenOfPlace } from '../../../src/api/pages.ts'
import type { Violation } from '../../../src/domain/errors.ts'

/** What is read, and "field REASON" of what was wrong with it. */
function reading<Value>(read: (violations: Violation[]) => Value) {
  const violations: Violation[] = []
  const value = read(violations)
  return [value, violations.map(({ field, reason }) => `${field} ${reason}`)]
}

it.each([
  [0, 100, []],
  [1, 1, []],
  [1_000, 1_000, []],
  [1_001, 100, ['page_size PAGE_INVALID']],
  [-1, 100, ['page_size PAGE_INVALID']],
])('a page size of %d is read as %d', (size, read, problems) => {
  expect(reading((violations) => readSize(size, violations))).toEqual([read, problems])
})

it('symbols are read in their canonical form, and each that is none is named', () => {
  expect(reading((violations) => readSymbols(['acme', '?', 'B', ''], violations))).toEqual([
    ['ACME', 'B'],
    ['symbols[1] SYMBOL_INVALID', 'symbols[3] SYMBOL_INVALID'],
  ])
})

it('symbols are 1,000 at most, and more are refused in one', () => {
  const symbols = Array.from({ length: 1_001 }, (_, index) => `S${index}`)
  const most = symbols.slice(1)
  expect(reading((violations) => readSymbols(most, violations))).toEqual([most, []])
  const problems = ['symbols PAGE_INVALID']
  expect(reading((violations) => readSymbols(symbols, violations))).toEqual([[], problems])
})

it.each([
  [undefined, undefined, []],
  ['', undefined, []],
  ['2024-02-29', '2024-02-29', []],
  ['2023-02-29', undefined, ['day DATE_INVALID']],
  ['tomorrow', undefined, ['day DATE_INVALID']],
])('the day %j is read as %j', (day, read, problems) => {
  expect(reading((violations) => readDay('day', day, violations))).toEqual([read, problems])
})

it.each([
  ['', undefined, []],
  [tokenOfPlace('ACME', 7), ['ACME', '7'], []],
  [tokenOfPlace('ACME', 'seven'), undefined, ['page_token PAGE_INVALID']],
  ['nonsense', undefined, ['page_token PAGE_INVALID']],
])('the token %j names the place %j', (token, place, problems) => {
  const read = (violations: Violation[]) =>
    readPlace(token, /^(\w+) (\d+)$/, violations)?.slice(1) ?? undefined
  expect(reading(read)).toEqual([place, problems])
})
