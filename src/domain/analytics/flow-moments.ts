import type { Instant } from '../time.ts'
import { entryKinds, type LedgerNumbers } from './ledger-numbers.ts'

/** Moments of a flow at which everything held has a price: the day splits there exactly (decision 32). */
export interface FlowMoments {
  /** Ascending. */
  readonly instants: Float64Array
  /** One row for each moment, of what a unit of each part is worth then; NaN where it is not held. */
  readonly prices: Float64Array
}

export const NO_MOMENTS: FlowMoments = {
  instants: new Float64Array(),
  prices: new Float64Array(),
}

/** A moment at which money or units came in or left, and the parts whose prices tell what there was. */
export interface FlowMoment {
  readonly instant: Instant
  readonly parts: readonly number[]
}

/** What an entry brings from outside, > 0 = in, as far as it has a size without a price: units of a transfer count one. */
export function outsideFlow(numbers: LedgerNumbers, entry: number): number {
  const [cash, quantity] = [numbers.cash[entry] ?? 0, numbers.quantities[entry] ?? 0]
  switch (Number(numbers.kinds[entry])) {
    case entryKinds.CASH_FLOW:
      return cash
    case entryKinds.TRANSFER:
      return quantity
    case entryKinds.PAID:
      return numbers.tracked[entry] === 1 ? 0 : -cash
    default:
      return 0
  }
}

/** The moments of the largest flows, in order of time; those before which nothing was held need no price. */
export function largestFlows(numbers: LedgerNumbers, countMax: number): readonly FlowMoment[] {
  const wanted = largestMoments(numbers, countMax)
  const moments: FlowMoment[] = []
  const held = new Map<number, number>()
  for (let entry = 0; entry < numbers.instants.length;) {
    const instant = numbers.instants[entry] ?? 0
    const parts = wanted.has(instant) ? partsHeld(held) : new Set<number>()
    const isWanted = parts.size > 0
    for (; numbers.instants[entry] === instant; entry += 1) {
      const part = numbers.parts[entry] ?? -1
      if (part < 0) continue
      if (isWanted && numbers.kinds[entry] === entryKinds.TRANSFER) parts.add(part)
      held.set(part, (held.get(part) ?? 0) + (numbers.quantities[entry] ?? 0))
    }
    if (isWanted) moments.push({ instant, parts: [...parts] })
  }
  return moments
}

function largestMoments(numbers: LedgerNumbers, countMax: number): ReadonlySet<Instant> {
  const sizes = new Map<Instant, number>()
  for (const [entry, instant] of numbers.instants.entries()) {
    const flow = Math.abs(outsideFlow(numbers, entry))
    if (flow > 0) sizes.set(instant, (sizes.get(instant) ?? 0) + flow)
  }
  const largest = [...sizes].toSorted(([, left], [, right]) => right - left)
  return new Set(largest.slice(0, countMax).map(([instant]) => instant))
}

function partsHeld(held: ReadonlyMap<number, number>): Set<number> {
  return new Set([...held].filter(([, units]) => units !== 0).map(([part]) => part))
}

/** Finds moments in order of time. */
export class MomentLookup {
  readonly #moments: FlowMoments
  #next = 0

  constructor(moments: FlowMoments) {
    this.#moments = moments
  }

  /** The place of the moment that is this instant, -1 = none; instants never fall from one call to the next. */
  at(instant: Instant): number {
    const { instants } = this.#moments
    while (this.#next < instants.length && (instants[this.#next] ?? 0) < instant) this.#next += 1
    return instants[this.#next] === instant ? this.#next : -1
  }

  prices(moment: number, partCount: number): Float64Array {
    return this.#moments.prices.subarray(moment * partCount, (moment + 1) * partCount)
  }
}
