import { type CorporateAction, paymentOf, targetOf } from '../market-data/corporate-action.ts'
import { paymentRate } from '../portfolio/action-effects.ts'

/** What an action says, as doubles; what it does not say is 0. */
export interface ActionNumbers {
  /** SPLIT: new units for one old; SPIN_OFF and MERGER: units of the target for one. */
  readonly ratio: number
  /** Money for one unit held, in `currency`; "" = the base currency of whoever holds it. */
  readonly perUnit: number
  readonly currency: string
  /** "" = none. */
  readonly targetId: string
}

/** An action concerns many holders, and turning its decimals into doubles costs more than all else it does. */
const known = new WeakMap<CorporateAction, ActionNumbers>()
const rates = new WeakMap<CorporateAction, Map<string, number>>()

export function actionNumbers(action: CorporateAction): ActionNumbers {
  let numbers = known.get(action)
  if (numbers === undefined) {
    const payment = paymentOf(action)
    numbers = {
      ratio: ratioOf(action),
      perUnit: payment?.perUnit.toNumber() ?? 0,
      currency: payment?.currency ?? '',
      targetId: targetOf(action) ?? '',
    }
    known.set(action, numbers)
  }
  return numbers
}

/** Units of the base currency for one that the action pays; 1 where it pays none, NaN where nobody knew a rate. */
export function rateOfPayment(action: CorporateAction, baseCurrency: string): number {
  let byBase = rates.get(action)
  if (byBase === undefined) {
    byBase = new Map()
    rates.set(action, byBase)
  }
  let rate = byBase.get(baseCurrency)
  if (rate === undefined) {
    const payment = paymentOf(action)
    rate = payment === undefined ? 1 : (paymentRate(payment, baseCurrency)?.toNumber() ?? NaN)
    byBase.set(baseCurrency, rate)
  }
  return rate
}

function ratioOf({ terms }: CorporateAction): number {
  if (terms.kind === 'SPLIT') return terms.numerator.toNumber() / terms.denominator.toNumber()
  return 'ratio' in terms ? terms.ratio.toNumber() : 0
}
