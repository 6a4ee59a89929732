import type { CorporateActions, DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import {
  isRefusal,
  markedLeftOut,
  withFittingActions,
} from '../../domain/portfolio/fitting-actions.ts'
import { foldLedger } from '../../domain/portfolio/fold-ledger.ts'
import {
  foldPast,
  type PastFold,
  rulesOfThePast,
  type Snapshot,
} from '../../domain/portfolio/past-fold.ts'
import { notFoldable } from '../../domain/portfolio/refusal.ts'
import { DEFAULT_SETTINGS, etagOf, type PortfolioState } from '../../domain/portfolio/state.ts'
import type { LedgerEntry } from '../../domain/portfolio/transaction.ts'
import type { Instant } from '../../domain/time.ts'
import { dueActions, knownActions } from '../market-data/due-actions.ts'
import { quotesAsOf } from '../market-data/past-quotes.ts'
import type { CallContext, PortfolioStore, QuoteStore } from '../ports.ts'

interface PastPorts {
  readonly portfolios: PortfolioStore
  readonly quoteStore: QuoteStore
  readonly quotes: Pick<QuoteSource, 'instruments' | 'actions'>
}

/** A state that was, with the prices that were known. */
export interface PastState {
  readonly state: PortfolioState
  readonly quotes: QuoteSource
}

/** The state that a version left, with the prices of the moment it was recorded. */
export async function stateOfVersion(
  ports: PastPorts,
  userId: string,
  { version, reportingCurrency }: { version: number; reportingCurrency: string | undefined },
  call: CallContext,
): Promise<PastState> {
  const [entries, present] = await Promise.all([
    ports.portfolios.ledger(userId, { versionUntil: version }),
    ports.portfolios.read(userId, call),
  ])
  const settings = present?.state.settings ?? DEFAULT_SETTINGS
  const recordedAt = entries.reduce((last, entry) => Math.max(last, entry.recordedAt), 0)
  const due = dueActions(ports.quotes, recordedAt, recordedAt)
  const state = { ...foldLedger(userId, entries, rulesOfThePast(settings), due), settings }
  const quotes = await quotesAsOf(ports, state, {
    at: state.lastRecordedAt,
    recordedUntil: state.lastRecordedAt,
    reportingCurrency,
  })
  return { state, quotes }
}

/**
 * Holdings and prices of `at`, from what had been recorded by `recordedUntil`: decision 37. The holdings are
 * remembered, since the ledger up to `present` never changes; the prices are read each time, since a price of then
 * can still be corrected.
 */
export async function stateAsOf(
  ports: PastPorts,
  present: PortfolioState,
  when: { at: Instant; recordedUntil: Instant | undefined; reportingCurrency: string | undefined },
): Promise<PastState & { readonly cached: boolean }> {
  const { past } = ports.portfolios
  const actions = knownActions(ports.quotes, when.recordedUntil)
  const moment = { at: when.at, recordedUntil: boundOf(when.recordedUntil, present), actions }
  const key = [
    present.userId.length,
    present.userId,
    etagOf(present),
    moment.at,
    moment.recordedUntil,
    actions.epoch,
  ]
  const name = key.join(' ')
  const remembered = past.recall(name)
  const state = remembered ?? (await foldAsOf(ports, present, moment))
  if (remembered === undefined) past.remember(name, state)
  const quotes = await quotesAsOf(ports, state, when)
  return { state, quotes, cached: remembered !== undefined }
}

/** A bound after all that is recorded bounds nothing. */
function boundOf(recordedUntil: Instant | undefined, present: PortfolioState): Instant | undefined {
  if (recordedUntil === undefined || recordedUntil >= present.lastRecordedAt) return undefined
  return recordedUntil
}

interface Moment {
  readonly at: Instant
  readonly recordedUntil: Instant | undefined
  /** Those that were known then. */
  readonly actions: CorporateActions
}

/** Begins with the newest snapshot that may be used, and leaves new ones behind where the rest was long. */
async function foldAsOf(
  ports: PastPorts,
  present: PortfolioState,
  moment: Moment,
): Promise<PortfolioState> {
  const { past } = ports.portfolios
  const base = await past.findSnapshot(present.userId, {
    effectiveUntil: moment.at,
    recordedUntil: moment.recordedUntil,
    versionUntil: present.version,
    lotMethod: present.settings.lotMethod,
    actionEpoch: moment.actions.epoch,
  })
  const { state, snapshots } =
    (await foldOnto(ports, { base, present, moment })) ??
    (await foldOnto(ports, { base: undefined, present, moment })) ??
    unfoldable()
  if (snapshots.length > 0) void past.keepSnapshots(snapshots)
  return { ...state, settings: present.settings }
}

function unfoldable(): never {
  throw new Error('a whole ledger cannot be folded')
}

async function foldOnto(
  { portfolios }: PastPorts,
  {
    base,
    present,
    moment,
  }: { base: Snapshot | undefined; present: PortfolioState; moment: Moment },
): Promise<PastFold | undefined> {
  const { userId, settings } = present
  const entries = await portfolios.ledger(userId, {
    effectiveUntil: moment.at,
    // What is written meanwhile is not of this version: it would be remembered under a wrong name.
    versionUntil: present.version,
    ...(moment.recordedUntil !== undefined && { recordedUntil: moment.recordedUntil }),
    ...(base !== undefined && { after: base }),
  })
  const { snapshotEntriesMin, snapshotsMax } = portfolios.past.limits
  const total = (base?.entryCount ?? 0) + entries.length
  // Of what was recorded by then, everything up to its newest entry is here: a snapshot of all that may say so.
  const version =
    moment.recordedUntil === undefined
      ? present.version
      : entries.reduce((newest, entry) => Math.max(newest, entry.version), base?.lastVersion ?? 0)
  const context = {
    userId,
    // What is forbidden today may have been allowed when it was recorded.
    settings: { ...settings, allowShort: true },
    version,
    due: moment.actions.dueAt(moment.at),
    actionEpoch: moment.actions.epoch,
    stride: Math.max(snapshotEntriesMin, Math.ceil(total / snapshotsMax)),
  }
  if (base === undefined) return foldWhole(entries, context)
  const folded = foldPast(base, entries, context)
  // Which actions do not go with the ledger is told by all of it.
  return folded === undefined || isRefusal(folded) ? undefined : folded
}

function foldWhole(
  entries: readonly LedgerEntry[],
  context: Parameters<typeof foldPast>[2] & { readonly due: DueActions },
): PastFold {
  const { due } = context
  const { folded, leftOut } = withFittingActions(
    due,
    (fitting) => foldPast(undefined, entries, { ...context, due: fitting }) ?? unfoldable(),
  )
  if (isRefusal(folded)) throw notFoldable(folded)
  if (leftOut.size === 0) return folded
  const { state } = folded
  return { state: { ...state, books: markedLeftOut(state.books, leftOut, due) }, snapshots: [] }
}
