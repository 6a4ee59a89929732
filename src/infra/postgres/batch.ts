import { type Selectable, sql, type Transaction } from 'kysely'
import type {
  ChangeOutcome,
  ChangeRequest,
  Clock,
  Decision,
  LockedState,
  VerifiedState,
} from '../../app/ports.ts'
import { PortfolioError } from '../../domain/errors.ts'
import type { PortfolioChange } from '../../domain/portfolio/portfolio-change.ts'
import { type NeededHistory, NO_HISTORIES } from '../../domain/portfolio/record-transactions.ts'
import type { PortfolioState } from '../../domain/portfolio/state.ts'
import { type LockedUser, lockUsers, readHistories } from './batch-read.ts'
import { BulkInsert } from './bulk-insert.ts'
import { writeChanges } from './change-rows.ts'
import { type Database, timestampText } from './database.ts'
import { readMissingLots } from './missing-lots.ts'
import type { RequestKeyTable, Schema } from './schema.ts'
import type { StateCache } from './state-cache.ts'

type Request = ChangeRequest<unknown>

/** What a batch may spend on one of its requests, at the cost of the others. */
export interface BatchLimits {
  /** Ledger entries that a replay may read. */
  readonly replayEntriesMax: number
  readonly waitForLocks: boolean
}

/** What became of one request of a batch. */
export type Verdict =
  | { readonly kind: 'answered'; readonly outcome: ChangeOutcome<unknown> }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** To be decided alone: its replay is too long to hold up the others, or it has to wait for its user's lock. */
  | { readonly kind: 'too-long' | 'locked' }

interface Accepted {
  readonly request: Request
  readonly change: PortfolioChange
  readonly answer: unknown
}

interface Waiting {
  readonly request: Request
  readonly user: LockedUser
  readonly needed: NeededHistory
}

const REQUEST_KEY = new BulkInsert('request_key', [
  'user_id',
  'caller',
  'method',
  'key',
  'content_hash',
  'version',
  'answer',
  'recorded_at',
])

export interface BatchPorts {
  readonly database: Database
  readonly cache: StateCache
  readonly clock: Clock
  /** Told of each change that is certainly committed, before its verdict is. */
  readonly committed: (verified: VerifiedState) => void
}

/** One database transaction that carries the requests of many users, at most one of each. */
export class Batch {
  readonly #database: Database
  readonly #cache: StateCache
  readonly #clock: Clock
  readonly #committedTo: BatchPorts['committed']
  readonly #requests: readonly Request[]
  readonly #limits: BatchLimits
  #accepted: readonly Accepted[] = []

  constructor(ports: BatchPorts, requests: readonly Request[], limits: BatchLimits) {
    this.#database = ports.database
    this.#cache = ports.cache
    this.#clock = ports.clock
    this.#committedTo = ports.committed
    this.#requests = requests
    this.#limits = limits
  }

  /**
   * Locks, decides, writes and commits. Verdicts are true only because the commit is certain.
   * @throws whatever the database did: then nothing is committed, or the outcome is unknown.
   */
  async run(): Promise<ReadonlyMap<Request, Verdict>> {
    const { verdicts, states, verifiedAtMs } = await this.#database.transaction(
      async (transaction) => {
        const locked = await lockUsers(transaction, this.#requests, {
          cache: this.#cache,
          wait: this.#limits.waitForLocks,
        })
        const decided = await this.#decideAll(transaction, locked)
        this.#accepted = decided.accepted
        if (decided.accepted.length > 0) {
          await Promise.all([
            writeChanges(
              transaction,
              decided.accepted.map(({ change }) => change),
            ),
            writeKeys(transaction, decided.accepted),
            deleteUntouched(transaction, locked, decided.accepted),
          ])
        }
        const known = new Map([...locked].map(([userId, { state }]) => [userId, state]))
        for (const { change } of decided.accepted) known.set(change.after.userId, change.after)
        return {
          commit: decided.accepted.length > 0,
          // Under the lock, and before the commit: nobody can have written a newer version until then.
          result: {
            verdicts: decided.verdicts,
            states: known,
            verifiedAtMs: this.#clock.monotonicMs(),
          },
        }
      },
    )
    for (const state of states.values()) this.#cache.put({ state, verifiedAtMs })
    for (const { change } of this.#accepted) {
      this.#committedTo({ state: change.after, verifiedAtMs })
    }
    return verdicts
  }

  /**
   * After a commit whose outcome is unknown: looks under each user's lock, which waits for the lost transaction's
   * end, whether its entries are there. The hash chain tells them from anybody else's.
   * @returns what is certain now; requests without a verdict were not committed and can be decided again.
   */
  async resolveOutcome(): Promise<ReadonlyMap<Request, Verdict>> {
    const committed = await this.#database.transaction(async (transaction) => {
      await lockUsers(
        transaction,
        this.#accepted.map(({ request }) => request),
        { cache: this.#cache, wait: true },
      )
      const result = await this.#committed(transaction)
      return { commit: false, result }
    })
    return new Map(
      committed.map(({ request, change, answer }) => {
        // Others may have written since it was committed.
        const verified = { state: change.after, verifiedAtMs: Number.NEGATIVE_INFINITY }
        this.#cache.put(verified)
        this.#committedTo(verified)
        return [request, { kind: 'answered', outcome: { kind: 'decided', answer } }]
      }),
    )
  }

  async #committed(transaction: Transaction<Schema>): Promise<readonly Accepted[]> {
    const users = this.#accepted.map(({ request }) => request.userId)
    const sequences = this.#accepted.map(({ change }) => change.after.lastSequence)
    const { rows } = await sql<{ user_id: string; hash: Buffer }>`
      select ledger.user_id, ledger.hash from ledger
      join unnest(${users}::text[], ${sequences}::bigint[]) as asked (user_id, sequence)
        using (user_id, sequence)
      where ledger.user_id = any(${users}::text[])`.execute(transaction)
    const hashes = new Map(rows.map((row) => [row.user_id, row.hash]))
    return this.#accepted.filter(({ change: { after } }) => {
      const hash = hashes.get(after.userId)
      return hash !== undefined && Buffer.compare(hash, after.chainHead) === 0
    })
  }

  async #decideAll(
    transaction: Transaction<Schema>,
    locked: ReadonlyMap<string, LockedUser>,
  ): Promise<{ verdicts: ReadonlyMap<Request, Verdict>; accepted: readonly Accepted[] }> {
    const verdicts = new Map<Request, Verdict>()
    const accepted: Accepted[] = []
    const waiting: Waiting[] = []
    for (const request of this.#requests) {
      const user = locked.get(request.userId)
      if (user === undefined) {
        verdicts.set(request, { kind: 'locked' })
        continue
      }
      const replay =
        request.key && user.keyRow && replayVerdict(request.key.contentHash, user.keyRow)
      if (replay !== undefined) {
        verdicts.set(request, replay)
        continue
      }
      const decision = decideSafely(request, {
        state: user.state,
        externalIds: user.externalIds,
        histories: NO_HISTORIES,
      })
      if (decision.kind !== 'needs-history') {
        settle(request, decision, { verdicts, accepted })
      } else if (replayLength(user.state, decision) > this.#limits.replayEntriesMax) {
        verdicts.set(request, { kind: 'too-long' })
      } else {
        waiting.push({ request, user, needed: decision })
      }
    }
    const asked = waiting.map(({ request, user, needed }) => ({
      ...needed,
      userId: request.userId,
      state: user.state,
    }))
    const [histories, states] = await Promise.all([
      readHistories(transaction, asked),
      // A corporate action moves lots of instruments that the request does not name.
      readMissingLots(transaction, asked),
    ])
    for (const { request, user } of waiting) {
      const read = histories.get(request.userId) ?? NO_HISTORIES
      const state = states.get(request.userId) ?? user.state
      const decision = decideSafely(request, {
        state,
        externalIds: user.externalIds,
        histories: read,
      })
      settle(request, decision, { verdicts, accepted })
    }
    return { verdicts, accepted }
  }
}

/** A decision that throws is a bug in one request's path: it fails alone. */
function decideSafely(
  request: Request,
  locked: LockedState,
): Decision<unknown> | { readonly kind: 'failed'; readonly error: unknown } {
  try {
    return request.decide(locked)
  } catch (error) {
    return { kind: 'failed', error }
  }
}

function settle(
  request: Request,
  decision: ReturnType<typeof decideSafely>,
  into: { verdicts: Map<Request, Verdict>; accepted: Accepted[] },
): void {
  switch (decision.kind) {
    case 'accept': {
      const { change, answer } = decision
      into.accepted.push({ request, change, answer })
      into.verdicts.set(request, { kind: 'answered', outcome: { kind: 'decided', answer } })
      return
    }
    case 'answer':
      into.verdicts.set(request, {
        kind: 'answered',
        outcome: { kind: 'decided', answer: decision.answer },
      })
      return
    case 'refuse':
    case 'failed':
      into.verdicts.set(request, { kind: 'failed', error: decision.error })
      return
    case 'needs-history':
      into.verdicts.set(request, {
        kind: 'failed',
        error: new Error('a decision asked again for the history it has'),
      })
  }
}

function replayVerdict(contentHash: Uint8Array, row: Selectable<RequestKeyTable>): Verdict {
  if (Buffer.compare(row.content_hash, contentHash) !== 0) {
    const message = 'this idempotency key was used before with a different request'
    return { kind: 'failed', error: new PortfolioError('IDEMPOTENCY_KEY_REUSED', message) }
  }
  const answer: unknown = row.answer === null ? undefined : JSON.parse(row.answer)
  return { kind: 'answered', outcome: { kind: 'replayed', answer, version: row.version } }
}

function replayLength(
  state: PortfolioState,
  { instrumentIds, wholeLedger }: NeededHistory,
): number {
  if (wholeLedger) return state.lastSequence
  let length = 0
  for (const instrumentId of instrumentIds) {
    for (const holding of state.books.get(instrumentId)?.values() ?? []) {
      length += holding.transactionCount
    }
  }
  return length
}

async function writeKeys(
  transaction: Transaction<Schema>,
  accepted: readonly Accepted[],
): Promise<void> {
  const rows = accepted.flatMap(({ request: { userId, call, key }, change: { after }, answer }) =>
    key === undefined
      ? []
      : [
          [
            userId,
            call.caller,
            key.method,
            key.key,
            key.contentHash,
            after.version,
            JSON.stringify(answer),
            timestampText(after.lastRecordedAt),
          ],
        ],
  )
  await REQUEST_KEY.execute(transaction, rows)
}

/** A refused first request leaves no trace: the row that was made to be locked goes again. */
async function deleteUntouched(
  transaction: Transaction<Schema>,
  locked: ReadonlyMap<string, LockedUser>,
  accepted: readonly Accepted[],
): Promise<void> {
  const written = new Set(accepted.map(({ request }) => request.userId))
  const users = [...locked].flatMap(([userId, { state }]) =>
    state.version === 0 && !written.has(userId) ? [userId] : [],
  )
  if (users.length === 0) return
  await transaction
    .deleteFrom('portfolio')
    .where('user_id', 'in', users)
    .where('version', '=', 0)
    .execute()
}
