/** Below so many values sorting by insertion is quicker than dividing further. */
const INSERTION_MAX = 12

/**
 * Reorders the first `count` values so that the one at `place` is where sorting would put it, none before it is
 * greater and none after it is less (Hoare 1961, Find, with the median of three as pivot).
 */
export function partitionAt(values: Float64Array, place: number, count: number): void {
  let low = 0
  let high = count - 1
  while (high - low > INSERTION_MAX) {
    const pivot = medianOfThree(values, low, high)
    let left = low
    let right = high
    while (left <= right) {
      while ((values[left] ?? NaN) < pivot) left += 1
      while ((values[right] ?? NaN) > pivot) right -= 1
      if (left > right) break
      const swapped = values[left] ?? NaN
      values[left] = values[right] ?? NaN
      values[right] = swapped
      left += 1
      right -= 1
    }
    if (place <= right) high = right
    else if (place >= left) low = left
    else return
  }
  sortRange(values, low, high)
}

function medianOfThree(values: Float64Array, low: number, high: number): number {
  const first = values[low] ?? NaN
  const middle = values[(low + high) >>> 1] ?? NaN
  const last = values[high] ?? NaN
  return Math.max(Math.min(first, middle), Math.min(Math.max(first, middle), last))
}

function sortRange(values: Float64Array, low: number, high: number): void {
  for (let at = low + 1; at <= high; at += 1) {
    const value = values[at] ?? NaN
    let to = at
    while (to > low && (values[to - 1] ?? NaN) > value) {
      values[to] = values[to - 1] ?? NaN
      to -= 1
    }
    values[to] = value
  }
}
