import { type Decimal, decimal, divide, minus } from '../decimal.ts'

/** New units for one old that companies choose, or the reverse. */
const RATIOS = [4 / 3, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100].map(
  decimal,
)
/** What the price may have moved besides: a fraction. */
const MOVE_MAX = decimal('0.03')

/** True where a price came to so near a simple part or multiple of the one before that its units may have changed. */
export function looksLikeSplit(before: Decimal, after: Decimal): boolean {
  const ratio = before.greaterThan(after) ? divide(before, after) : divide(after, before)
  return RATIOS.some((simple) =>
    divide(minus(ratio, simple).abs(), simple).lessThanOrEqualTo(MOVE_MAX),
  )
}
