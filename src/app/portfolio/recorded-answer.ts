import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import { type Detail, detailOf } from '../../domain/portfolio/detail.ts'
import type { WarningReason } from '../../domain/portfolio/portfolio-change.ts'
import { historyOf, NO_HISTORIES } from '../../domain/portfolio/record-transactions.ts'
import { etagOf, type PortfolioState } from '../../domain/portfolio/state.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import { valuePortfolio } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import type { Decision, LockedState } from '../ports.ts'
import { ledgersForEffects, writtenEffects } from './currency-effects.ts'

export interface RecordedOutcome {
  /** Position in the user's log; 0 in a dry run. */
  readonly sequence: number
  readonly disposition: 'APPLIED' | 'REPLAYED' | 'VALIDATED'
  readonly matches: readonly MatchView[]
  readonly warnings: readonly WarningReason[]
}

/** A lot match as plain data. */
export interface MatchView {
  readonly lotId: string
  readonly quantity: string
  readonly acquiredAt: Instant
  /** Empty = unknown. */
  readonly basis: string
  readonly proceeds: string
  readonly gain: string
  readonly rule: string
  readonly disposedAt: Instant
}

export interface RecordAnswer {
  readonly detail: Detail
  readonly version: number
  readonly etag: string
  readonly baseCurrency: string
  readonly timeZone: string
  readonly computedAt: Instant
  readonly outcomes: readonly RecordedOutcome[]
}

/** What was decided, before it is valued. */
export interface Recorded {
  /** What the answer shows. */
  readonly state: PortfolioState
  /** What its etag and its version are of. */
  readonly named: PortfolioState
  /** What was added to the ledger for it. */
  readonly entries: readonly LedgerEntry[]
  readonly now: Instant
  readonly outcomes: readonly RecordedOutcome[]
}

interface DetailContext {
  readonly quotes: QuoteSource
  readonly due: DueActions
  readonly locked: LockedState
}

/**
 * The decision with the portfolio in its answer. What exchange rates made of its result is told by ledgers, which are
 * read together with those that the decision itself needs; where they are long, it is not told.
 */
export function withDetail(
  decision: Decision<Recorded>,
  context: DetailContext,
): Decision<RecordAnswer> {
  if (decision.kind === 'refuse') return decision
  const { quotes, due, locked } = context
  const isFirstLook = locked.histories === NO_HISTORIES
  const told = isFirstLook ? ledgersForEffects(locked.state, quotes, due) : []
  if (decision.kind === 'needs-history' || told.length > 0) {
    const { instrumentIds, wholeLedger } =
      decision.kind === 'needs-history' ? decision : { instrumentIds: [], wholeLedger: false }
    const all = [...new Set([...instrumentIds, ...told])]
    return { kind: 'needs-history', instrumentIds: all, wholeLedger }
  }
  const answer = answerOf(decision.answer, detailAfter(decision.answer, context))
  return { ...decision, answer }
}

function detailAfter(
  { state, entries, now }: Recorded,
  { quotes, due, locked }: DetailContext,
): Detail {
  const valuation = valuePortfolio(state, quotes, now)
  const ledgerOf = (instrumentId: string): readonly LedgerEntry[] | undefined => {
    const added = entries.filter((entry) => entry.instrumentId === instrumentId)
    if (!locked.state.books.has(instrumentId)) return added
    const history = historyOf(instrumentId, locked.histories)
    return history && [...history, ...added]
  }
  return detailOf(valuation, writtenEffects(state, valuation, { quotes, due, ledgerOf }))
}

export function answerOf(
  { named, now, outcomes }: Pick<Recorded, 'named' | 'now' | 'outcomes'>,
  detail: Detail,
): RecordAnswer {
  return {
    detail,
    version: named.version,
    etag: etagOf(named),
    baseCurrency: named.settings.baseCurrency,
    timeZone: named.settings.timeZone,
    computedAt: now,
    outcomes,
  }
}
