import { type Decimal, minus, multiply, ONE, plus, share, sum, ZERO } from '../decimal.ts'
import {
  type ActionTerms,
  type CorporateAction,
  type Payment,
  paymentOf,
  targetOf,
} from '../market-data/corporate-action.ts'
import { exchangeRate } from '../market-data/quote.ts'
import type { ActionPayment } from './cash.ts'
import type { BookFold } from './book-fold.ts'
import { emptyHolding, type Lot } from './holding.ts'
import { addLot, type MutableHolding } from './lot-taking.ts'

/** What an action works on: an instrument's fold, and that of whatever its units pass to. */
export interface ActionScope {
  readonly source: BookFold
  readonly foldOf: (instrumentId: string) => BookFold
  readonly baseCurrency: string
  readonly lotMethod: string
}

/** Quantities keep to what a transaction can name, so that what a split left can be sold to the last unit. */
const QUANTITY_DECIMALS_MAX = 18

type Rule<Kind extends ActionTerms['kind']> = (
  holding: MutableHolding,
  terms: Extract<ActionTerms, { readonly kind: Kind }>,
  context: ActionScope & { readonly action: CorporateAction; readonly rate: Decimal },
) => void

const RULES: { readonly [Kind in ActionTerms['kind']]: Rule<Kind> } = {
  SPLIT: (holding, { numerator, denominator }) => {
    replaceLots(holding, rescaled(holding.lots, numerator, denominator))
    if (holding.lastTrade === undefined) return
    const { price, at } = holding.lastTrade
    holding.lastTrade = { price: share(price, denominator, numerator), at }
  },
  SYMBOL_CHANGE: () => undefined,
  SPIN_OFF: spinOff,
  MERGER: merge,
  CASH_DIVIDEND: (holding, { payment, returnOfCapital }, { rate }) => {
    if (returnOfCapital) return lowerByUnit(holding, multiply(payment.perUnit, rate))
    const amount = multiply(multiply(holding.quantity, payment.perUnit), rate)
    holding.income = plus(holding.income, amount)
  },
}

/**
 * Lets an action work on every holding of its instrument, and tells what it paid (decisions 28 and 29). Where nobody
 * knew a rate its worth is unknown and nothing is guessed: a dividend is money in its own currency then and no income,
 * a merger does not work at all, and the holding says so.
 */
export function applyAction(action: CorporateAction, scope: ActionScope): readonly ActionPayment[] {
  const payment = paymentOf(action)
  const rate = rateOf(action, scope.baseCurrency)
  const isPaid = rate !== undefined || action.terms.kind === 'CASH_DIVIDEND'
  const rule: Rule<ActionTerms['kind']> = RULES[action.terms.kind] as never
  const payments: ActionPayment[] = []
  const holdings = [...scope.source.holdings.values()].toSorted((left, right) =>
    left.accountId < right.accountId ? -1 : 1,
  )
  for (const holding of holdings) {
    if (payment !== undefined && isPaid && !holding.quantity.isZero()) {
      const { currency, perUnit } = payment
      const ownCurrency = currency === scope.baseCurrency ? '' : currency
      const amount = multiply(holding.quantity, perUnit)
      payments.push({ at: action.effectiveAt, currency: ownCurrency, amount })
    }
    if (rate !== undefined) rule(holding, action.terms, { ...scope, action, rate })
    else if (!holding.quantity.isZero()) holding.actionEpoch = LEFT_OUT
  }
  return payments
}

/** Of a holding whose count of actions is not told yet. */
const LEFT_OUT = -1

/** True where no rate to the base currency was known for what an action pays. */
export function isUnrated(action: CorporateAction, baseCurrency: string): boolean {
  return rateOf(action, baseCurrency) === undefined
}

/** Units of a currency for one of what an action pays; 1 where it pays nothing, undefined when nobody knew. */
export function rateOf(action: CorporateAction, baseCurrency: string): Decimal | undefined {
  const payment = paymentOf(action)
  return payment === undefined ? ONE : paymentRate(payment, baseCurrency)
}

function spinOff(...[holding, terms, { foldOf }]: Parameters<Rule<'SPIN_OFF'>>): void {
  const target = foldOf(terms.newInstrumentId)
  const received = rescaled(holding.lots, terms.ratio, ONE)
  const kept = holding.lots.map((lot, place): Lot => {
    const moved = lot.basis && multiply(lot.basis, terms.basisFraction)
    const own = received[place]
    if (own !== undefined) receive(target, terms.newInstrumentId, { ...own, basis: moved })
    return { ...lot, basis: lot.basis && minus(lot.basis, moved ?? ZERO) }
  })
  replaceLots(holding, kept)
}

/**
 * For cash alone it is a sale. For units the basis goes along; cash beside them takes off the basis first, and what
 * exceeds it is realised: without a price of the new units nothing says how else to divide the basis.
 */
function merge(...[holding, terms, context]: Parameters<Rule<'MERGER'>>): void {
  const target = targetOf(context.action)
  const perUnit = terms.cash === undefined ? ZERO : multiply(terms.cash.perUnit, context.rate)
  if (target === undefined) {
    sellOut(holding, perUnit, context)
    return
  }
  lowerByUnit(holding, perUnit)
  const fold = context.foldOf(target)
  for (const lot of rescaled(holding.lots, terms.ratio, ONE)) receive(fold, target, lot)
  replaceLots(holding, [])
}

function sellOut(
  holding: MutableHolding,
  perUnit: Decimal,
  { source, action, lotMethod }: Parameters<Rule<'MERGER'>>[2],
): void {
  for (const lot of holding.lots) {
    const cash = multiply(lot.quantity, perUnit)
    // A short lot is covered: its basis is what it brought.
    const [proceeds, basis] = lot.quantity.isNegative()
      ? [lot.basis?.negated() ?? ZERO, cash.negated()]
      : [cash, lot.basis]
    const gain = basis === null || lot.basis === null ? null : minus(proceeds, basis)
    if (gain !== null) holding.realized = plus(holding.realized, gain)
    const part = source.matches.filter(
      ({ disposalSequence }) => disposalSequence === -action.actionId,
    ).length
    source.matches.push({
      // No entry of the ledger disposed of it: the action's own number, on the other side of zero.
      disposalSequence: -action.actionId,
      part,
      disposedAt: action.effectiveAt,
      lotSequence: lot.openedSequence,
      lotPart: lot.part,
      accountId: lot.accountId,
      acquiredAt: lot.acquiredAt,
      quantity: lot.quantity.abs(),
      basis: gain === null ? null : basis,
      proceeds,
      gain,
      rule: lotMethod,
    })
  }
  replaceLots(holding, [])
}

/**
 * Takes over a lot of another instrument, with its date. Its id is the one it had, but for its part where two lots of
 * one purchase meet again.
 */
function receive(fold: BookFold, instrumentId: string, lot: Lot): void {
  const { accountId } = lot
  const holding = fold.holdings.get(accountId) ?? {
    ...emptyHolding(instrumentId, accountId),
    lots: [],
  }
  // Of the open ones alone: what was closed before a snapshot is not known after it.
  const siblings = holding.lots.filter((other) => other.openedSequence === lot.openedSequence)
  let { part } = lot
  while (siblings.some((other) => other.part === part)) part += 1
  fold.holdings.set(accountId, holding)
  const received = { ...lot, part }
  fold.opened.push(received)
  addLot(holding, received)
}

/** Takes money per unit off each lot's basis; what exceeds it is realised. Of a short lot both are negative. */
function lowerByUnit(holding: MutableHolding, perUnit: Decimal): void {
  if (perUnit.isZero()) return
  const lowered = holding.lots.map((lot): Lot => {
    if (lot.basis === null) return lot
    const part = multiply(lot.quantity, perUnit)
    const taken = part.abs().lessThan(lot.basis.abs()) ? part : lot.basis
    holding.realized = plus(holding.realized, minus(part, taken))
    return { ...lot, basis: minus(lot.basis, taken) }
  })
  replaceLots(holding, lowered)
}

function replaceLots(holding: MutableHolding, lots: Lot[]): void {
  holding.lots = lots
  holding.quantity = sum(lots.map(({ quantity }) => quantity))
  holding.unknownQuantity = sum(
    lots.map(({ quantity, basis }) => (basis === null ? quantity : ZERO)),
  )
  holding.basis = sum(lots.map(({ basis }) => basis ?? ZERO))
}

/** Lots with their units x numerator / denominator: the sum is rounded once, and the last lot takes the remainder. */
function rescaled(lots: readonly Lot[], numerator: Decimal, denominator: Decimal): Lot[] {
  const scale = (units: Decimal): Decimal => rounded(share(units, numerator, denominator))
  const quantities = lots.map(({ quantity }) => scale(quantity))
  const whole = scale(sum(lots.map(({ quantity }) => quantity)))
  const remainder = minus(whole, sum(quantities.slice(0, -1)))
  const last = quantities.at(-1)
  // The remainder of rounding many crumbs may be none at all: then each keeps its own.
  if (last !== undefined && !remainder.isZero() && remainder.s === last.s) {
    quantities[quantities.length - 1] = remainder
  }
  return lots.map((lot, place): Lot => {
    const quantity = quantities[place] ?? ZERO
    const acquired = lot.quantityAcquired.equals(lot.quantity)
      ? quantity
      : scale(lot.quantityAcquired)
    const quantityAcquired = acquired.abs().lessThan(quantity.abs()) ? quantity : acquired
    return { ...lot, quantity, quantityAcquired }
  })
}

/** Never to nothing: what is held stays held. */
function rounded(units: Decimal): Decimal {
  if (units.decimalPlaces() <= QUANTITY_DECIMALS_MAX) return units
  const shorter = units.toDecimalPlaces(QUANTITY_DECIMALS_MAX)
  return shorter.isZero() ? units : shorter
}

/** Units of the base currency for one of a payment's; undefined when nobody knew a rate. */
export function paymentRate(
  { currency, rates }: Payment,
  baseCurrency: string,
): Decimal | undefined {
  if (currency === '') return ONE
  const source = {
    latest: (pair: string) => {
      const price = rates[pair]
      return price && rateQuote(pair, price)
    },
  }
  return exchangeRate(source, currency, baseCurrency)?.rate
}

function rateQuote(instrumentId: string, price: Decimal) {
  const facts = { currency: '', pricedAt: 0, source: '', kind: 'FX', splitAdjusted: false } as const
  return { ...facts, instrumentId, price }
}
