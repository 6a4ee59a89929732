import { type Decimal, multiply, share, ZERO } from '../src/domain/decimal.ts'
import type { Instant } from '../src/domain/time.ts'

export interface PlainTrade {
  readonly sequence: number
  readonly symbol: string
  readonly type: 'BUY' | 'SELL'
  readonly quantity: Decimal
  readonly price: Decimal
  readonly effectiveAt: Instant
}

/** A row of `holding`, changed in place while a request is applied. */
export interface PlainHolding {
  readonly symbol: string
  quantity: Decimal
  basis: Decimal
  realized: Decimal
  capital: Decimal
  lotCount: number
  lastTradePrice: Decimal
  lastEffectiveAt: Instant
  transactionCount: number
  changed: boolean
}

/** A row of `lot`, changed in place; `acquiredAt` is the database's text, which goes back as it came. */
export interface PlainLot {
  readonly symbol: string
  readonly openedSequence: number
  readonly part: number
  readonly acquiredAt: string
  readonly quantityAcquired: Decimal
  quantity: Decimal
  basis: Decimal
  state: 'unchanged' | 'changed' | 'new'
}

export interface PlainMatch {
  readonly trade: PlainTrade
  readonly part: number
  readonly lot: PlainLot
  readonly quantity: Decimal
  readonly basis: Decimal
  readonly proceeds: Decimal
}

/** A sale of more than is held, or of what is not held. */
export class InsufficientQuantity extends Error {
  override readonly name = 'InsufficientQuantity'
}

export function newHolding(symbol: string): PlainHolding {
  return {
    symbol,
    quantity: ZERO,
    basis: ZERO,
    realized: ZERO,
    capital: ZERO,
    lotCount: 0,
    lastTradePrice: ZERO,
    lastEffectiveAt: Number.MIN_SAFE_INTEGER,
    transactionCount: 0,
    changed: false,
  }
}

export function buy(holding: PlainHolding, trade: PlainTrade, acquiredAt: string): PlainLot {
  const cost = multiply(trade.quantity, trade.price)
  holding.quantity = holding.quantity.plus(trade.quantity)
  holding.basis = holding.basis.plus(cost)
  holding.capital = holding.capital.plus(cost)
  holding.lotCount += 1
  traded(holding, trade)
  return {
    symbol: trade.symbol,
    openedSequence: trade.sequence,
    part: 0,
    acquiredAt,
    quantityAcquired: trade.quantity,
    quantity: trade.quantity,
    basis: cost,
    state: 'new',
  }
}

/** Takes the oldest of `lots` first; a lot that is used up stays in the list with a quantity of zero. */
export function sell(
  holding: PlainHolding,
  trade: PlainTrade,
  lots: readonly PlainLot[],
): PlainMatch[] {
  if (holding.quantity.lessThan(trade.quantity)) throw new InsufficientQuantity(trade.symbol)
  const cash = multiply(trade.quantity, trade.price)
  const matches: PlainMatch[] = []
  let missing = trade.quantity
  let cashLeft = cash
  for (const lot of lots) {
    if (missing.isZero()) break
    if (lot.quantity.isZero()) continue
    const whole = lot.quantity.lessThanOrEqualTo(missing)
    const quantity = whole ? lot.quantity : missing
    const basis = whole ? lot.basis : share(lot.basis, quantity, lot.quantity)
    missing = missing.minus(quantity)
    const proceeds = missing.isZero() ? cashLeft : share(cash, quantity, trade.quantity)
    cashLeft = cashLeft.minus(proceeds)
    matches.push({ trade, part: matches.length, lot, quantity, basis, proceeds })
    lot.quantity = lot.quantity.minus(quantity)
    lot.basis = lot.basis.minus(basis)
    if (lot.state === 'unchanged') lot.state = 'changed'
    if (whole) holding.lotCount -= 1
    holding.quantity = holding.quantity.minus(quantity)
    holding.basis = holding.basis.minus(basis)
    holding.realized = holding.realized.plus(proceeds.minus(basis))
  }
  if (!missing.isZero()) throw new Error('the lots do not hold what the holding says')
  traded(holding, trade)
  return matches
}

function traded(holding: PlainHolding, trade: PlainTrade): void {
  holding.lastTradePrice = trade.price
  holding.lastEffectiveAt = trade.effectiveAt
  holding.transactionCount += 1
  holding.changed = true
}
