import { PortfolioError } from '../../domain/errors.ts'
import {
  type LedgerEntry,
  NO_TERMS,
  type TransactionDraft,
} from '../../domain/portfolio/transaction.ts'
import type { CallContext } from '../ports.ts'
import { type RecordCommand, recordTransactions, type RecordResult } from './record-transactions.ts'

export interface ReverseCommand extends Pick<
  RecordCommand,
  'userId' | 'key' | 'ifMatch' | 'validateOnly'
> {
  /** The transaction to take back. */
  readonly sequence: number
  readonly reason: string
  /** Undefined = cancel; else what takes its place. */
  readonly replacement: TransactionDraft | undefined
}

export interface ReverseResult extends RecordResult {
  /** The reversal, then the replacement; none in a dry run. */
  readonly written: readonly LedgerEntry[]
}

/**
 * Takes a transaction back by a new record that points at it, with or without one in its place; nothing is edited.
 * @throws PortfolioError TRANSACTION_NOT_FOUND, ALREADY_REVERSED, or what the rest of the ledger does not allow.
 */
export async function reverseTransaction(
  ports: Parameters<typeof recordTransactions>[0],
  command: ReverseCommand,
  call: CallContext,
): Promise<ReverseResult> {
  const { userId, sequence, reason, replacement, ...rest } = command
  // An entry never changes, so it may be read before the lock; whether it is reversed is decided under it.
  const [reversed] = await ports.portfolios.ledger(userId, { sequence })
  if (reversed === undefined) {
    throw new PortfolioError('TRANSACTION_NOT_FOUND', 'there is no such transaction to reverse')
  }
  const reversal: TransactionDraft = {
    type: reversed.type,
    instrumentId: reversed.instrumentId,
    accountId: reversed.accountId,
    quantity: reversed.quantity,
    price: reversed.price,
    effectiveAt: reversed.effectiveAt,
    terms: { ...NO_TERMS, reverses: { sequence, reason } },
  }
  const drafts = replacement === undefined ? [reversal] : [reversal, replacement]
  const result = await recordTransactions(
    ports,
    { ...rest, userId, drafts, reverses: sequence, skipRecorded: false },
    call,
  ).catch((error: unknown) => {
    throw error instanceof PortfolioError ? inOwnFields(error) : error
  })
  const sequences = result.answer.outcomes.map((outcome) => outcome.sequence)
  const written = await Promise.all(
    sequences.map((own) => ports.portfolios.ledger(userId, { sequence: own })),
  )
  return { ...result, written: written.flat() }
}

/** The request has no transactions: its first is the one it takes back, its second the replacement. */
function inOwnFields(error: PortfolioError): PortfolioError {
  const violations = error.violations.map(({ field, reason, description }) => ({
    field: ownField(field),
    reason,
    description,
  }))
  return new PortfolioError(error.reason, ownField(error.message), {
    metadata: error.metadata,
    violations,
    cause: error.cause,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  })
}

function ownField(text: string): string {
  return text
    .replace(/^transactions\[0\]/, 'transaction_id')
    .replace(/^transactions\[1\]/, 'replacement')
}
