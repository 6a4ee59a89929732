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
  const marks = new Set<Place | undefined>([column[0], column.at(-1)])
  let [lowest, highest] = [column[0], column[0]]
  for (const place of column) {
    if (place[1] === undefined) marks.add(place)
    if ((place[1] ?? Infinity) < (lowest?.[1] ?? Infinity)) lowest = place
    if ((place[1] ?? -Infinity) > (highest?.[1] ?? -Infinity)) highest = place
  }
  marks.add(lowest)
  marks.add(highest)
  return column.filter((place) => marks.has(place))
}
