import { createHash } from 'node:crypto'
import {
  type RecordCommand,
  recordTransactions,
  type RecordResult,
} from '../../src/app/portfolio/record-transactions.ts'
import {
  reverseTransaction,
  type ReverseCommand,
  type ReverseResult,
} from '../../src/app/portfolio/reverse-transaction.ts'
import { updatePortfolioSettings } from '../../src/app/portfolio/update-portfolio-settings.ts'
import type { UpdatePortfolioPorts } from '../../src/app/portfolio/update-portfolio.ts'
import type { LedgerPageQuery } from '../../src/app/ports.ts'
import { DEFAULT_SETTINGS, type PortfolioSettings } from '../../src/domain/portfolio/state.ts'
import type { TransactionDraft } from '../../src/domain/portfolio/transaction.ts'
import { callContext } from './store.ts'

type Options = Partial<Pick<RecordCommand, 'ifMatch' | 'validateOnly' | 'skipRecorded'>> & {
  readonly key?: string
}

function commandOf(
  { key, ifMatch, validateOnly = false }: Options,
  method: string,
  content: unknown,
) {
  const contentHash = createHash('sha256').update(JSON.stringify(content)).digest()
  return {
    ifMatch,
    validateOnly,
    key: key === undefined ? undefined : { key, method, contentHash },
  }
}

/** RecordTransactions on one replica. A key's content hash is that of the drafts. */
export function record(
  store: UpdatePortfolioPorts,
  userId: string,
  drafts: readonly TransactionDraft[],
  options: Options = {},
): Promise<RecordResult> {
  const { skipRecorded = false } = options
  const command = { userId, drafts, skipRecorded, ...commandOf(options, 'record', drafts) }
  return recordTransactions(store, command, callContext())
}

/** ReverseTransaction on one replica. */
export function reverse(
  store: UpdatePortfolioPorts,
  userId: string,
  facts: { readonly sequence: number; readonly replacement?: TransactionDraft },
  options: Options = {},
): Promise<ReverseResult> {
  const command: ReverseCommand = {
    userId,
    reason: 'a mistake',
    replacement: undefined,
    ...facts,
    ...commandOf(options, 'reverse', facts),
  }
  return reverseTransaction(store, command, callContext())
}

/** UpdatePortfolioSettings on one replica: the defaults, but for what is said. */
export function changeSettings(
  store: UpdatePortfolioPorts,
  userId: string,
  settings: Partial<PortfolioSettings>,
  options: Options = {},
) {
  const all = { ...DEFAULT_SETTINGS, ...settings }
  const { key, ifMatch } = commandOf(options, 'settings', settings)
  return updatePortfolioSettings(store, { userId, settings: all, key, ifMatch }, callContext())
}

/** Everything, as it was recorded. */
export const WHOLE_LEDGER: LedgerPageQuery = {
  order: 'RECORDED_ASC',
  size: 1_000,
  after: undefined,
  sequenceUntil: Number.MAX_SAFE_INTEGER,
  effectiveFrom: undefined,
  effectiveUntil: undefined,
  recordedUntil: undefined,
  instrumentIds: [],
  types: [],
  accountIds: [],
  externalIds: [],
  idempotencyKey: undefined,
  includeReversed: true,
}
