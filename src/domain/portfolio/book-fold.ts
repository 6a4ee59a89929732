import { type Decimal, multiply, share, sum, ZERO } from '../decimal.ts'
import {
  type Book,
  compareLots,
  emptyHolding,
  type Holding,
  type Lot,
  type LotMatch,
} from './holding.ts'
import { type LotMethodRule, lotMethods } from './lot-methods.ts'
import type { FoldRefusal } from './refusal.ts'
import type { PortfolioSettings } from './state.ts'
import type { LedgerEntry } from './transaction.ts'

type MutableHolding = { -readonly [Key in keyof Holding]: Holding[Key] } & { lots: Lot[] }
type Rules = Pick<PortfolioSettings, 'lotMethod' | 'allowShort'>

/** A part of a lot that leaves, with its share of the basis. */
interface Taken {
  readonly lot: Lot
  readonly quantity: Decimal
  readonly basis: Decimal | null
}

/**
 * Folds ledger entries of one instrument, in order of (effectiveAt, sequence), into its holdings.
 * Mutable while it folds, so that a long history costs its length; nothing mutable leaves it.
 */
export class BookFold {
  readonly matches: LotMatch[] = []
  readonly #holdings = new Map<string, MutableHolding>()
  readonly #rules: Rules

  constructor(book: Book | undefined, rules: Rules) {
    this.#rules = rules
    for (const holding of book?.values() ?? []) {
      if (holding.lots === undefined) throw new Error('a fold needs the open lots')
      this.#holdings.set(holding.accountId, { ...holding, lots: [...holding.lots] })
    }
  }

  /** Applies one entry, or says why it cannot be applied and leaves the fold unusable. */
  apply(entry: LedgerEntry): FoldRefusal | undefined {
    const refusal = this.#move(entry)
    if (refusal !== undefined) return refusal
    const own = this.#holding(entry)
    own.lastEffectiveAt = entry.effectiveAt
    own.transactionCount += 1
    if (entry.type === 'BUY' || entry.type === 'SELL') {
      own.lastTrade = { price: entry.price, at: entry.effectiveAt }
    }
    return undefined
  }

  book(): Book {
    const book = new Map<string, Holding>()
    for (const [accountId, holding] of this.#holdings) {
      book.set(accountId, { ...holding, lotCount: holding.lots.length })
    }
    return book
  }

  #move(entry: LedgerEntry): FoldRefusal | undefined {
    switch (entry.type) {
      case 'BUY':
        return this.#trade(entry, entry.quantity, multiply(entry.quantity, entry.price).negated())
      case 'SELL':
        return this.#trade(entry, entry.quantity.negated(), multiply(entry.quantity, entry.price))
      case 'TRANSFER_IN':
        return this.#transferIn(entry)
      case 'TRANSFER_OUT':
        return this.#transferOut(entry)
    }
  }

  /** `change` in units and `cash` have opposite signs: a buy brings units and takes cash. */
  #trade(entry: LedgerEntry, change: Decimal, cash: Decimal): FoldRefusal | undefined {
    const method = lotMethods[this.#rules.lotMethod]
    const holdings = this.#closable(entry, change.isNegative())
    const available = sum(holdings.map((holding) => holding.quantity)).abs()
    const closing = available.lessThan(entry.quantity) ? available : entry.quantity
    const opening = entry.quantity.minus(closing)
    if (opening.greaterThan(0) && change.isNegative() && !this.#rules.allowShort) {
      return { reason: 'INSUFFICIENT_QUANTITY', entry, held: available }
    }
    if (method.namesLots && closing.lessThan(available) && openLots(holdings).length > 1) {
      return { reason: 'LOTS_REQUIRED', entry, held: available }
    }
    const closingCash = opening.isZero() ? cash : share(cash, closing, entry.quantity)
    this.#close(entry, this.#takeBy(method, holdings, closing), closingCash)
    this.#open(entry, change.isNegative() ? opening.negated() : opening, closingCash.minus(cash))
    if (entry.type !== 'SELL') {
      const own = this.#holding(entry)
      own.capital = own.capital.minus(cash)
    }
    return undefined
  }

  /** The price is the cost carried in; without one the basis is unknown (decision 3), and cannot cover a short. */
  #transferIn(entry: LedgerEntry): FoldRefusal | undefined {
    if (!entry.price.isZero()) {
      return this.#trade(entry, entry.quantity, multiply(entry.quantity, entry.price).negated())
    }
    const [short] = this.#closable(entry, false)
    if (short !== undefined) return { reason: 'BASIS_UNKNOWN', entry, held: short.quantity }
    this.#open(entry, entry.quantity, null)
    return undefined
  }

  /** No disposal: lots leave first in, first out, with their basis, and nothing is realised (decision 2). */
  #transferOut(entry: LedgerEntry): FoldRefusal | undefined {
    const holdings = this.#closable(entry, true)
    const held = sum(holdings.map((holding) => holding.quantity))
    if (held.lessThan(entry.quantity)) {
      return { reason: 'INSUFFICIENT_QUANTITY', entry, held }
    }
    const { averaged } = lotMethods[this.#rules.lotMethod]
    for (const taken of this.#takeBy(
      { averaged, order: (lots) => lots },
      holdings,
      entry.quantity,
    )) {
      const holding = this.#remove(taken)
      if (taken.basis !== null) holding.capital = holding.capital.minus(taken.basis)
    }
    return undefined
  }

  #takeBy(
    { averaged, order }: Pick<LotMethodRule, 'averaged' | 'order'>,
    holdings: readonly MutableHolding[],
    quantity: Decimal,
  ): readonly Taken[] {
    if (quantity.isZero()) return []
    if (averaged) holdings.forEach(average)
    return take(order(openLots(holdings)), quantity)
  }

  #close(entry: LedgerEntry, takings: readonly Taken[], cash: Decimal): void {
    const total = sum(takings.map((taken) => taken.quantity))
    let cashLeft = cash
    for (const [part, taken] of takings.entries()) {
      const last = part === takings.length - 1
      const cashShare = last ? cashLeft : share(cash, taken.quantity, total)
      cashLeft = cashLeft.minus(cashShare)
      this.#realize(entry, part, taken, cashShare)
    }
  }

  #realize(entry: LedgerEntry, part: number, taken: Taken, cash: Decimal): void {
    // Closing a short lot is the mirror image: its basis was what came in, the cash now pays for the cover.
    const short = taken.lot.quantity.isNegative()
    const proceeds = short ? (taken.basis ?? ZERO).negated() : cash
    const basis = short ? cash.negated() : taken.basis
    const gain = basis === null ? null : proceeds.minus(basis)
    const holding = this.#remove(taken)
    if (gain !== null) holding.realized = holding.realized.plus(gain)
    this.matches.push({
      disposalSequence: entry.sequence,
      part,
      disposedAt: entry.effectiveAt,
      lotSequence: taken.lot.openedSequence,
      lotPart: taken.lot.part,
      accountId: taken.lot.accountId,
      acquiredAt: taken.lot.acquiredAt,
      quantity: taken.quantity,
      basis,
      proceeds,
      gain,
      rule: this.#rules.lotMethod,
    })
  }

  #open(entry: LedgerEntry, quantity: Decimal, basis: Decimal | null): void {
    if (quantity.isZero()) return
    const holding = this.#holding(entry)
    holding.lots.push({
      openedSequence: entry.sequence,
      part: 0,
      accountId: entry.accountId,
      acquiredAt: entry.effectiveAt,
      quantityAcquired: quantity,
      quantity,
      basis,
    })
    holding.quantity = holding.quantity.plus(quantity)
    if (basis === null) holding.unknownQuantity = holding.unknownQuantity.plus(quantity)
    else holding.basis = holding.basis.plus(basis)
  }

  #remove(taken: Taken): MutableHolding {
    const holding = this.#holdings.get(taken.lot.accountId)
    if (holding === undefined) throw new Error('a lot left a holding that is not there')
    const signed = taken.lot.quantity.isNegative() ? taken.quantity.negated() : taken.quantity
    const index = holding.lots.indexOf(taken.lot)
    if (index === -1) throw new Error('a lot left that was not open')
    const rest = taken.lot.quantity.minus(signed)
    if (rest.isZero()) holding.lots.splice(index, 1)
    else {
      const basis = taken.lot.basis?.minus(taken.basis ?? ZERO) ?? null
      holding.lots[index] = { ...taken.lot, quantity: rest, basis }
    }
    holding.quantity = holding.quantity.minus(signed)
    if (taken.basis === null) holding.unknownQuantity = holding.unknownQuantity.minus(signed)
    else holding.basis = holding.basis.minus(taken.basis)
    return holding
  }

  /** The holdings an entry can close: long ones for what leaves, short ones for a buy. */
  #closable(entry: LedgerEntry, long: boolean): readonly MutableHolding[] {
    const holdings = entry.accountId === '' ? [...this.#holdings.values()] : [this.#holding(entry)]
    return holdings.filter(({ quantity }) => !quantity.isZero() && quantity.isNegative() !== long)
  }

  #holding(entry: LedgerEntry): MutableHolding {
    let holding = this.#holdings.get(entry.accountId)
    if (holding === undefined) {
      holding = { ...emptyHolding(entry.instrumentId, entry.accountId), lots: [] }
      this.#holdings.set(entry.accountId, holding)
    }
    return holding
  }
}

/** Spreads the known basis evenly over the units that have one; the last lot takes the remainder. */
function average(holding: MutableHolding): void {
  const known = holding.lots.filter((lot) => lot.basis !== null)
  if (known.length < 2) return
  const units = holding.quantity.minus(holding.unknownQuantity)
  const last = known.at(-1)
  let left = holding.basis
  holding.lots = holding.lots.map((lot) => {
    if (lot.basis === null) return lot
    const basis = lot === last ? left : share(holding.basis, lot.quantity, units)
    left = left.minus(basis)
    return lot.basis.equals(basis) ? lot : { ...lot, basis }
  })
}

/** Open lots in order of acquisition. */
function openLots(holdings: readonly MutableHolding[]): readonly Lot[] {
  const [first] = holdings
  if (first !== undefined && holdings.length === 1) return first.lots
  return holdings.flatMap((holding) => holding.lots).toSorted(compareLots)
}

/** Takes `quantity` > 0 units off the lots in their order; a lot taken whole gives its whole basis. */
function take(lots: readonly Lot[], quantity: Decimal): readonly Taken[] {
  const takings: Taken[] = []
  let missing = quantity
  for (const lot of lots) {
    if (missing.isZero()) break
    const open = lot.quantity.abs()
    if (open.lessThanOrEqualTo(missing)) {
      takings.push({ lot, quantity: open, basis: lot.basis })
      missing = missing.minus(open)
    } else {
      const basis = lot.basis === null ? null : share(lot.basis, missing, open)
      takings.push({ lot, quantity: missing, basis })
      missing = ZERO
    }
  }
  if (!missing.isZero()) throw new Error('more was taken than was open')
  return takings
}
