import { type Decimal, minus, plus, share, ZERO } from '../decimal.ts'
import { compareLots, type Holding, type Lot } from './holding.ts'
import type { LotSelection } from './transaction.ts'

/** A holding while a fold works on it. */
export type MutableHolding = { -readonly [Key in keyof Holding]: Holding[Key] } & { lots: Lot[] }

/** A part of a lot that leaves, with its share of the basis. */
export interface Taken {
  readonly lot: Lot
  readonly quantity: Decimal
  readonly basis: Decimal | null
}

/** Puts an opened lot among the open ones; one that was carried in may be older than what is held. */
export function addLot(holding: MutableHolding, lot: Lot): void {
  const { quantity, basis } = lot
  const last = holding.lots.at(-1)
  holding.lots.push(lot)
  if (last !== undefined && compareLots(last, lot) > 0) holding.lots.sort(compareLots)
  holding.quantity = plus(holding.quantity, quantity)
  if (basis === null) holding.unknownQuantity = plus(holding.unknownQuantity, quantity)
  else holding.basis = plus(holding.basis, basis)
}

/** Spreads the known basis evenly over the units that have one; the last lot takes the remainder. */
export function average(holding: MutableHolding): void {
  const known = holding.lots.filter((lot) => lot.basis !== null)
  if (known.length < 2) return
  const units = minus(holding.quantity, holding.unknownQuantity)
  const last = known.at(-1)
  let left = holding.basis
  holding.lots = holding.lots.map((lot) => {
    if (lot.basis === null) return lot
    const basis = lot === last ? left : share(holding.basis, lot.quantity, units)
    left = minus(left, basis)
    return lot.basis.equals(basis) ? lot : { ...lot, basis }
  })
}

/** Takes `amount` off the basis of the open lots by their units; gives back what exceeded a lot's basis. */
export function lowerBasis(holding: MutableHolding, amount: Decimal): Decimal {
  let left = amount
  let exceeding = ZERO
  holding.lots = holding.lots.map((lot, index, lots) => {
    const part = index === lots.length - 1 ? left : share(amount, lot.quantity, holding.quantity)
    left = minus(left, part)
    if (lot.basis === null) return lot
    const lowered = lot.basis.lessThan(part) ? lot.basis : part
    exceeding = plus(exceeding, minus(part, lowered))
    holding.basis = minus(holding.basis, lowered)
    return { ...lot, basis: minus(lot.basis, lowered) }
  })
  return exceeding
}

/** Open lots in order of acquisition. */
export function openLots(holdings: readonly MutableHolding[]): readonly Lot[] {
  const [first] = holdings
  if (first !== undefined && holdings.length === 1) return first.lots
  return holdings.flatMap((holding) => holding.lots).toSorted(compareLots)
}

/** Takes what each selection names; undefined when a named lot does not have that many open units. */
export function takeNamed(
  lots: readonly Lot[],
  named: readonly LotSelection[],
): readonly Taken[] | undefined {
  const takings: Taken[] = []
  for (const { lotSequence, lotPart, quantity } of named) {
    const lot = lots.find((open) => open.openedSequence === lotSequence && open.part === lotPart)
    const twice = takings.some((taken) => taken.lot === lot)
    if (lot === undefined || twice || lot.quantity.abs().lessThan(quantity)) return undefined
    takings.push(...take([lot], quantity))
  }
  return takings
}

/** Takes `quantity` > 0 units off the lots in their order; a lot taken whole gives its whole basis. */
export function take(lots: readonly Lot[], quantity: Decimal): readonly Taken[] {
  const takings: Taken[] = []
  let missing = quantity
  for (const lot of lots) {
    if (missing.isZero()) break
    const open = lot.quantity.abs()
    if (open.lessThanOrEqualTo(missing)) {
      takings.push({ lot, quantity: open, basis: lot.basis })
      missing = minus(missing, open)
    } else {
      const basis = lot.basis === null ? null : share(lot.basis, missing, open)
      takings.push({ lot, quantity: missing, basis })
      missing = ZERO
    }
  }
  if (!missing.isZero()) throw new Error('more was taken than was open')
  return takings
}
