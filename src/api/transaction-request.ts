import { type Decimal, ONE, sum, ZERO } from '../domain/decimal.ts'
import type { Violation } from '../domain/errors.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import { isDay, isExactDay, noonOf } from '../domain/portfolio/calendar-day.ts'
import {
  type TransactionType,
  type TransactionTypeRule,
  transactionTypes,
} from '../domain/portfolio/transaction-types.ts'
import {
  type CarriedLot,
  type LotSelection,
  NO_TERMS,
  type TransactionDraft,
  type TransactionTerms,
} from '../domain/portfolio/transaction.ts'
import { isPlainText } from '../domain/text.ts'
import { FUTURE_MAX_MICROSECONDS, type Instant } from '../domain/time.ts'
import {
  type Transaction,
  TransactionType as SentType,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { FieldReader } from './field-reader.ts'
import { instantOf } from './instant.ts'
import { CURRENCY_PROBLEM, INSTANT_PROBLEM, type Problem, SYMBOL_PROBLEM } from './violations.ts'

const AMOUNT_MAX = 1e15
const ID_LENGTH_MAX = 128
const SOURCE_LENGTH_MAX = 64
const LABELS_MAX = 32
const LOTS_MAX = 1_000
const LOT_ID = /^(\d{1,15})\.(\d{1,6})$/

/** A draft that means something only when no violation was added; `field` is the message's path. */
export function readTransaction(
  sent: Transaction,
  now: Instant,
  field: string,
  violations: Violation[],
): TransactionDraft {
  const reader = new FieldReader(field, violations)
  const type = readType(sent.type)
  if (type === undefined) {
    const description = 'must be a type that can be recorded'
    reader.refuse('type', { reason: 'TYPE_UNKNOWN', description })
  }
  const rule: TransactionTypeRule = transactionTypes[type ?? 'BUY']
  const effectiveAt = sent.effectiveAt && instantOf(sent.effectiveAt, now)
  if (effectiveAt === 'out of range') reader.refuse('effective_at', INSTANT_PROBLEM)
  const amounts = readAmounts(sent, rule, reader)
  if (type === 'TRANSFER_IN' && amounts.price.isZero() && sent.lots.length > 0) {
    // Only what has a cost covers a short position's lots.
    const description = 'has no meaning without a price'
    reader.refuse('lots', { reason: 'FIELD_NOT_ALLOWED', description })
  }
  const terms = readTerms(sent, { type, now, quantity: amounts.quantity }, reader)
  return {
    type: type ?? 'BUY',
    instrumentId: readSymbol(sent, rule, reader),
    accountId: reader.text('account_id', sent.accountId, {
      lengthMax: ID_LENGTH_MAX,
      reason: 'ACCOUNT_INVALID',
    }),
    quantity: amounts.quantity,
    price: amounts.price,
    effectiveAt: effectiveAt === 'out of range' ? undefined : effectiveAt,
    terms: { ...terms, amount: amounts.amount },
  }
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(SentType).map(([name, number]) => [number, name]),
)

/** The type's name in the core, which is the contract's; undefined for those nobody can record. */
export function readType(type: number): TransactionType | undefined {
  const name = TYPE_NAMES.get(type)
  return name !== undefined && Object.hasOwn(transactionTypes, name)
    ? (name as TransactionType)
    : undefined
}

function readSymbol(sent: Transaction, rule: TransactionTypeRule, reader: FieldReader): string {
  const field = sent.symbol === '' && sent.instrumentId !== '' ? 'instrument_id' : 'symbol'
  const text = field === 'symbol' ? sent.symbol : sent.instrumentId
  if (rule.symbol === 'none') {
    reader.unused(field, text)
    return ''
  }
  if (text === '' && rule.symbol === 'optional') return ''
  const symbol = canonicalSymbol(text)
  if (symbol === undefined) reader.refuse(field, SYMBOL_PROBLEM)
  return symbol ?? ''
}

function readAmounts(
  sent: Transaction,
  rule: TransactionTypeRule,
  reader: FieldReader,
): { quantity: Decimal; price: Decimal; amount: Decimal } {
  if (!rule.movesUnits) {
    reader.unused('quantity', sent.quantity)
    reader.unused('price', sent.price)
    const amount = reader.positive('gross_amount', sent.grossAmount, 'AMOUNT_INVALID')
    return { quantity: ZERO, price: ZERO, amount }
  }
  reader.unused('gross_amount', sent.grossAmount)
  const quantity = reader.positive('quantity', sent.quantity, 'QUANTITY_INVALID')
  const price = readPrice(sent, rule, reader)
  if (quantity.times(price).greaterThan(AMOUNT_MAX)) {
    const description = 'quantity x price must be at most 1e15'
    reader.refuse('price', { reason: 'AMOUNT_INVALID', description })
  }
  return { quantity, price, amount: ZERO }
}

function readPrice(sent: Transaction, rule: TransactionTypeRule, reader: FieldReader): Decimal {
  if (rule.price === 'none') {
    reader.unused('price', sent.price)
    return ZERO
  }
  if (sent.price === '' && rule.price === 'required') {
    reader.refuse('price', {
      reason: 'PRICE_INVALID',
      description: 'must be given; "0" is a price',
    })
  }
  return reader.amount('price', sent.price, 'PRICE_INVALID') ?? ZERO
}

/** What the other fields of a transaction are read by. */
interface Facts {
  readonly type: TransactionType | undefined
  readonly quantity: Decimal
  readonly now: Instant
}

function readTerms(sent: Transaction, facts: Facts, reader: FieldReader): TransactionTerms {
  const { type, quantity } = facts
  const rate = reader.amount('fx_rate', sent.fxRate, 'FX_RATE_REQUIRED')
  if (sent.currencyCode === '') reader.unused('fx_rate', sent.fxRate)
  if (sent.splitRatio !== undefined) reader.unused('split_ratio', 'given')
  if (sent.settlementDate !== '' && !isDay(sent.settlementDate)) {
    reader.refuse('settlement_date', DAY_PROBLEM)
  }
  return {
    ...NO_TERMS,
    fee: reader.amount('fee', sent.fee, 'AMOUNT_INVALID') ?? ZERO,
    tax: reader.amount('tax', sent.tax, 'AMOUNT_INVALID') ?? ZERO,
    currency: reader.currency('currency_code', sent.currencyCode),
    // Zero = to be found out when the base currency is known.
    exchangeRate: rate ?? (sent.currencyCode === '' ? ONE : ZERO),
    ...readCounter(sent, type, reader),
    lots: readLots(sent, quantity, reader),
    ...readTransfer(sent, facts, reader),
    externalId: reader.text('external_id', sent.externalId, {
      lengthMax: ID_LENGTH_MAX,
      reason: 'EXTERNAL_ID_INVALID',
    }),
    source: reader.text('source', sent.source, {
      lengthMax: SOURCE_LENGTH_MAX,
      reason: 'EXTERNAL_ID_INVALID',
    }),
    settlementDate: sent.settlementDate,
    labels: readLabels(sent, reader),
  }
}

const DAY_PROBLEM: Problem = {
  reason: 'DATE_INVALID',
  description: 'must be a day such as 2024-02-29',
}

function readCounter(
  sent: Transaction,
  type: TransactionType | undefined,
  reader: FieldReader,
): Pick<TransactionTerms, 'counterCurrency' | 'counterAmount'> {
  if (type !== 'FX_CONVERSION') {
    reader.unused('counter_currency_code', sent.counterCurrencyCode)
    reader.unused('counter_amount', sent.counterAmount)
    return { counterCurrency: '', counterAmount: ZERO }
  }
  const counterCurrency = reader.currency('counter_currency_code', sent.counterCurrencyCode)
  if (sent.counterCurrencyCode === '') reader.refuse('counter_currency_code', CURRENCY_PROBLEM)
  const counterAmount = reader.positive('counter_amount', sent.counterAmount, 'AMOUNT_INVALID')
  return { counterCurrency, counterAmount }
}

/** Lots named add up to the quantity: what they leave open nobody has chosen. */
function readLots(
  sent: Transaction,
  quantity: Decimal,
  reader: FieldReader,
): readonly LotSelection[] {
  const lots = sent.lots.slice(0, LOTS_MAX).map((lot, index): LotSelection => {
    const match = LOT_ID.exec(lot.lotId)
    if (match === null) {
      const description = 'must be a lot_id of this service'
      reader.refuse(`lots[${index}].lot_id`, { reason: 'LOTS_INVALID', description })
    }
    return {
      lotSequence: Number(match?.[1] ?? 0),
      lotPart: Number(match?.[2] ?? 0),
      quantity: reader.positive(`lots[${index}].quantity`, lot.quantity, 'QUANTITY_INVALID'),
    }
  })
  checkTotal('lots', lots, quantity, reader)
  return lots
}

function readTransfer(
  sent: Transaction,
  { type, quantity, now }: Facts,
  reader: FieldReader,
): Partial<TransactionTerms> {
  const transfer = sent.transfer
  if (transfer === undefined) return {}
  if (type !== 'TRANSFER_IN' && type !== 'TRANSFER_OUT') {
    reader.unused('transfer', 'given')
    return {}
  }
  if (transfer.basisUnknown && (sent.price !== '' || transfer.carriedLots.length > 0)) {
    const description = 'cannot be set beside a price or carried lots'
    reader.refuse('transfer.basis_unknown', { reason: 'FIELD_NOT_ALLOWED', description })
  }
  if (type === 'TRANSFER_OUT' && transfer.carriedLots.length > 0) {
    reader.unused('transfer.carried_lots', 'given')
  }
  if (sent.price !== '' && transfer.carriedLots.length > 0) {
    const description = 'has no meaning beside carried lots'
    reader.refuse('price', { reason: 'FIELD_NOT_ALLOWED', description })
  }
  const carriedLots = transfer.carriedLots.slice(0, LOTS_MAX).map((lot, index): CarriedLot => {
    const path = `transfer.carried_lots[${index}]`
    if (!isExactDay(lot.acquiredDate)) reader.refuse(`${path}.acquired_date`, DAY_PROBLEM)
    const acquiredAt = isExactDay(lot.acquiredDate) ? noonOf(lot.acquiredDate) : 0
    if (acquiredAt > now + FUTURE_MAX_MICROSECONDS) {
      reader.refuse(`${path}.acquired_date`, INSTANT_PROBLEM)
    }
    return {
      acquiredAt,
      quantity: reader.positive(`${path}.quantity`, lot.quantity, 'QUANTITY_INVALID'),
      basis: reader.amount(`${path}.cost_basis`, lot.costBasis, 'PRICE_INVALID') ?? ZERO,
    }
  })
  checkTotal('transfer.carried_lots', carriedLots, quantity, reader)
  const id = { lengthMax: ID_LENGTH_MAX, reason: 'ACCOUNT_INVALID' } as const
  return {
    carriedLots,
    externalTransfer: transfer.external,
    counterpartyUserId: reader.text(
      'transfer.counterparty_user_id',
      transfer.counterpartyUserId,
      id,
    ),
    counterpartyAccountId: reader.text(
      'transfer.counterparty_account_id',
      transfer.counterpartyAccountId,
      id,
    ),
  }
}

function checkTotal(
  field: string,
  lots: readonly { readonly quantity: Decimal }[],
  quantity: Decimal,
  reader: FieldReader,
): void {
  if (lots.length === 0 || sum(lots.map((lot) => lot.quantity)).equals(quantity)) return
  const description = 'their quantities must add up to the quantity'
  reader.refuse(field, { reason: 'LOTS_INVALID', description })
}

function readLabels(sent: Transaction, reader: FieldReader): Readonly<Record<string, string>> {
  const labels = Object.entries(sent.labels)
  const plain = labels.every(
    ([key, value]) => isPlainText(key, ID_LENGTH_MAX) && isPlainText(value, ID_LENGTH_MAX),
  )
  if (labels.length > LABELS_MAX || !plain) {
    const description = `must be at most ${LABELS_MAX} of at most ${ID_LENGTH_MAX} plain characters`
    reader.refuse('labels', { reason: 'LABELS_INVALID', description })
  }
  return sent.labels
}
