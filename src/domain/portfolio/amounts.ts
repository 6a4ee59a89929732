import { convert } from '../market-data/quote.ts'
import { type Decimal, minus, multiply, ONE, plus, ZERO } from '../decimal.ts'
import type { LedgerEntry } from './transaction.ts'
import { transactionTypes } from './transaction-types.ts'

type Entry = Pick<LedgerEntry, 'type' | 'quantity' | 'price' | 'terms'>

/** Money of an entry in its own currency, before fee and tax: units x price, or the amount where no units move. */
export function grossAmount({ quantity, price, terms }: Entry): Decimal {
  if (terms === undefined) return multiply(quantity, price)
  if (quantity.isZero()) return terms.amount
  const { priceFactor } = terms
  return multiply(quantity, priceFactor.equals(ONE) ? price : multiply(price, priceFactor))
}

/** Fee and tax of an entry in its own currency. */
function charges({ terms }: Entry): Decimal {
  return terms === undefined ? ZERO : plus(terms.fee, terms.tax)
}

/** An amount of an entry in the base currency, at the rate of its day. */
export function inBaseCurrency({ terms }: Entry, amount: Decimal): Decimal {
  return convert(amount, terms?.exchangeRate ?? ONE)
}

interface CashEffect {
  /** Empty = the base currency. */
  readonly currency: string
  /** > 0 comes in. */
  readonly amount: Decimal
}

/** What an entry does to tracked cash: decision 31. */
export function cashEffects(entry: Entry): readonly CashEffect[] {
  const moved = grossAmount(entry).times(transactionTypes[entry.type].cash)
  const own = { currency: entry.terms?.currency ?? '', amount: minus(moved, charges(entry)) }
  if (entry.type !== 'FX_CONVERSION' || entry.terms === undefined) return [own]
  return [own, { currency: entry.terms.counterCurrency, amount: entry.terms.counterAmount }]
}

/** What an acquisition costs in the base currency, charges included (decision 30). */
export function cost(entry: Entry): Decimal {
  return inBaseCurrency(entry, plus(grossAmount(entry), charges(entry)))
}

/** What a disposal brings in the base currency, after charges (decision 30). */
export function proceeds(entry: Entry): Decimal {
  return inBaseCurrency(entry, minus(grossAmount(entry), charges(entry)))
}
