import { type Decimal, isAbove, minus, plus, share, sum, ZERO } from '../decimal.ts'
import type { Instant } from '../time.ts'
import { cost, grossAmount, inBaseCurrency, proceeds } from './amounts.ts'
import { type Book, emptyHolding, type Holding, type Lot, type LotMatch } from './holding.ts'
import {
  addLot,
  average,
  lowerBasis,
  type MutableHolding,
  openLots,
  take,
  type Taken,
  takeNamed,
} from './lot-taking.ts'
import { lotMethods } from './lot-methods.ts'
import type { FoldRefusal } from './refusal.ts'
import type { PortfolioSettings } from './state.ts'
import type { LedgerEntry } from './transaction.ts'
import { type TransactionType, transactionTypes } from './transaction-types.ts'

type Move = (fold: BookFold, entry: LedgerEntry) => FoldRefusal | undefined
type Rules = Pick<PortfolioSettings, 'lotMethod' | 'allowShort'>

/**
 * Folds ledger entries of one instrument, in order of (effectiveAt, sequence), into its holdings.
 * Mutable while it folds, so that a long history costs its length; nothing mutable leaves it.
 */
export class BookFold {
  static readonly #moves: Record<TransactionType, Move> = {
    BUY: (fold, entry) => fold.#trade(entry, entry.quantity, cost(entry).negated()),
    SELL: (fold, entry) => fold.#trade(entry, entry.quantity.negated(), proceeds(entry)),
    SHORT_SELL: (fold, entry) => fold.#trade(entry, entry.quantity.negated(), proceeds(entry)),
    COVER: (fold, entry) => fold.#cover(entry),
    TRANSFER_IN: (fold, entry) => fold.#transferIn(entry),
    TRANSFER_OUT: (fold, entry) => fold.#transferOut(entry),
    OPTION_EXERCISE: (fold, entry) => fold.#expire(entry),
    OPTION_EXPIRY: (fold, entry) => fold.#expire(entry),
    STAKING_REWARD: (fold, entry) => fold.#reward(entry),
    RETURN_OF_CAPITAL: (fold, entry) => fold.#returnCapital(entry),
    DEPOSIT: (fold, entry) => fold.#addMoney(entry),
    WITHDRAWAL: (fold, entry) => fold.#addMoney(entry),
    FX_CONVERSION: (fold, entry) => fold.#addMoney(entry),
    DIVIDEND: (fold, entry) => fold.#addMoney(entry),
    INTEREST: (fold, entry) => fold.#addMoney(entry),
    COUPON: (fold, entry) => fold.#addMoney(entry),
    FEE: (fold, entry) => fold.#addMoney(entry),
    TAX: (fold, entry) => fold.#addMoney(entry),
  }

  readonly matches: LotMatch[] = []
  /** Every lot that was ever opened, as it was then. */
  readonly opened: Lot[] = []
  /** By account: what a corporate action works on. */
  readonly holdings = new Map<string, MutableHolding>()
  readonly #rules: Rules

  constructor(book: Book | undefined, rules: Rules) {
    this.#rules = rules
    for (const holding of book?.values() ?? []) {
      if (holding.lots === undefined) throw new Error('a fold needs the open lots')
      this.holdings.set(holding.accountId, { ...holding, lots: [...holding.lots] })
    }
  }

  /** Applies one entry, or says why it cannot be applied and leaves the fold unusable. */
  apply(entry: LedgerEntry): FoldRefusal | undefined {
    const refusal = BookFold.#moves[entry.type](this, entry)
    if (refusal !== undefined) return refusal
    const own = this.#holding(entry)
    own.lastEffectiveAt = entry.effectiveAt
    own.transactionCount += 1
    if (transactionTypes[entry.type].isTrade) {
      own.lastTrade = { price: inBaseCurrency(entry, entry.price), at: entry.effectiveAt }
    }
    return undefined
  }

  book(): Book {
    const book = new Map<string, Holding>()
    for (const [accountId, own] of this.holdings) {
      own.lotCount = own.lots.length
      book.set(accountId, { ...own })
    }
    return book
  }

  /** `change` in units and `cash` have opposite signs: a buy brings units and takes cash. */
  #trade(entry: LedgerEntry, change: Decimal, cash: Decimal): FoldRefusal | undefined {
    const holdings = this.#closable(entry, change.isNegative())
    const available = sum(holdings.map((holding) => holding.quantity)).abs()
    const closing = available.lessThan(entry.quantity) ? available : entry.quantity
    const opening = minus(entry.quantity, closing)
    if (isAbove(opening, ZERO) && change.isNegative() && !this.#rules.allowShort) {
      return { reason: 'INSUFFICIENT_QUANTITY', entry, held: available }
    }
    const takings = this.#takeFor(entry, holdings, closing)
    if (typeof takings === 'string') return { reason: takings, entry, held: available }
    const closingCash = opening.isZero() ? cash : share(cash, closing, entry.quantity)
    this.#close(entry, takings, closingCash)
    this.#open(entry, {
      quantity: change.isNegative() ? opening.negated() : opening,
      basis: minus(closingCash, cash),
    })
    if (!change.isNegative()) this.#addCapital(entry, cash.negated())
    return undefined
  }

  #cover(entry: LedgerEntry): FoldRefusal | undefined {
    const short = sum(this.#closable(entry, false).map((holding) => holding.quantity)).abs()
    if (short.lessThan(entry.quantity)) {
      return { reason: 'INSUFFICIENT_QUANTITY', entry, held: short }
    }
    return this.#trade(entry, entry.quantity, cost(entry).negated())
  }

  /**
   * The carried lots, else one lot at the price as its cost per unit; without either the basis is unknown
   * (decision 3), and cannot cover a short position.
   */
  #transferIn(entry: LedgerEntry): FoldRefusal | undefined {
    this.#addCharges(entry)
    const [short] = this.#closable(entry, false)
    const carried = entry.terms?.carriedLots ?? []
    if (short !== undefined && (carried.length > 0 || entry.price.isZero())) {
      return { reason: 'BASIS_UNKNOWN', entry, held: short.quantity }
    }
    for (const [part, lot] of carried.entries()) {
      this.#open(entry, { ...lot, basis: inBaseCurrency(entry, lot.basis), part })
      this.#addCapital(entry, inBaseCurrency(entry, lot.basis))
    }
    if (carried.length > 0) return undefined
    if (entry.price.isZero()) {
      this.#open(entry, { quantity: entry.quantity, basis: null })
      return undefined
    }
    const basis = inBaseCurrency(entry, grossAmount(entry))
    return this.#trade(entry, entry.quantity, basis.negated())
  }

  /** No disposal: named lots, else first in, first out, leave with their basis; nothing is realised (decision 2). */
  #transferOut(entry: LedgerEntry): FoldRefusal | undefined {
    const holdings = this.#closable(entry, true)
    const held = sum(holdings.map((holding) => holding.quantity))
    if (held.lessThan(entry.quantity)) {
      return { reason: 'INSUFFICIENT_QUANTITY', entry, held }
    }
    const named = entry.terms?.lots ?? []
    const { averaged } = lotMethods[this.#rules.lotMethod]
    if (averaged) holdings.forEach(average)
    const takings =
      named.length > 0
        ? takeNamed(openLots(holdings), named)
        : take(openLots(holdings), entry.quantity)
    if (takings === undefined) return { reason: 'LOT_NOT_OPEN', entry, held }
    for (const taken of takings) {
      const holding = this.#remove(taken)
      if (taken.basis !== null) holding.capital = minus(holding.capital, taken.basis)
    }
    this.#addCharges(entry)
    return undefined
  }

  /** Units end without money: what they cost is lost, what a short one brought is kept. */
  #expire(entry: LedgerEntry): FoldRefusal | undefined {
    const long = this.#closable(entry, true).length > 0
    const holdings = this.#closable(entry, long)
    const held = sum(holdings.map((holding) => holding.quantity)).abs()
    if (held.lessThan(entry.quantity)) {
      return { reason: 'INSUFFICIENT_QUANTITY', entry, held }
    }
    const takings = this.#takeFor(entry, holdings, entry.quantity)
    if (typeof takings === 'string') return { reason: takings, entry, held }
    this.#close(entry, takings, ZERO)
    this.#addCharges(entry)
    return undefined
  }

  /** Income in kind: units come in at what they are worth, which is their cost from then on. */
  #reward(entry: LedgerEntry): FoldRefusal | undefined {
    const worth = inBaseCurrency(entry, grossAmount(entry))
    const own = this.#holding(entry)
    own.income = plus(own.income, worth)
    this.#addCharges(entry)
    return this.#trade(entry, entry.quantity, worth.negated())
  }

  /** Lowers the basis of the open lots by their units; what exceeds it is gained (decision 29). */
  #returnCapital(entry: LedgerEntry): FoldRefusal | undefined {
    const holdings = this.#closable(entry, true)
    const units = sum(holdings.map((holding) => holding.quantity))
    if (units.isZero()) return { reason: 'INSUFFICIENT_QUANTITY', entry, held: units }
    if (lotMethods[this.#rules.lotMethod].averaged) holdings.forEach(average)
    const total = inBaseCurrency(entry, grossAmount(entry))
    let left = total
    for (const holding of holdings) {
      const amount = holding === holdings.at(-1) ? left : share(total, holding.quantity, units)
      left = minus(left, amount)
      holding.realized = plus(holding.realized, lowerBasis(holding, amount))
    }
    this.#addCharges(entry)
    return undefined
  }

  /** Money that moves no units: income and charges stand by themselves, deposits and conversions only cost. */
  #addMoney(entry: LedgerEntry): undefined {
    const sumName = transactionTypes[entry.type].countsAs
    const own = this.#holding(entry)
    if (sumName !== undefined) {
      own[sumName] = plus(own[sumName], inBaseCurrency(entry, grossAmount(entry)))
    }
    this.#addCharges(entry)
  }

  /** Fee and tax where they are in no basis and no proceeds. */
  #addCharges(entry: LedgerEntry): void {
    if (entry.terms === undefined) return
    const own = this.#holding(entry)
    own.fees = plus(own.fees, inBaseCurrency(entry, entry.terms.fee))
    own.taxes = plus(own.taxes, inBaseCurrency(entry, entry.terms.tax))
  }

  #addCapital(entry: LedgerEntry, amount: Decimal): void {
    this.#holding(entry).capital = plus(this.#holding(entry).capital, amount)
  }

  /** The lots an entry closes: those it names, else by the portfolio's method. */
  #takeFor(
    entry: LedgerEntry,
    holdings: readonly MutableHolding[],
    quantity: Decimal,
  ): readonly Taken[] | 'LOTS_REQUIRED' | 'LOT_NOT_OPEN' {
    const named = entry.terms?.lots ?? []
    if (quantity.isZero()) return named.length > 0 ? 'LOT_NOT_OPEN' : []
    const method = lotMethods[this.#rules.lotMethod]
    if (method.averaged) holdings.forEach(average)
    const lots = openLots(holdings)
    if (named.length > 0) return takeNamed(lots, named) ?? 'LOT_NOT_OPEN'
    const units = sum(lots.map((lot) => lot.quantity)).abs()
    if (method.namesLots && lots.length > 1 && quantity.lessThan(units)) return 'LOTS_REQUIRED'
    return take(method.order(lots), quantity)
  }

  #close(entry: LedgerEntry, takings: readonly Taken[], cash: Decimal): void {
    const total = sum(takings.map((taken) => taken.quantity))
    let cashLeft = cash
    for (const [part, taken] of takings.entries()) {
      const last = part === takings.length - 1
      const cashShare = last ? cashLeft : share(cash, taken.quantity, total)
      cashLeft = minus(cashLeft, cashShare)
      this.#realize(entry, part, taken, cashShare)
    }
  }

  #realize(entry: LedgerEntry, part: number, taken: Taken, cash: Decimal): void {
    // Closing a short lot is the mirror image: its basis was what came in, the cash now pays for the cover.
    const short = taken.lot.quantity.isNegative()
    const received = short ? (taken.basis ?? ZERO).negated() : cash
    const basis = short ? cash.negated() : taken.basis
    const gain = basis === null ? null : minus(received, basis)
    const holding = this.#remove(taken)
    if (gain !== null) holding.realized = plus(holding.realized, gain)
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
      proceeds: received,
      gain,
      rule: this.#rules.lotMethod,
    })
  }

  #open(
    entry: LedgerEntry,
    opened: {
      readonly quantity: Decimal
      readonly basis: Decimal | null
      readonly acquiredAt?: Instant
      readonly part?: number
    },
  ): void {
    const { quantity, basis, acquiredAt = entry.effectiveAt, part = 0 } = opened
    if (quantity.isZero()) return
    const holding = this.#holding(entry)
    const lot: Lot = {
      openedSequence: entry.sequence,
      part,
      accountId: entry.accountId,
      acquiredAt,
      quantityAcquired: quantity,
      quantity,
      basis,
    }
    this.opened.push(lot)
    addLot(holding, lot)
  }

  #remove(taken: Taken): MutableHolding {
    const holding = this.holdings.get(taken.lot.accountId)
    if (holding === undefined) throw new Error('a lot left a holding that is not there')
    const signed = taken.lot.quantity.isNegative() ? taken.quantity.negated() : taken.quantity
    const index = holding.lots.indexOf(taken.lot)
    if (index === -1) throw new Error('a lot left that was not open')
    const rest = minus(taken.lot.quantity, signed)
    if (rest.isZero()) holding.lots.splice(index, 1)
    else {
      const basis = taken.lot.basis?.minus(taken.basis ?? ZERO) ?? null
      holding.lots[index] = { ...taken.lot, quantity: rest, basis }
    }
    holding.quantity = minus(holding.quantity, signed)
    if (taken.basis === null) holding.unknownQuantity = minus(holding.unknownQuantity, signed)
    else holding.basis = minus(holding.basis, taken.basis)
    return holding
  }

  /**
   * The holdings an entry can close: long ones for what leaves, short ones for a buy. By account, since the last one
   * takes the remainder of a split, whatever order they were read in.
   */
  #closable(entry: LedgerEntry, long: boolean): readonly MutableHolding[] {
    const holdings = entry.accountId === '' ? [...this.holdings.values()] : [this.#holding(entry)]
    const closable = holdings.filter(
      ({ quantity }) => !quantity.isZero() && quantity.isNegative() !== long,
    )
    if (closable.length < 2) return closable
    return closable.toSorted((left, right) => (left.accountId < right.accountId ? -1 : 1))
  }

  #holding(entry: LedgerEntry): MutableHolding {
    let holding = this.holdings.get(entry.accountId)
    if (holding === undefined) {
      holding = { ...emptyHolding(entry.instrumentId, entry.accountId), lots: [] }
      this.holdings.set(entry.accountId, holding)
    }
    return holding
  }
}
