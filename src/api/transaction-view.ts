import type { MessageInitShape } from '@bufbuild/protobuf'
import type { MatchView } from '../app/portfolio/recorded-answer.ts'
import { decimalText } from '../domain/decimal.ts'
import { type InstrumentSource, symbolOf } from '../domain/market-data/instrument.ts'
import { dayOf, longTermOn } from '../domain/portfolio/calendar-day.ts'
import type { LedgerEntry, TransactionTerms } from '../domain/portfolio/transaction.ts'
import { NO_TERMS } from '../domain/portfolio/transaction.ts'
import {
  type LotMatchSchema,
  type TransactionSchema,
  Transaction_Status as Status,
  TransactionType as SentType,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { timestampOf } from './instant.ts'

/** What an entry is shown with: names it does not carry itself. */
export interface TransactionFacts {
  readonly reversedBy: number | undefined
  readonly baseCurrency: string
  readonly instruments: InstrumentSource | undefined
}

/** A ledger entry as the contract shows it; its id is its place in the user's log. */
export function presentTransaction(
  entry: LedgerEntry,
  { reversedBy, baseCurrency, instruments }: TransactionFacts,
): MessageInitShape<typeof TransactionSchema> {
  const terms = entry.terms ?? NO_TERMS
  const reverses = terms.reverses?.sequence
  return {
    transactionId: String(entry.sequence),
    type: SentType[entry.type],
    symbol: symbolOf(instruments, entry.instrumentId),
    instrumentId: entry.instrumentId,
    accountId: entry.accountId,
    quantity: entry.quantity.isZero() ? '' : decimalText(entry.quantity),
    price: entry.quantity.isZero() ? '' : decimalText(entry.price),
    effectiveAt: timestampOf(entry.effectiveAt),
    recordedAt: timestampOf(entry.recordedAt),
    sequence: BigInt(entry.sequence),
    status: reversedBy === undefined ? Status.ACTIVE : Status.REVERSED,
    reversesTransactionId: reverses === undefined ? '' : String(reverses),
    reversedByTransactionId: reversedBy === undefined ? '' : String(reversedBy),
    ...presentTerms(terms, baseCurrency),
    ...transferOf(entry, terms),
  }
}

function presentTerms(terms: TransactionTerms, baseCurrency: string) {
  return {
    externalId: terms.externalId,
    source: terms.source,
    grossAmount: terms.amount.isZero() ? '' : decimalText(terms.amount),
    currencyCode: terms.currency === '' ? baseCurrency : terms.currency,
    fee: terms.fee.isZero() ? '' : decimalText(terms.fee),
    tax: terms.tax.isZero() ? '' : decimalText(terms.tax),
    fxRate: decimalText(terms.exchangeRate),
    settlementDate: terms.settlementDate,
    lots: terms.lots.map((lot) => ({
      lotId: `${lot.lotSequence}.${lot.lotPart}`,
      quantity: decimalText(lot.quantity),
    })),
    labels: terms.labels,
    counterCurrencyCode:
      terms.counterAmount.isZero() || terms.counterCurrency !== ''
        ? terms.counterCurrency
        : baseCurrency,
    counterAmount: terms.counterAmount.isZero() ? '' : decimalText(terms.counterAmount),
  }
}

function transferOf({ type, price }: LedgerEntry, terms: TransactionTerms) {
  if (type !== 'TRANSFER_IN' && type !== 'TRANSFER_OUT') return {}
  const transfer = {
    external: terms.externalTransfer,
    counterpartyUserId: terms.counterpartyUserId,
    counterpartyAccountId: terms.counterpartyAccountId,
    carriedLots: terms.carriedLots.map((lot) => ({
      acquiredDate: dayOf(lot.acquiredAt, 'UTC'),
      quantity: decimalText(lot.quantity),
      costBasis: decimalText(lot.basis),
    })),
    basisUnknown: type === 'TRANSFER_IN' && price.isZero() && terms.carriedLots.length === 0,
  }
  return { transfer }
}

/** `timeZone` is the portfolio's: which day a trade falls on. */
export function presentMatch(
  match: MatchView,
  timeZone: string,
  currencyCode: string,
): MessageInitShape<typeof LotMatchSchema> {
  const acquiredDate = dayOf(match.acquiredAt, timeZone)
  return {
    lotId: match.lotId,
    quantity: match.quantity,
    acquiredDate,
    costBasis: match.basis,
    proceeds: match.proceeds,
    gain: match.gain,
    longTerm: dayOf(match.disposedAt, timeZone) >= longTermOn(acquiredDate),
    rule: match.rule,
    currencyCode,
  }
}
