import type { EpochDay } from './epoch-day.ts'

/**
 * Closes by row and day in one block that several threads read in place. A row is an instrument (what one unit is
 * worth in its currency; NaN = no quote of that day) or a rate between two currencies (of every day since the first).
 */
export interface CloseMatrix {
  readonly firstDay: EpochDay
  /** Days of a row. */
  readonly dayCount: number
  readonly closes: Float64Array
}

/** The last close at or before a day; NaN when there is none. */
export function lastClose(matrix: CloseMatrix, row: number, day: EpochDay): number {
  const found = lastCloseDay(matrix, row, day)
  return found === undefined ? NaN : closeOf(matrix, row, found)
}

/** The close of that very day; NaN when there is none. */
export function closeOf(matrix: CloseMatrix, row: number, day: EpochDay): number {
  const column = day - matrix.firstDay
  if (row < 0 || column < 0 || column >= matrix.dayCount) return NaN
  return matrix.closes[row * matrix.dayCount + column] ?? NaN
}

/** Whether the close of a day is there and another one than that of the day before. */
export function isNewClose(matrix: CloseMatrix, row: number, day: EpochDay): boolean {
  const close = closeOf(matrix, row, day)
  return !Number.isNaN(close) && close !== closeOf(matrix, row, day - 1)
}

/** The day of the last close at or before a day. */
export function lastCloseDay(
  { closes, dayCount, firstDay }: CloseMatrix,
  row: number,
  day: EpochDay,
): EpochDay | undefined {
  if (row < 0) return undefined
  for (let column = Math.min(day - firstDay, dayCount - 1); column >= 0; column -= 1) {
    if (!Number.isNaN(closes[row * dayCount + column])) return firstDay + column
  }
  return undefined
}
