import { type EpochDay, type Interval, intervalNumber } from './epoch-day.ts'

/** When a blend goes back to its weights: at the last close of each such interval, or never (buy and hold). */
export type Rebalance = 'NEVER' | Extract<Interval, 'MONTH' | 'QUARTER' | 'YEAR'>

export interface BlendComponent {
  /** Share at the start and after each rebalancing; the weights of a blend add up to 1. */
  readonly weight: number
  /** Its level at the start and at each later close; > 0. */
  readonly levels: Float64Array
}

export interface Blend {
  /** Level of the whole: 1 at the start. */
  readonly levels: Float64Array
  /** Weight of each component at the start of the stretch that ends in a row; row 0 has those of the start. */
  readonly weights: readonly Float64Array[]
}

/**
 * The level of a blend of indices over days that all components have. Between rebalancings the components drift
 * with their own returns; what is bought or sold at one trades at that close, without cost.
 */
export function blendLevels(
  days: Int32Array,
  components: readonly BlendComponent[],
  rebalance: Rebalance,
): Blend {
  const levels = new Float64Array(days.length)
  const weights = components.map(() => new Float64Array(days.length))
  const held = Float64Array.from(components, ({ weight }) => weight)
  let level = 1
  for (let row = 0; row < days.length; row += 1) {
    const starts = row === 0 || rebalances(days[row - 1] ?? 0, days[row] ?? 0, rebalance)
    let after = 0
    for (const [at, { weight, levels: own }] of components.entries()) {
      const before = starts ? weight * level : (held[at] ?? NaN)
      const growth = row === 0 ? 1 : (own[row] ?? NaN) / (own[row - 1] ?? NaN)
      held[at] = before * growth
      after += before * growth
      const shares = weights[at]
      if (shares !== undefined) shares[row] = before / level
    }
    level = after
    levels[row] = level
  }
  return { levels, weights }
}

function rebalances(before: EpochDay, day: EpochDay, rebalance: Rebalance): boolean {
  return (
    rebalance !== 'NEVER' && intervalNumber(before, rebalance) !== intervalNumber(day, rebalance)
  )
}
