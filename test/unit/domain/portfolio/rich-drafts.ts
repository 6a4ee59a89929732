import { decimal, decimalText, type Decimal } from '../../../../src/domain/decimal.ts'
import {
  type TransactionType,
  transactionTypes,
} from '../../../../src/domain/portfolio/transaction-types.ts'
import {
  type LedgerEntry,
  NO_TERMS,
  type TransactionDraft,
  type TransactionTerms,
} from '../../../../src/domain/portfolio/transaction.ts'
import type { PortfolioChange } from '../../../../src/domain/portfolio/portfolio-change.ts'
import { at, type Scenario } from './scenario.ts'
import { plain } from './stored-rows.ts'

const DECIMAL_TERMS = ['amount', 'fee', 'tax', 'exchangeRate', 'counterAmount'] as const
type DecimalTerm = (typeof DECIMAL_TERMS)[number]

interface Facts
  extends
    Partial<Omit<TransactionTerms, DecimalTerm | 'lots' | 'carriedLots'>>,
    Partial<Record<DecimalTerm, string>> {
  readonly quantity?: string
  readonly price?: string
  /** Undefined = ACME where the type has an instrument. */
  readonly instrumentId?: string
  readonly accountId?: string
  /** "sequence.part" and units. */
  readonly lots?: readonly (readonly [lotId: string, quantity: string])[]
  /** Seconds of {@link at}, units, cost of all of them. */
  readonly carriedLots?: readonly (readonly [seconds: number, quantity: string, basis: string])[]
}

/** A rich transaction; decimals as texts, what is left out is nothing. */
export function rich(type: TransactionType, seconds: number, facts: Facts = {}): TransactionDraft {
  const { quantity = '0', price = '0', instrumentId, accountId = '', ...rest } = facts
  const { lots = [], carriedLots = [], ...terms } = rest
  const decimals: Partial<Record<DecimalTerm, Decimal>> = {}
  for (const name of DECIMAL_TERMS) {
    const text = terms[name]
    if (text !== undefined) decimals[name] = decimal(text)
  }
  return {
    type,
    instrumentId: instrumentId ?? (transactionTypes[type].symbol === 'required' ? 'ACME' : ''),
    accountId,
    quantity: decimal(quantity),
    price: decimal(price),
    effectiveAt: at(seconds),
    terms: {
      ...NO_TERMS,
      ...terms,
      ...(decimals as Record<DecimalTerm, Decimal>),
      lots: lots.map(([lotId, units]) => {
        const [lotSequence = 0, lotPart = 0] = lotId.split('.').map(Number)
        return { lotSequence, lotPart, quantity: decimal(units) }
      }),
      carriedLots: carriedLots.map(([acquired, units, basis]) => ({
        acquiredAt: at(acquired),
        quantity: decimal(units),
        basis: decimal(basis),
      })),
    },
  }
}

/** What takes an entry back, as the use case drafts it. */
export function reversalOf(entry: LedgerEntry, reason = 'a mistake'): TransactionDraft {
  const { type, instrumentId, accountId, quantity, price, effectiveAt, sequence } = entry
  return {
    type,
    instrumentId,
    accountId,
    quantity,
    price,
    effectiveAt,
    terms: { ...NO_TERMS, reverses: { sequence, reason } },
  }
}

/** The sums of a holding, as texts. */
export function sums(scenario: Scenario, accountId = '', instrumentId = 'ACME') {
  const { quantity, basis, realized, income, fees, taxes, capital } = scenario.holding(
    accountId,
    instrumentId,
  )
  return plain({ quantity, basis, realized, income, fees, taxes, capital })
}

/** The lots a change took: id, units, basis, proceeds, gain. */
export function matched({ matches }: PortfolioChange): unknown {
  return matches.map(({ match }) => [
    `${match.lotSequence}.${match.lotPart}`,
    decimalText(match.quantity),
    plain(match.basis),
    decimalText(match.proceeds),
    plain(match.gain),
  ])
}
