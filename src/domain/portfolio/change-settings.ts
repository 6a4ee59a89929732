import { PortfolioError } from '../errors.ts'
import type { Instant } from '../time.ts'
import { type DueActions, NO_ACTIONS } from '../market-data/corporate-actions.ts'
import { cashOf, foldLinked } from './linked-fold.ts'
import { changeOf, type FoldedBook, type PortfolioChange } from './portfolio-change.ts'
import { type FoldRefusal, refusalError } from './refusal.ts'
import { type PortfolioSettings, type PortfolioState, receiptTime } from './state.ts'
import type { LedgerEntry } from './transaction.ts'

/** True when the recorded transactions have to be folded again under the new settings. */
export function needsRefold(state: PortfolioState, settings: PortfolioSettings): boolean {
  const { lotMethod, allowShort } = state.settings
  const looser = settings.allowShort || !allowShort
  return state.lastSequence > 0 && (settings.lotMethod !== lotMethod || !looser)
}

/**
 * Replaces a portfolio's settings. Another lot method applies to all that was recorded; `ledger` is the whole one,
 * needed when {@link needsRefold}. Gives the reason when the recorded transactions do not allow it.
 */
export function changeSettings(
  state: PortfolioState,
  settings: PortfolioSettings,
  {
    ledger,
    now,
    due = NO_ACTIONS,
  }: {
    readonly ledger: readonly LedgerEntry[]
    readonly now: Instant
    /** Corporate actions that are in force. */
    readonly due?: DueActions
  },
): PortfolioChange | PortfolioError {
  const { baseCurrency } = state.settings
  if (state.lastSequence > 0 && settings.baseCurrency !== baseCurrency) {
    return new PortfolioError(
      'BASE_CURRENCY_FIXED',
      `the base currency is ${baseCurrency} since the first transaction`,
      {
        violations: [
          {
            field: 'settings.base_currency',
            reason: 'BASE_CURRENCY_FIXED',
            description: `is ${baseCurrency} since the first transaction`,
          },
        ],
      },
    )
  }
  const refolded = needsRefold(state, settings)
  const folded = refolded ? refold({ ...state, settings }, ledger, due) : []
  if ('reason' in folded) return refusedSettings(folded)
  return changeOf(state, [], {
    folded,
    cash: refolded ? cashOf(ledger, settings, due) : state.cash,
    settings,
    recordedAt: receiptTime(state, now),
    warnings: [],
  })
}

function refold(
  state: PortfolioState,
  ledger: readonly LedgerEntry[],
  due: DueActions,
): readonly FoldedBook[] | FoldRefusal {
  const histories = byInstrument(ledger)
  const folded = new Map<string, FoldedBook>()
  const refolding = { added: [], from: EARLIEST, isChoosing: true }
  for (const instrumentId of histories.keys()) {
    if (folded.has(instrumentId)) continue
    const linked = new Set(due.linked(instrumentId))
    const history = [...linked].flatMap((id) => histories.get(id) ?? [])
    const outcome = foldLinked(state, linked, { ...refolding, history }, due)
    if ('reason' in outcome) return outcome
    for (const book of outcome) folded.set(book.instrumentId, book)
  }
  return [...folded.values()]
}

/** No transaction of the request is to blame: it has none. */
function refusedSettings(refusal: FoldRefusal): PortfolioError {
  const { reason, message, metadata } = refusalError([refusal], [refusal.entry])
  const { index: _, ...facts } = metadata
  const description = message.replace('transactions[0]: ', '')
  return new PortfolioError(reason, `settings: ${description}`, {
    metadata: facts,
    violations: [{ field: 'settings', reason, description }],
  })
}

const EARLIEST: Instant = Number.MIN_SAFE_INTEGER

function byInstrument(ledger: readonly LedgerEntry[]): ReadonlyMap<string, readonly LedgerEntry[]> {
  const groups = new Map<string, LedgerEntry[]>()
  for (const entry of ledger) {
    const group = groups.get(entry.instrumentId)
    if (group === undefined) groups.set(entry.instrumentId, [entry])
    else group.push(entry)
  }
  return groups
}
