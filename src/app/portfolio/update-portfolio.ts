import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import type { PortfolioChange, Warning } from '../../domain/portfolio/portfolio-change.ts'
import type { Completeness } from '../../domain/portfolio/quality.ts'
import { recordTransactions } from '../../domain/portfolio/record-transactions.ts'
import { etagOf, type PortfolioState } from '../../domain/portfolio/state.ts'
import type { TransactionDraft } from '../../domain/portfolio/transaction.ts'
import { type Summary, summaryOf } from '../../domain/portfolio/summary.ts'
import { type Valuation, valuePortfolio } from '../../domain/portfolio/valuation.ts'
import type { Instant } from '../../domain/time.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type {
  CallContext,
  ChangeOutcome,
  Clock,
  Decision,
  FreshQuotes,
  IdempotencyKey,
  LockedState,
  PortfolioStore,
  QuoteStore,
} from '../ports.ts'
import { type DescribedDrafts, describeDrafts, unknownInstruments } from './described-drafts.ts'
import { etagMismatch } from './etag-mismatch.ts'
import { pairsNeeded, withExchangeRates, withoutRates } from './exchange-rates.ts'
import { stateOfVersion } from './past-state.ts'

export interface UpdateCommand {
  readonly userId: string
  readonly drafts: readonly TransactionDraft[]
  readonly key: IdempotencyKey | undefined
  /** `etagOf` a state: the write is refused when the portfolio has moved on from it. */
  readonly ifMatch: string | undefined
  readonly validateOnly: boolean
  /** Undefined = the portfolio's base currency. */
  readonly reportingCurrency: string | undefined
}

/** What an update answers; plain data, since a keyed one is stored and replayed word for word. */
export interface UpdateAnswer {
  readonly summary: Summary
  readonly etag: string
  readonly version: number
  readonly completeness: Completeness
  readonly pricedAt: Instant | undefined
  readonly warnings: readonly Warning[]
}

export interface UpdateResult {
  readonly answer: UpdateAnswer
  readonly replayed: boolean
}

export interface UpdatePortfolioPorts {
  readonly clock: Clock
  readonly portfolios: PortfolioStore
  readonly quotes: QuoteSource
  readonly quoteStore: QuoteStore
  /** Undefined = nobody is asked. */
  readonly freshQuotes?: FreshQuotes | undefined
}

/**
 * POST /portfolio: applies all transactions or none, and answers the summary after them.
 * Prices come from memory while the user's row is locked; a missing one is marked, never waited for. Providers are asked
 * before, within their budget (decision 18).
 */
export async function updatePortfolio(
  ports: UpdatePortfolioPorts,
  command: UpdateCommand,
  call: CallContext,
): Promise<UpdateResult> {
  const now = ports.clock.now()
  const described = describeDrafts(ports.quotes, command.drafts, now)
  const asking = ports.freshQuotes?.(instrumentsOf(described), call)
  if (asking !== undefined) await asking
  const due = dueActions(ports.quotes, now)
  let outcome = await submit(ports, { command, described, due }, call)
  // The base currency is certain under the lock alone, and rates are not waited for under it.
  while (outcome.answer !== undefined && 'ratesTo' in outcome.answer) {
    const { ratesTo } = outcome.answer
    await ports.freshQuotes?.(pairsNeeded(ports.quotes, described.drafts, ratesTo), call)
    const rated = { to: ratesTo, ...(await withExchangeRates(ports, described.drafts, ratesTo)) }
    outcome = await submit(ports, { command, described, due, rated }, call)
  }
  const { kind, answer } = outcome
  if (answer !== undefined) return { answer, replayed: kind === 'replayed' }
  if (kind !== 'replayed') throw new Error('a decision has an answer')
  return { answer: await recomputeAnswer(ports, command, outcome.version, call), replayed: true }
}

/** A command with its transactions as reference data reads them, and at the rates to one base currency. */
interface DescribedCommand {
  readonly command: UpdateCommand
  readonly described: DescribedDrafts
  readonly due: DueActions
  readonly rated?: DescribedDrafts & { readonly to: string }
}

/** Nothing was written: rates to the base currency have to be found first. */
interface RatesNeeded {
  readonly ratesTo: string
}

function submit(
  ports: UpdatePortfolioPorts,
  asked: DescribedCommand,
  call: CallContext,
): Promise<ChangeOutcome<UpdateAnswer | RatesNeeded>> {
  const { command, described } = asked
  return ports.portfolios.change<UpdateAnswer | RatesNeeded>({
    userId: command.userId,
    instrumentIds: instrumentsOf(described),
    entryCount: described.drafts.length,
    key: command.key,
    externalIds: [],
    call,
    decide: (locked) => decideUpdate(ports, asked, locked, call),
  })
}

function instrumentsOf({ drafts }: DescribedDrafts): readonly string[] {
  return [...new Set(drafts.map((draft) => draft.instrumentId))]
}

function draftsIn(
  baseCurrency: string,
  { command: { drafts }, described, rated }: DescribedCommand,
): readonly TransactionDraft[] | undefined {
  if (rated?.to === baseCurrency) return rated.drafts
  if (described.drafts === drafts) return drafts
  return withoutRates(drafts, described.drafts, baseCurrency)
}

function decideUpdate(
  ports: UpdatePortfolioPorts,
  asked: DescribedCommand,
  { state, histories }: LockedState,
  call: CallContext,
): Decision<UpdateAnswer | RatesNeeded> {
  const { command, described, due, rated } = asked
  if (command.ifMatch !== undefined && command.ifMatch !== etagOf(state)) {
    return { kind: 'refuse', error: etagMismatch(state) }
  }
  if (described.refusal) return { kind: 'refuse', error: described.refusal }
  const drafts = draftsIn(state.settings.baseCurrency, asked)
  if (drafts === undefined) {
    return { kind: 'answer', answer: { ratesTo: state.settings.baseCurrency } }
  }
  if (rated?.refusal) return { kind: 'refuse', error: rated.refusal }
  const now = ports.clock.now()
  const recording = recordTransactions(state, drafts, {
    now,
    requestId: call.requestId,
    histories,
    due,
  })
  switch (recording.kind) {
    case 'needs-history':
      return recording
    case 'refused':
      return { kind: 'refuse', error: recording.error }
    case 'recorded': {
      const answer = answerOf(ports, recording.change, asked, now)
      if (command.validateOnly) return { kind: 'answer', answer }
      return { kind: 'accept', change: recording.change, answer }
    }
  }
}

function answerOf(
  ports: UpdatePortfolioPorts,
  change: PortfolioChange,
  { command, described }: DescribedCommand,
  now: Instant,
): UpdateAnswer {
  // A dry run answers the summary as it would be, under the etag of what still is.
  const named = command.validateOnly ? change.before : change.after
  const valuation = valuePortfolio(change.after, ports.quotes, now, command.reportingCurrency)
  const unknown = unknownInstruments(ports.quotes, described.drafts)
  const warnings =
    unknown.length === 0
      ? change.warnings
      : [...change.warnings, ...unknown].toSorted((left, right) => left.index - right.index)
  return valuedAnswer(named, valuation, warnings)
}

function valuedAnswer(
  named: PortfolioState,
  valuation: Valuation,
  warnings: readonly Warning[],
): UpdateAnswer {
  return {
    summary: summaryOf(valuation),
    etag: etagOf(named),
    version: named.version,
    completeness: valuation.quality.completeness,
    pricedAt: valuation.quality.pricedAt,
    warnings,
  }
}

/** A replay after the stored answer's keeping time: the same holdings, valued with the prices of then. */
async function recomputeAnswer(
  ports: UpdatePortfolioPorts,
  command: UpdateCommand,
  version: number,
  call: CallContext,
): Promise<UpdateAnswer> {
  const { reportingCurrency } = command
  const past = await stateOfVersion(ports, command.userId, { version, reportingCurrency }, call)
  const { lastRecordedAt } = past.state
  const valuation = valuePortfolio(past.state, past.quotes, lastRecordedAt, reportingCurrency)
  return valuedAnswer(past.state, valuation, [])
}
