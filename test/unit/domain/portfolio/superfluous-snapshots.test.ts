import { expect, test } from '@jest/globals'
import { type SnapshotOutline, superfluous } from '../../../../src/domain/portfolio/past-fold.ts'

function outline(entryCount: number, facts: Partial<SnapshotOutline> = {}): SnapshotOutline {
  return { effectiveAt: entryCount, version: 9, entryCount, isOutdated: false, ...facts }
}

const MAX = { present: 3, outdated: 1 }

function counts(outlines: readonly SnapshotOutline[]): readonly number[] {
  return superfluous(outlines, MAX).map(({ entryCount }) => entryCount)
}

test('as many as may be kept are kept', () => {
  expect(superfluous([], MAX)).toEqual([])
  expect(counts([outline(10), outline(20), outline(30), outline(5, { isOutdated: true })])).toEqual(
    [],
  )
})

test('of two of one moment that serve the present the newer one stays', () => {
  const older = outline(10, { version: 7 })
  expect(superfluous([outline(10), older], MAX)).toEqual([older])
  // One that is outdated serves another question.
  expect(superfluous([outline(10), { ...older, isOutdated: true }], MAX)).toEqual([])
})

test('one too many goes from where they are nearest, and the longest stays', () => {
  expect(counts([outline(10), outline(20), outline(21), outline(40)])).toEqual([20])
  expect(counts([outline(1), outline(20), outline(40), outline(41)])).toEqual([1])
  expect(counts([10, 20, 30, 40, 50].map((count) => outline(count)))).toHaveLength(2)
  expect(counts([10, 20, 30, 40, 50].map((count) => outline(count)))).not.toContain(50)
})

test('what serves only what was known once has a bound of its own', () => {
  const outdated = [1, 2, 3].map((count) => outline(count, { isOutdated: true }))
  expect(superfluous([outline(10), ...outdated], MAX)).toHaveLength(2)
})
