import { decimalText } from '../../domain/decimal.ts'
import { invalidRequest, PortfolioError } from '../../domain/errors.ts'
import type { DueActions } from '../../domain/market-data/corporate-actions.ts'
import type { QuoteSource } from '../../domain/market-data/quote.ts'
import { detailOf } from '../../domain/portfolio/detail.ts'
import {
  contentHash,
  externalIdKey,
  type RecordedExternalIds,
} from '../../domain/portfolio/external-ids.ts'
import type { LotMatch } from '../../domain/portfolio/holding.ts'
import type { PortfolioChange } from '../../domain/portfolio/portfolio-change.ts'
import { recordTransactions as record } from '../../domain/portfolio/record-transactions.ts'
import { DEFAULT_SETTINGS, etagOf } from '../../domain/portfolio/state.ts'
import type { TransactionDraft } from '../../domain/portfolio/transaction.ts'
import { valuePortfolio } from '../../domain/portfolio/valuation.ts'
import { dueActions } from '../market-data/due-actions.ts'
import type {
  CallContext,
  Clock,
  Decision,
  FreshQuotes,
  IdempotencyKey,
  LedgerPageQuery,
  LockedState,
  PortfolioStore,
  QuoteStore,
} from '../ports.ts'
import { currencyEffects } from './currency-effects.ts'
import { etagMismatch } from './etag-mismatch.ts'
import { describeDrafts, unknownInstruments } from './described-drafts.ts'
import { pairsNeeded, withExchangeRates } from './exchange-rates.ts'
import {
  answerOf,
  type MatchView,
  type RecordAnswer,
  type Recorded,
  type RecordedOutcome,
  withDetail,
} from './recorded-answer.ts'

export interface RecordCommand {
  readonly userId: string
  readonly drafts: readonly TransactionDraft[]
  readonly key: IdempotencyKey | undefined
  /** `etagOf` a state: the write is refused when the portfolio has moved on from it. */
  readonly ifMatch: string | undefined
  readonly validateOnly: boolean
  /** The entry that the first draft takes back: its external id may pass to what replaces it. */
  readonly reverses?: number
  /** True: an external id that is recorded already is passed over, whatever else it says. */
  readonly skipRecorded: boolean
}

export interface RecordResult {
  readonly answer: RecordAnswer
  readonly replayed: boolean
}

interface RecordPorts {
  readonly clock: Clock
  readonly portfolios: PortfolioStore
  readonly quotes: QuoteSource
  readonly quoteStore: QuoteStore
  /** Undefined = nobody is asked. */
  readonly freshQuotes?: FreshQuotes | undefined
}

/** The rich write: every type of transaction, all or none, each with its outcome in the request's order. */
export async function recordTransactions(
  ports: RecordPorts,
  command: RecordCommand,
  call: CallContext,
): Promise<RecordResult> {
  const present = await ports.portfolios.read(command.userId, call)
  const { baseCurrency } = present?.state.settings ?? DEFAULT_SETTINGS
  const described = describeDrafts(ports.quotes, command.drafts, ports.clock.now())
  const instrumentIds = [...new Set(described.drafts.map((draft) => draft.instrumentId))]
  const asking = ports.freshQuotes?.(
    [...instrumentIds, ...pairsNeeded(ports.quotes, described.drafts, baseCurrency)],
    call,
  )
  if (asking !== undefined) await asking
  const { drafts, refusal } = await withExchangeRates(ports, described.drafts, baseCurrency)
  const due = dueActions(ports.quotes, ports.clock.now())
  const rated = { ...command, drafts, baseCurrency, due, refusal: described.refusal ?? refusal }
  const outcome = await ports.portfolios.change<RecordAnswer>({
    userId: command.userId,
    instrumentIds,
    entryCount: drafts.length,
    key: command.key,
    externalIds: drafts.flatMap(({ terms }) =>
      terms === undefined || terms.externalId === '' ? [] : [terms],
    ),
    call,
    decide: (locked) => {
      const decided = decideRecord(ports, rated, locked, call)
      const decision = command.validateOnly ? asDryRun(decided) : decided
      return withDetail(decision, { quotes: ports.quotes, due, locked })
    },
  })
  const answer = outcome.answer ?? (await replayedAnswer(ports, command, call))
  return { answer, replayed: outcome.kind === 'replayed' }
}

/** A replay after the stored answer's keeping time: what the key wrote, and the portfolio as it is now. */
async function replayedAnswer(
  ports: RecordPorts,
  { userId, key }: RecordCommand,
  call: CallContext,
): Promise<RecordAnswer> {
  const present = await ports.portfolios.read(userId, call)
  if (present === undefined) throw new Error('a replayed portfolio is missing')
  const written = await ports.portfolios.ledgerPage(userId, {
    ...WHOLE_LEDGER,
    sequenceUntil: present.state.lastSequence,
    idempotencyKey: key?.key,
  })
  const outcomes = written.map(({ entry }) => replayedOutcome(entry.sequence))
  const { state } = present
  const now = ports.clock.now()
  const valuation = valuePortfolio(state, ports.quotes, now)
  const filter = { versionUntil: state.version }
  const effects = await currencyEffects(ports, { state, filter }, valuation)
  return answerOf({ named: state, now, outcomes }, detailOf(valuation, effects))
}

const WHOLE_LEDGER: Omit<LedgerPageQuery, 'sequenceUntil' | 'idempotencyKey'> = {
  order: 'RECORDED_ASC',
  size: Number.MAX_SAFE_INTEGER,
  after: undefined,
  effectiveFrom: undefined,
  effectiveUntil: undefined,
  recordedUntil: undefined,
  instrumentIds: [],
  types: [],
  accountIds: [],
  externalIds: [],
  includeReversed: true,
}

/** A command at the rates to one base currency, and what is wrong with what it would add. */
interface RatedCommand extends RecordCommand {
  readonly baseCurrency: string
  readonly due: DueActions
  readonly refusal: PortfolioError | undefined
}

function decideRecord(
  ports: RecordPorts,
  command: RatedCommand,
  { state, histories, externalIds }: LockedState,
  call: CallContext,
): Decision<Recorded> {
  if (command.ifMatch !== undefined && command.ifMatch !== etagOf(state)) {
    return { kind: 'refuse', error: etagMismatch(state) }
  }
  if (state.settings.baseCurrency !== command.baseCurrency) {
    const message = 'the base currency was changed meanwhile: send the request again'
    return { kind: 'refuse', error: new PortfolioError('CONCURRENT_UPDATE', message) }
  }
  const recorded = withoutSequence(externalIds, command.reverses)
  const known = command.drafts.map((draft) => recordedSequence(draft, recorded))
  if (command.refusal !== undefined && known.includes(undefined)) {
    return { kind: 'refuse', error: command.refusal }
  }
  const reused = command.skipRecorded ? undefined : reusedIds(command.drafts, recorded)
  if (reused !== undefined) return { kind: 'refuse', error: reused }
  const positions = known.flatMap((sequence, index) => (sequence === undefined ? [index] : []))
  const drafts = command.drafts.filter((_, index) => known[index] === undefined)
  const now = ports.clock.now()
  const { due } = command
  if (drafts.length === 0) {
    const outcomes = known.map((sequence = 0) => replayedOutcome(sequence))
    return { kind: 'answer', answer: { state, named: state, entries: [], now, outcomes } }
  }
  const context = { now, requestId: call.requestId, histories, positions, due }
  const recording = record(state, drafts, context)
  if (recording.kind === 'refused') return { kind: 'refuse', error: recording.error }
  if (recording.kind === 'needs-history') return recording
  const { change } = recording
  const warnings = [...change.warnings, ...unknownInstruments(ports.quotes, command.drafts)]
  const outcomes = outcomesOf(known, { ...change, warnings }, command.validateOnly)
  const { after } = change
  const entries = change.entries.map(({ entry }) => entry)
  return { kind: 'accept', change, answer: { state: after, named: after, entries, now, outcomes } }
}

/** The portfolio as it would be, under the etag of what still is. */
function asDryRun(decision: Decision<Recorded>): Decision<Recorded> {
  if (decision.kind !== 'accept') return decision
  return { kind: 'answer', answer: { ...decision.answer, named: decision.change.before } }
}

function withoutSequence(
  externalIds: RecordedExternalIds,
  sequence: number | undefined,
): RecordedExternalIds {
  return new Map([...externalIds].filter(([, recorded]) => recorded.sequence !== sequence))
}

/** The same id with other content, or twice in one request, is somebody's mistake: nothing is guessed. */
function reusedIds(
  drafts: readonly TransactionDraft[],
  recorded: RecordedExternalIds,
): PortfolioError | undefined {
  const seen = new Set<string>()
  const violations = drafts.flatMap((draft, index) => {
    const { externalId = '', source = '' } = draft.terms ?? {}
    if (externalId === '') return []
    const key = externalIdKey(source, externalId)
    const earlier = recorded.get(key)
    const other =
      seen.has(key) ||
      (earlier !== undefined && Buffer.compare(earlier.contentHash, contentHash(draft)) !== 0)
    seen.add(key)
    if (!other) return []
    const description = 'this id was used before for a different transaction'
    const field = `transactions[${index}].external_id`
    return [{ field, reason: 'EXTERNAL_ID_REUSED' as const, description }]
  })
  return violations.length === 0 ? undefined : invalidRequest(violations)
}

function recordedSequence(
  { terms }: TransactionDraft,
  recorded: RecordedExternalIds,
): number | undefined {
  if (terms === undefined || terms.externalId === '') return undefined
  return recorded.get(externalIdKey(terms.source, terms.externalId))?.sequence
}

function replayedOutcome(sequence: number): RecordedOutcome {
  return { sequence, disposition: 'REPLAYED', matches: [], warnings: [] }
}

function outcomesOf(
  known: readonly (number | undefined)[],
  change: PortfolioChange,
  validateOnly: boolean,
): readonly RecordedOutcome[] {
  const sequences = change.entries.map(({ entry }) => entry.sequence)
  return known.map((recorded, index): RecordedOutcome => {
    if (recorded !== undefined) return replayedOutcome(recorded)
    const sequence = sequences.shift() ?? 0
    return {
      sequence: validateOnly ? 0 : sequence,
      disposition: validateOnly ? 'VALIDATED' : 'APPLIED',
      matches: change.matches
        .filter(({ match }) => match.disposalSequence === sequence)
        .map(({ match }) => matchView(match)),
      warnings: change.warnings
        .filter((warning) => warning.index === index)
        .map(({ reason }) => reason),
    }
  })
}

/** "sequence.part": stable as long as the ledger is. */
export function lotIdOf(sequence: number, part: number): string {
  return `${sequence}.${part}`
}

function matchView(match: LotMatch): MatchView {
  return {
    lotId: lotIdOf(match.lotSequence, match.lotPart),
    quantity: decimalText(match.quantity),
    acquiredAt: match.acquiredAt,
    basis: match.basis === null ? '' : decimalText(match.basis),
    proceeds: decimalText(match.proceeds),
    gain: match.gain === null ? '' : decimalText(match.gain),
    rule: match.rule,
    disposedAt: match.disposedAt,
  }
}
