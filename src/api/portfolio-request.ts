import { decimal, type Decimal, isAbove, multiply, ZERO } from '../domain/decimal.ts'
import type { Reason, Violation } from '../domain/errors.ts'
import { canonicalSymbol } from '../domain/market-data/symbol.ts'
import type { TransactionDraft } from '../domain/portfolio/transaction.ts'
import { isPlainText } from '../domain/text.ts'
import { FUTURE_MAX_MICROSECONDS, type Instant, instantOfTimestamp } from '../domain/time.ts'
import {
  type PortfolioUpdateRequest,
  type PortfolioUpdateRequest_PortfolioTransaction as SentTransaction,
  PortfolioUpdateRequest_PortfolioTransaction_TransactionType as SentType,
} from '../../gen/portfolio/v1/portfolio_update_pb.ts'
import {
  countProblem,
  type Problem,
  readMoment,
  SYMBOL_PROBLEM,
  TIMESTAMP_PROBLEM,
} from './violations.ts'

/** Of one request. */
export const TRANSACTIONS_MAX = 1_000
const USER_ID_LENGTH_MAX = 128
/** Of a quantity, a price, and their product. */
const AMOUNT_MAX = 1e15
const GROSS_MAX = decimal(AMOUNT_MAX)
const DECIMAL_PLACES_MAX = 18

export function readUserId(userId: string, violations: Violation[]): string {
  if (userId === '') {
    const description = 'must not be empty'
    violations.push({ field: 'user_id', reason: 'USER_ID_REQUIRED', description })
  } else if (!isPlainText(userId, USER_ID_LENGTH_MAX)) {
    const description = `must be 1 to ${USER_ID_LENGTH_MAX} characters without control characters`
    violations.push({ field: 'user_id', reason: 'USER_ID_INVALID', description })
  }
  return userId
}

/** Reads all transactions; whatever is wrong with any of them is added to the violations. `now` is the receipt's time. */
export function readTransactions(
  { transactions }: PortfolioUpdateRequest,
  now: Instant,
  violations: Violation[],
): readonly TransactionDraft[] {
  const reasons = { none: 'TRANSACTIONS_REQUIRED', tooMany: 'TOO_MANY_TRANSACTIONS' } as const
  const count = { actual: transactions.length, maximum: TRANSACTIONS_MAX }
  const problem = countProblem(reasons, count)
  if (problem !== undefined) {
    violations.push({ field: 'transactions', ...problem })
    return []
  }
  return transactions.map((sent, index) => readTransaction(sent, now, index, violations))
}

/** A draft that means something only when no violation was added. */
function readTransaction(
  sent: SentTransaction,
  now: Instant,
  index: number,
  violations: Violation[],
): TransactionDraft {
  const refuse = (field: string, problem: Problem | undefined): void => {
    if (problem !== undefined) {
      violations.push({ field: `transactions[${index}].${field}`, ...problem })
    }
  }
  const instrumentId = canonicalSymbol(sent.symbol)
  if (instrumentId === undefined) refuse('symbol', SYMBOL_PROBLEM)
  refuse('type', typeProblem(sent))
  const quantity = readAmount(sent.quantity, quantityProblem(sent), (problem) =>
    refuse('quantity', problem),
  )
  const price = readAmount(sent.price, priceProblem(sent), (problem) => refuse('price', problem))
  const isPriceRead = !isTransferOut(sent)
  if (isPriceRead && isAbove(multiply(quantity, price), GROSS_MAX)) refuse('price', AMOUNT_PROBLEM)
  const effectiveAt = readMoment(readInstant(sent.timestamp, now), () =>
    refuse('timestamp', TIMESTAMP_PROBLEM),
  )
  return {
    instrumentId: instrumentId ?? '',
    accountId: '',
    type: typeOf(sent),
    quantity,
    price: isPriceRead ? price : ZERO,
    effectiveAt,
  }
}

const TYPE_PROBLEM: Problem = {
  reason: 'TYPE_UNKNOWN',
  description: 'must be BUY, SELL or TRANSFER',
}
const NOT_FINITE_PROBLEM: Problem = {
  reason: 'NOT_FINITE',
  description: 'must be a finite number',
}
const AMOUNT_PROBLEM: Problem = {
  reason: 'AMOUNT_INVALID',
  description: 'quantity x price must be at most 1e15',
}

/** The size of a double as the shortest decimal that is read as it (decision 33). */
function readAmount(
  value: number,
  problem: Problem | undefined,
  onInvalid: (problem: Problem) => void,
): Decimal {
  if (problem === undefined) return decimal(Math.abs(value))
  onInvalid(problem)
  return ZERO
}

function typeProblem({ type }: SentTransaction): Problem | undefined {
  return KNOWN_TYPES.has(type) ? undefined : TYPE_PROBLEM
}

const KNOWN_TYPES: ReadonlySet<number> = new Set([SentType.BUY, SentType.SELL, SentType.TRANSFER])

function isTrade({ type }: SentTransaction): boolean {
  return type === SentType.BUY || type === SentType.SELL
}

/** A transfer's direction is the sign of its quantity (decision 1). */
function isTransferOut(sent: SentTransaction): boolean {
  return !isTrade(sent) && sent.quantity < 0
}

function typeOf(sent: SentTransaction): TransactionDraft['type'] {
  if (sent.type === SentType.BUY) return 'BUY'
  if (sent.type === SentType.SELL) return 'SELL'
  return isTransferOut(sent) ? 'TRANSFER_OUT' : 'TRANSFER_IN'
}

function quantityProblem(sent: SentTransaction): Problem | undefined {
  const { quantity } = sent
  if (!Number.isFinite(quantity)) return NOT_FINITE_PROBLEM
  const reason = 'QUANTITY_INVALID'
  if (isTrade(sent) && quantity <= 0) return { reason, description: 'must be greater than 0' }
  if (quantity === 0) return { reason, description: 'must not be 0' }
  return sizeProblem(quantity, reason)
}

/** Of a transfer out the price is not read, but no request carries a number that is none. */
function priceProblem(sent: SentTransaction): Problem | undefined {
  const { price } = sent
  if (!Number.isFinite(price)) return NOT_FINITE_PROBLEM
  if (isTransferOut(sent)) return undefined
  const reason = 'PRICE_INVALID'
  if (isTrade(sent) && price <= 0) return { reason, description: 'must be greater than 0' }
  if (price < 0) return { reason, description: 'must not be negative' }
  return sizeProblem(price, reason)
}

function sizeProblem(value: number, reason: Reason): Problem | undefined {
  if (Math.abs(value) > AMOUNT_MAX) return { reason, description: 'must be at most 1e15' }
  if (Number.isInteger(value) || decimal(value).decimalPlaces() <= DECIMAL_PLACES_MAX) {
    return undefined
  }
  const description = `must have at most ${DECIMAL_PLACES_MAX} decimals`
  return { reason: 'PRECISION_EXCEEDED', description }
}

/** The instant of the specification's int64; undefined for 0, which is the moment of receipt (decision 14). */
export function readInstant(timestamp: bigint, now: Instant): Instant | undefined | 'out of range' {
  if (timestamp === 0n) return undefined
  const instant = instantOfTimestamp(timestamp)
  const isInRange = instant !== undefined && instant <= now + FUTURE_MAX_MICROSECONDS
  return isInRange ? instant : 'out of range'
}
