import { divide, ZERO } from '../decimal.ts'
import type { Lot } from './holding.ts'

export interface LotMethodRule {
  /** The open lots in the order in which a disposal takes them; the argument is in order of acquisition. */
  readonly order: (lots: readonly Lot[]) => readonly Lot[]
  /** True when every unit has the average basis of all. */
  readonly averaged: boolean
  /** True when a disposal has to name its lots, unless there is no choice. */
  readonly namesLots: boolean
}

/** A lot of unknown basis counts as free: HIFO takes it last, LOFO first. */
function byUnitBasis(direction: 1 | -1): LotMethodRule['order'] {
  return (lots) =>
    lots
      .map((lot) => ({ lot, unit: lot.basis === null ? ZERO : divide(lot.basis, lot.quantity) }))
      .toSorted((left, right) => direction * left.unit.comparedTo(right.unit))
      .map(({ lot }) => lot)
}

const inOrder: LotMethodRule['order'] = (lots) => lots

/** Which lots a disposal takes (decision 24). A new method is a row here. */
export const lotMethods = {
  FIFO: { order: inOrder, averaged: false, namesLots: false },
  LIFO: { order: (lots) => lots.toReversed(), averaged: false, namesLots: false },
  HIFO: { order: byUnitBasis(-1), averaged: false, namesLots: false },
  LOFO: { order: byUnitBasis(1), averaged: false, namesLots: false },
  AVERAGE_COST: { order: inOrder, averaged: true, namesLots: false },
  SPECIFIC_ID: { order: inOrder, averaged: false, namesLots: true },
} as const satisfies Record<string, LotMethodRule>

export type LotMethod = keyof typeof lotMethods
