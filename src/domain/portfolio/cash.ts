import { type Decimal, plus, ZERO } from '../decimal.ts'
import type { Instant } from '../time.ts'
import { cashEffects } from './amounts.ts'
import type { LedgerEntry } from './transaction.ts'

/** Money that an action paid to a portfolio. */
export interface ActionPayment {
  readonly at: Instant
  /** Empty = the base currency. */
  readonly currency: string
  /** < 0 is owed for units sold short. */
  readonly amount: Decimal
}

/** Money kept beside the holdings: decision 31. */
export interface Cash {
  /** The first deposit or withdrawal; undefined = cash is not tracked, and every trade is paid from outside. */
  readonly since: Instant | undefined
  /** By currency code; "" = the base currency. Negative = owed. */
  readonly balances: ReadonlyMap<string, Decimal>
}

export const NO_CASH: Cash = { since: undefined, balances: new Map() }

/** Cash after all of `entries`: whole ledgers only, reversed entries left out. */
export function foldCash(entries: readonly LedgerEntry[]): Cash {
  return addCash({ since: firstFlow(entries), balances: new Map() }, entries)
}

/**
 * Cash after entries that were added to a ledger whose latest entry is of `lastAt()`; undefined when only the whole
 * ledger can tell, because the tracking begins earlier than what is recorded.
 */
export function extendCash(
  cash: Cash,
  added: readonly LedgerEntry[],
  lastAt: () => Instant,
): Cash | undefined {
  const flow = firstFlow(added)
  if (flow === undefined) return addCash(cash, added)
  const known = cash.since ?? lastAt() + 1
  if (flow < known) return undefined
  return addCash({ ...cash, since: cash.since ?? flow }, added)
}

/** Cash with what corporate actions paid since it is tracked, on the ex-date, as their income is counted then. */
export function addPayments(cash: Cash, payments: readonly ActionPayment[]): Cash {
  const { since } = cash
  if (since === undefined || payments.length === 0) return cash
  const balances = new Map(cash.balances)
  for (const { at, currency, amount } of payments) {
    if (at < since) continue
    balances.set(currency, plus(balances.get(currency) ?? ZERO, amount))
  }
  return { since, balances }
}

export function firstFlow(entries: readonly LedgerEntry[]): Instant | undefined {
  let first: Instant | undefined
  for (const { type, effectiveAt } of entries) {
    if (type !== 'DEPOSIT' && type !== 'WITHDRAWAL') continue
    first = Math.min(first ?? effectiveAt, effectiveAt)
  }
  return first
}

function addCash(cash: Cash, entries: readonly LedgerEntry[]): Cash {
  const { since } = cash
  if (since === undefined) return cash
  const balances = new Map(cash.balances)
  for (const entry of entries) {
    if (entry.effectiveAt < since) continue
    for (const { currency, amount } of cashEffects(entry)) {
      if (amount.isZero()) continue
      balances.set(currency, plus(balances.get(currency) ?? ZERO, amount))
    }
  }
  return { since, balances }
}
