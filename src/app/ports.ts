import type { SentQuote } from '../domain/market-data/accept-quote.ts'
import type { CorporateAction } from '../domain/market-data/corporate-action.ts'
import type { CorporateActions } from '../domain/market-data/corporate-actions.ts'
import type { Instrument, InstrumentSource } from '../domain/market-data/instrument.ts'
import type { QuarantinedQuote } from '../domain/market-data/quarantine.ts'
import type { EffectiveQuote, Quote, QuoteSource } from '../domain/market-data/quote.ts'
import type { RecordedExternalIds } from '../domain/portfolio/external-ids.ts'
import type { Histories, NeededHistory } from '../domain/portfolio/record-transactions.ts'
import type { PortfolioChange } from '../domain/portfolio/portfolio-change.ts'
import type { Snapshot } from '../domain/portfolio/past-fold.ts'
import type { PortfolioState } from '../domain/portfolio/state.ts'
import type { LotMethod } from '../domain/portfolio/lot-methods.ts'
import type { TransactionType } from '../domain/portfolio/transaction-types.ts'
import type { LedgerEntry } from '../domain/portfolio/transaction.ts'
import type { PortfolioError } from '../domain/errors.ts'
import type { Instant } from '../domain/time.ts'

/** The wall clock and the monotonic one. */
export interface Clock {
  now(): Instant
  /** Milliseconds of a clock that never goes back; for deadlines and durations. */
  monotonicMs(): number
}

/** What a use case knows of the call it serves. */
export interface CallContext {
  /** Of the client, else made by the server; stands in the ledger and in the logs. */
  readonly requestId: string
  /** Who calls; scope of idempotency keys. */
  readonly caller: string
  /** On the clock's monotonic scale. */
  readonly deadlineMs: number
  /** The caller has left or the deadline has passed: whatever comes is read by nobody. */
  readonly hasEnded: boolean
  /** Aborted at that moment; made when it is first asked for, which costs more than asking `hasEnded`. */
  readonly signal: AbortSignal
  readonly span: Span
}

/** A client's promise that equal keys mean equal requests (decision 9). */
export interface IdempotencyKey {
  readonly key: string
  readonly method: string
  /** SHA-256 of the canonical request. */
  readonly contentHash: Uint8Array
}

export type Decision<Answer> =
  | { readonly kind: 'accept'; readonly change: PortfolioChange; readonly answer: Answer }
  /** Nothing is written: a dry run. */
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'refuse'; readonly error: PortfolioError }
  | ({ readonly kind: 'needs-history' } & NeededHistory)

/** What is certain under the user's row lock. */
export interface LockedState {
  readonly state: PortfolioState
  /** Empty until a decision asked for them. */
  readonly histories: Histories
  /** Those of the request's external ids that are recorded already. */
  readonly externalIds: RecordedExternalIds
}

export interface ChangeRequest<Answer> {
  readonly userId: string
  /** Instruments whose open lots the decision needs. */
  readonly instrumentIds: readonly string[] | 'all'
  /** Ledger entries this request will add: what the store plans its batches by. */
  readonly entryCount: number
  readonly key: IdempotencyKey | undefined
  readonly externalIds: readonly { readonly source: string; readonly externalId: string }[]
  readonly call: CallContext
  /**
   * Pure and synchronous; called under the user's row lock with the state it locks, and called again with
   * `histories` when it asked for them, or with a newer state when the transaction had to be repeated.
   */
  decide(locked: LockedState): Decision<Answer>
}

export type ChangeOutcome<Answer> =
  | { readonly kind: 'decided'; readonly answer: Answer }
  /** The key was used before with the same content; `answer` is undefined once its keeping time is over. */
  | { readonly kind: 'replayed'; readonly answer: Answer | undefined; readonly version: number }

/** Which entries of a ledger to read; all bounds are inclusive. */
export interface LedgerFilter {
  readonly instrumentId?: string
  readonly effectiveUntil?: Instant
  readonly recordedUntil?: Instant
  readonly versionUntil?: number
  readonly sequence?: number
  /** Only what such a snapshot does not hold. */
  readonly after?: Pick<Snapshot, 'effectiveAt' | 'version'>
}

export type LedgerOrder = 'EFFECTIVE_DESC' | 'EFFECTIVE_ASC' | 'RECORDED_ASC'

/** Which entries of a user's ledger to list, and from where on. */
export interface LedgerPageQuery {
  readonly order: LedgerOrder
  readonly size: number
  /** The entry after which the page begins; undefined = the first page. */
  readonly after: Pick<LedgerEntry, 'effectiveAt' | 'sequence'> | undefined
  /** Entries recorded later do not exist for this listing, so that no page shifts. */
  readonly sequenceUntil: number
  readonly effectiveFrom: Instant | undefined
  readonly effectiveUntil: Instant | undefined
  readonly recordedUntil: Instant | undefined
  /** Empty = all. */
  readonly instrumentIds: readonly string[]
  readonly types: readonly TransactionType[]
  readonly accountIds: readonly string[]
  readonly externalIds: readonly string[]
  /** What the request with this key wrote; undefined = any. */
  readonly idempotencyKey: string | undefined
  readonly includeReversed: boolean
}

export interface ListedEntry {
  readonly entry: LedgerEntry
  readonly reversedBy: number | undefined
}

/**
 * Allows a read to miss what other replicas committed within the configured staleness. What this replica committed is
 * always in it.
 */
export interface ReadTolerance {
  /** A version known to be committed: the answer is at least this. Undefined = none. */
  readonly versionMin: number | undefined
}

/** A state and the moment, on the clock's monotonic scale, since when a newer one can have been committed. */
export interface VerifiedState {
  readonly state: PortfolioState
  readonly verifiedAtMs: number
}

/** States shared by all replicas; without prices. A cache: whatever happens to it is a miss, never an error. */
export interface PortfolioCache {
  /**
   * The newest state put there, without its lots, or undefined. Never rejects and never waits long.
   * `held` is given back for its very own version and head, which spares decoding it.
   */
  get(userId: string, held: PortfolioState | undefined): Promise<VerifiedState | undefined>
  /** Keeps a committed state unless a newer one is kept. Nobody waits for it, and it may fail in silence. */
  put(verified: VerifiedState): void
  /**
   * True when the caller is to read a user that is not kept and to put what it finds; false while another replica is
   * at it. Never rejects: who cannot find out reads.
   */
  claimFill(userId: string): Promise<boolean>
  /** Ends a claim, after what it was for has been put or not found. */
  releaseFill(userId: string): void
  /** Forgets a user: what was kept is of a history that the database no longer has. */
  drop(userId: string): void
}

/** Which entries a snapshot may hold, and which it may not be without. */
export interface SnapshotQuery {
  readonly effectiveUntil: Instant
  /** Undefined = whenever. */
  readonly recordedUntil: Instant | undefined
  readonly versionUntil: number
  readonly lotMethod: LotMethod
  /** Number of the newest corporate action that is known: none that reaches into the snapshot may be missing or more. */
  readonly actionEpoch: number
}

/** What past reads leave behind, so that the next ones need not fold a whole ledger. Nothing here is the truth. */
export interface PastStore {
  readonly limits: {
    /** A fold of fewer entries leaves no snapshot behind. */
    readonly snapshotEntriesMin: number
    /** Snapshots kept of one user for reading the present's past; those of what was known once are fewer. */
    readonly snapshotsMax: number
  }
  /** A past state kept in this process, without its lots, under a name that says all it depends on. */
  recall(name: string): PortfolioState | undefined
  remember(name: string, state: PortfolioState): void
  /** The newest snapshot a fold may begin with, see {@link Snapshot}. */
  findSnapshot(userId: string, query: SnapshotQuery): Promise<Snapshot | undefined>
  /** Writes snapshots of one user and deletes those that are superfluous then. Never rejects; nobody waits for it. */
  keepSnapshots(snapshots: readonly Snapshot[]): Promise<void>
}

export interface PortfolioStore {
  readonly past: PastStore
  /**
   * Locks the user, decides, and commits what was decided together with its idempotency answer.
   * Answers must survive JSON. Resolves only when the commit is certain.
   * @throws PortfolioError with the decision's refusal, IDEMPOTENCY_KEY_REUSED, WRITE_QUEUE_FULL,
   * DATABASE_UNAVAILABLE or DEADLINE_EXCEEDED.
   */
  change<Answer>(request: ChangeRequest<Answer>): Promise<ChangeOutcome<Answer>>
  /**
   * The present state, or undefined for a user never written. Without a `tolerance` it is the newest one committed
   * before the call, with it one no older than that allows; `source` = where the positions came from.
   */
  read(
    userId: string,
    call: CallContext,
    tolerance?: ReadTolerance,
  ): Promise<{ readonly state: PortfolioState; readonly source: StateSource } | undefined>
  /** Entries in order of (effectiveAt, sequence). */
  ledger(userId: string, filter: LedgerFilter): Promise<readonly LedgerEntry[]>
  ledgerPage(userId: string, query: LedgerPageQuery): Promise<readonly ListedEntry[]>
}

/** A change of a portfolio as others are told of it. */
export interface CommittedChange {
  readonly userId: string
  /** One more than that of the change before. */
  readonly version: number
  /** `etagOf` the state after it. */
  readonly etag: string
  /** Of the entries it recorded, both included; the last is below the first when there were none. */
  readonly firstSequence: number
  readonly lastSequence: number
}

/** The changes of the last day, each kept by the transaction that made it. */
export interface ChangeLog {
  /** The present version of each user; none for users never written. */
  versions(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** The changes after each user's version, in order of user and version; the first `countMax` of them. */
  changesAfter(
    versions: ReadonlyMap<string, number>,
    countMax: number,
  ): Promise<readonly CommittedChange[]>
  /** Forgets what was recorded before. */
  expire(before: Instant): Promise<void>
}

/**
 * Tells all replicas of a change sooner than they would find it. Whatever is lost is found in the database: nobody
 * waits for a hint, and none is ever an error.
 */
export interface ChangeHints {
  announce(userId: string): void
  /** There are new quotes or instruments. */
  announceMarketData(): void
  close(): void
}

/** Proof of a lease: what is written under it is refused once somebody else has it, or it has run out. */
export interface Lease {
  readonly name: string
  readonly token: number
}

/** Who of several replicas does what one of them is to do, by the database's clock: their own do not matter. */
export interface Leases {
  /** Takes a lease that is free or has run out, or goes on with one's own; undefined while another has it. */
  claim(name: string, holder: string, termMs: number): Promise<Lease | undefined>
  /** Gives a lease back before its time. */
  release(lease: Lease): Promise<void>
}

/** News of reference data: all instruments that changed up to an epoch. */
export interface InstrumentNews {
  readonly instruments: readonly Instrument[]
  readonly epoch: number
}

export interface InstrumentStore {
  /** Writes what `plan` decides with the instruments that have these ids or had these symbols; one at a time. */
  change<Plan extends { readonly instruments: readonly Instrument[] }>(
    needed: { readonly instrumentIds: readonly string[]; readonly symbols: readonly string[] },
    plan: (known: readonly Instrument[]) => Plan,
  ): Promise<Plan>
  readSince(epoch: number): Promise<InstrumentNews>
}

/** The instruments in memory. Nothing waits for it. */
export interface InstrumentTable extends InstrumentSource {
  /** In order of instrument id. */
  all(): readonly Instrument[]
  /** Of the newest news that were published. */
  readonly newsEpoch: number
  publish(news: InstrumentNews): void
  /** Calls each instrument what it is called on a day ("YYYY-MM-DD", UTC): a new symbol may begin with it. */
  begin(day: string): void
  follow(listener: (changed: readonly Instrument[]) => void): void
}

/** News of corporate actions: all that were recorded or reversed up to an epoch. */
export interface ActionNews {
  readonly actions: readonly CorporateAction[]
  readonly epoch: number
}

/** Who asks to record something, and under which name a repetition is known; an empty id names nothing. */
export interface ActionRequest {
  readonly caller: string
  readonly requestId: string
  /** SHA-256 of the canonical request. */
  readonly contentHash: Uint8Array
}

export interface CorporateActionStore {
  /** Records an action, or finds the one that this request recorded before. @throws IDEMPOTENCY_KEY_REUSED. */
  record(
    action: Omit<CorporateAction, 'actionId' | 'recordedAt' | 'reversedAt' | 'epoch'> & {
      readonly targetId?: string
    },
    request: ActionRequest,
    now: Instant,
  ): Promise<{ readonly actionId: number }>
  /** @throws ACTION_NOT_FOUND, ALREADY_REVERSED, IDEMPOTENCY_KEY_REUSED. */
  reverse(actionId: number, reason: string, request: ActionRequest, now: Instant): Promise<void>
  readSince(epoch: number): Promise<ActionNews>
}

/** The corporate actions in memory. Nothing waits for it. */
export interface ActionTable {
  /** Replaced whole by what is published. */
  readonly current: CorporateActions
  publish(news: ActionNews): void
  /** Tells that there is something new, at once; gives back what ends it. */
  follow(listener: () => void): () => void
}

/** A quote that was held back for its move. */
export type Outlier = Quote & {
  /** Another quote said the same since. */
  readonly isReleased: boolean
}

export interface QuoteStore {
  /** Keeps every quote by time; the newest of each instrument is what `readNewest` gives. All or nothing. */
  append(
    quotes: readonly Quote[],
    recordedAt: Instant,
    held?: {
      readonly quarantined: readonly QuarantinedQuote[]
      /** Held back before, and among the quotes now. */
      readonly released: readonly Quote[]
    },
  ): Promise<void>
  /** What is held back of these instruments, unusable ones left out. */
  readHeld(instrumentIds: readonly string[]): Promise<readonly Quote[]>
  /** Forgets what was quarantined before. */
  expireHeld(before: Instant): Promise<void>
  /** Outliers recorded since, held back still or confirmed meanwhile: the newest of them. */
  readOutliers(recordedSince: Instant): Promise<readonly Outlier[]>
  /** Those of some instruments priced from one moment to another, both included, as they were known. */
  readOutliersAsOf(
    instrumentIds: readonly string[],
    priced: { readonly from: Instant; readonly until: Instant },
    recordedUntil: Instant | undefined,
  ): Promise<readonly Outlier[]>
  /** The newest quote at or before each moment that was recorded by then, by the moment's place. */
  readBefore(
    moments: readonly Pick<Quote, 'instrumentId' | 'pricedAt'>[],
    recordedUntil?: Instant,
  ): Promise<ReadonlyMap<number, Quote>>
  /** What is known now of an instrument, in order of `pricedAt` and source. */
  list(query: QuoteQuery): Promise<readonly ListedQuote[]>
  /** The newest quote of each instrument of which a newer one was recorded since, with the time to ask from next. */
  readNewest(
    recordedSince: Instant | undefined,
  ): Promise<{ readonly quotes: readonly Quote[]; readonly recordedUntil: Instant | undefined }>
  /** The newest quotes priced at or before `at`, using only what had been recorded by `recordedUntil`. */
  readAsOf(
    instrumentIds: readonly string[],
    at: Instant,
    recordedUntil: Instant | undefined,
  ): Promise<readonly Quote[]>
}

export interface QuoteQuery {
  readonly instrumentId: string
  /** Both included; undefined = no bound. */
  readonly from: Instant | undefined
  readonly until: Instant | undefined
  readonly quarantinedOnly: boolean
  readonly size: number
  /** The quote after which the page begins; undefined = the first page. */
  readonly after: QuotePlace | undefined
}

/** Where a quote stands in a listing. */
export interface QuotePlace {
  readonly pricedAt: Instant
  readonly source: string
  readonly recordedAt: Instant
}

/** As it was kept; the price of a quarantined one may be no number. */
export type ListedQuote = Omit<Quote, 'price'> & QuotePlace & { readonly price: string }

/** The newest quotes, in memory: what valuation reads. Nothing waits for it. */
export interface QuoteBoard extends QuoteSource {
  readonly instruments: InstrumentTable
  all(): Iterable<EffectiveQuote>
  publish(quotes: readonly Quote[]): void
  /** Replaces the instruments that seem to have split without a word. */
  suspectSplits(instrumentIds: ReadonlySet<string>): void
  /** Tells of quotes that differ from the ones before, at once; gives back what ends it. */
  follow(listener: (changed: readonly Quote[]) => void): () => void
}

/** Somebody outside who knows prices; nothing that comes from there is believed before it is checked. */
export interface QuoteProvider {
  /** The source of its quotes. */
  readonly name: string
  /** What it knows of these symbols and pairs ("EUR/USD"), oldest first. Rejects when it fails or takes too long. */
  fetch(symbols: readonly string[]): Promise<readonly SentQuote[]>
}

/**
 * Asks providers for what has no fresh price, before a lock is taken: undefined when there is nothing to wait for, else
 * done within the budget of the call, whatever became of it. All that one call waits for shares one budget.
 */
export type FreshQuotes = (
  instrumentIds: readonly string[],
  call: Pick<CallContext, 'deadlineMs'>,
) => Promise<void> | undefined

/** What operators see of providers. */
export interface ProviderTelemetry {
  providerAnswered(name: string): void
  providerFailed(name: string, error: unknown): void
  /** It failed too often: it is not asked until it has rested. */
  providerLost(name: string): void
  providerAvailable(name: string): void
}

/** A unit of work in a trace. Ends once. */
export interface Span {
  child(name: string, links?: readonly Span[]): Span
  setAttribute(name: string, value: string | number | boolean): void
  fail(error: unknown): void
  end(): void
}

/** What operators see. One method for each event; attributes are few-valued, ids go to the log. */
export interface Telemetry {
  /** A call arrived; `traceparent` is the W3C header, if any. */
  startCall(method: string, traceparent: string | undefined): Span
  callEnded(method: string, code: string, durationMs: number): void
  batchCommitted(size: number, durationMs: number): void
  batchFailed(reason: string): void
  quotesIngested(accepted: number, quarantined: number): void
  backgroundFailed(pass: string, error: unknown): void
}

export type StateSource = 'memory' | 'shared-cache' | 'database'

/** What operators see of reads and their caches. */
export interface CacheTelemetry {
  /** A read's positions came from there. */
  stateRead(source: StateSource): void
  /** `reason` holds neither values nor passwords. */
  sharedCacheFailed(operation: string, reason: string): void
  /** Calls pass the shared cache by until it is available again. */
  sharedCacheLost(reason: string): void
  sharedCacheAvailable(): void
}
