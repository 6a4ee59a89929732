import type { Place } from './scales.ts'

/**
 * Places that look the same at a resolution of `width` columns and are few: of each column the first, the lowest, the
 * highest and the last one (Jugel and others 2014, M4). Gaps stay.
 */
export function thinned(places: readonly Place[], width: number, columns: number): Place[] {
  const kept: Place[] = []
  let column: Place[] = []
  let number = -1
  for (const place of places) {
    const own = Math.floor((place[0] / width) * columns)
    if (own !== number) kept.push(...extremes(column))
    if (own !== number) column = []
    number = own
    column.push(place)
  }
  kept.push(...extremes(column))
  return kept
}

function extremes(column: readonly Place[]): readonly Place[] {
  if (column.length <= 4) return column
  let [lowest, highest] = [0, 0]
  for (const [at, [, y]] of column.entries()) {
    if ((y ?? Infinity) < (column[lowest]?.[1] ?? Infinity)) lowest = at
    if ((y ?? -Infinity) > (column[highest]?.[1] ?? -Infinity)) highest = at
  }
  const last = column.length - 1
  return column.filter(
    ([, y], at) => y === undefined || at === 0 || at === lowest || at === highest || at === last,
  )
}
