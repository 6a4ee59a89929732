import { decimal, decimalText } from '../decimal.ts'
import type { TransactionTerms } from './transaction.ts'

/**
 * The canonical text of a transaction's terms: what the ledger keeps and its chain hashes. Decimals are texts, keys
 * are in a fixed order, what is empty is left out.
 */
export function termsText(terms: TransactionTerms): string {
  return JSON.stringify({
    amount: textOf(terms.amount),
    fee: textOf(terms.fee),
    tax: textOf(terms.tax),
    currency: terms.currency || undefined,
    exchangeRate: terms.exchangeRate.equals(1) ? undefined : decimalText(terms.exchangeRate),
    priceFactor: terms.priceFactor.equals(1) ? undefined : decimalText(terms.priceFactor),
    counterCurrency: terms.counterCurrency || undefined,
    counterAmount: textOf(terms.counterAmount),
    lots: listOf(
      terms.lots.map((lot) => [lot.lotSequence, lot.lotPart, decimalText(lot.quantity)]),
    ),
    carriedLots: listOf(
      terms.carriedLots.map((lot) => [
        lot.acquiredAt,
        decimalText(lot.quantity),
        decimalText(lot.basis),
      ]),
    ),
    externalId: terms.externalId || undefined,
    source: terms.source || undefined,
    settlementDate: terms.settlementDate || undefined,
    labels: listOf(Object.entries(terms.labels).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    counterpartyUserId: terms.counterpartyUserId || undefined,
    counterpartyAccountId: terms.counterpartyAccountId || undefined,
    externalTransfer: terms.externalTransfer || undefined,
    reverses: terms.reverses && [terms.reverses.sequence, terms.reverses.reason],
  } satisfies Record<keyof typeof EMPTY, unknown>)
}

type StoredTerms = Partial<typeof EMPTY>

const EMPTY = {
  amount: '0',
  fee: '0',
  tax: '0',
  currency: '',
  exchangeRate: '1',
  priceFactor: '1',
  counterCurrency: '',
  counterAmount: '0',
  lots: [] as readonly (readonly [sequence: number, part: number, quantity: string])[],
  carriedLots: [] as readonly (readonly [acquiredAt: number, quantity: string, basis: string])[],
  externalId: '',
  source: '',
  settlementDate: '',
  labels: [] as readonly (readonly [string, string])[],
  counterpartyUserId: '',
  counterpartyAccountId: '',
  externalTransfer: false,
  reverses: undefined as readonly [sequence: number, reason: string] | undefined,
}

/** The terms that {@link termsText} wrote. */
export function termsOfText(text: string): TransactionTerms {
  const { reverses, ...stored } = { ...EMPTY, ...(JSON.parse(text) as StoredTerms) }
  return {
    ...stored,
    amount: decimal(stored.amount),
    fee: decimal(stored.fee),
    tax: decimal(stored.tax),
    exchangeRate: decimal(stored.exchangeRate),
    priceFactor: decimal(stored.priceFactor),
    counterAmount: decimal(stored.counterAmount),
    lots: stored.lots.map(([lotSequence, lotPart, quantity]) => ({
      lotSequence,
      lotPart,
      quantity: decimal(quantity),
    })),
    carriedLots: stored.carriedLots.map(([acquiredAt, quantity, basis]) => ({
      acquiredAt,
      quantity: decimal(quantity),
      basis: decimal(basis),
    })),
    labels: Object.fromEntries(stored.labels),
    ...(reverses && { reverses: { sequence: reverses[0], reason: reverses[1] } }),
  }
}

function textOf(value: TransactionTerms['amount']): string | undefined {
  return value.isZero() ? undefined : decimalText(value)
}

function listOf<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items
}
