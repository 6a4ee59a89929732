import {
  type CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  type QueryResult,
  Transaction,
} from 'kysely'
import { isNativeError } from 'node:util/types'
import pg from 'pg'
import { type Instant, MICROSECONDS_PER_SECOND, rfc3339 } from '../../domain/time.ts'
import type { Schema } from './schema.ts'

/** A statement may wait this long for a row another writer holds. */
const LOCK_TIMEOUT_MS = 2_000
const STATEMENT_TIMEOUT_MS = 5_000
/** Covers what the server's own timeout cannot: a server that does not answer at all. */
const QUERY_TIMEOUT_MS = 6_000
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 3_000

/** The commit was sent, and the connection was lost or refused before its answer was understood. */
export class CommitOutcomeUnknown extends Error {
  override readonly name = 'CommitOutcomeUnknown'
}

export interface Database {
  readonly kysely: Kysely<Schema>
  /**
   * Runs `work` in one READ COMMITTED transaction on a pipelined connection: statements started without awaiting the
   * ones before go out in one trip, BEGIN with the first of them. Commits when `work` says so, else rolls back.
   * @throws CommitOutcomeUnknown when the commit may have happened.
   */
  transaction<Result>(
    work: (transaction: Transaction<Schema>) => Promise<{ commit: boolean; result: Result }>,
  ): Promise<Result>
  close(): Promise<void>
}

export function openDatabase(options: { databaseUrl: string; poolMax: number }): Database {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: options.poolMax,
    application_name: 'portfolio-tracking-service',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    options: '-c TimeZone=UTC -c DateStyle=ISO -c synchronous_commit=on',
    keepAlive: true,
    pipeline: true,
    types: { getTypeParser },
  })
  // A pooled connection that breaks while idle is replaced by the pool; without a listener the process would end.
  pool.on('error', ignore)
  pool.on('connect', (client) => client.on('error', ignore))
  const dialect = new PostgresDialect({ pool })
  const kysely = new Kysely<Schema>({ dialect })
  return {
    kysely,
    transaction: async (work) => {
      const client = await pool.connect()
      // A checked-out connection reports its loss here and through the statement under way: once is enough.
      client.on('error', ignore)
      let broken: Error | undefined
      try {
        const connection = new PipelinedConnection(client)
        const executor = kysely.getExecutor().withConnectionProvider({
          provideConnection: (consumer) => consumer(connection),
        })
        const props = { config: { dialect }, dialect, driver: dialect.createDriver(), executor }
        return await runTransaction(connection, () => work(new Transaction<Schema>(props)))
      } catch (error) {
        if (isConnectionLoss(error)) broken = toError(error)
        throw error
      } finally {
        client.off('error', ignore)
        client.release(broken)
      }
    },
    close: () => kysely.destroy(),
  }
}

async function runTransaction<Result>(
  connection: PipelinedConnection,
  work: () => Promise<{ commit: boolean; result: Result }>,
): Promise<Result> {
  const begun = connection.command('begin')
  let outcome
  try {
    const working = work()
    ;[, outcome] = await Promise.all([begun, working])
  } catch (error) {
    await connection.command('rollback').catch(() => undefined)
    throw connection.failure ?? error
  }
  if (!outcome.commit) {
    await connection.command('rollback')
    return outcome.result
  }
  let command
  try {
    command = await connection.command('commit')
  } catch (error) {
    throw new CommitOutcomeUnknown('the connection was lost at commit', { cause: error })
  }
  // PostgreSQL answers the COMMIT of a failed transaction without an error, as ROLLBACK.
  if (command !== 'COMMIT') throw new Error(`commit was answered with ${command}`)
  return outcome.result
}

function ignore(): void {}

interface PreparedStatement extends CompiledQuery {
  readonly name: string
}

/**
 * Runs a statement that is parsed once a connection, under a name that no other text has. Not for "select *": the
 * columns of a prepared statement's result must not change, and a migration changes them.
 */
export function executePrepared<Row>(
  transaction: Pick<Transaction<Schema>, 'executeQuery'>,
  name: string,
  query: CompiledQuery<Row>,
): Promise<QueryResult<Row>> {
  const statement: PreparedStatement = { ...query, name }
  return transaction.executeQuery<Row>(statement)
}

/** One checked-out connection; the statements of one turn go out together as they are started. */
class PipelinedConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient
  #corked = false
  #failure: unknown

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  /** The first statement's error: those of the statements behind it say only that the transaction is aborted. */
  get failure(): unknown {
    return this.#failure
  }

  async executeQuery<Row>(query: CompiledQuery | PreparedStatement): Promise<QueryResult<Row>> {
    this.#cork()
    try {
      const result = await this.#client.query({
        text: query.sql,
        values: query.parameters as unknown[],
        ...('name' in query && { name: query.name }),
      })
      // pg types its rows as any; the query's own type is the claim that counts.
      return { rows: result.rows as Row[], numAffectedRows: BigInt(result.rowCount ?? 0) }
    } catch (error) {
      this.#failure ??= error
      throw error
    }
  }

  /** @returns the tag that the server answers. */
  async command(text: 'begin' | 'commit' | 'rollback'): Promise<string> {
    this.#cork()
    return (await this.#client.query(text)).command
  }

  /** One system call for what is started before the event loop goes on, instead of one a statement. */
  #cork(): void {
    if (this.#corked) return
    const { stream } = this.#client.connection
    this.#corked = true
    stream.cork()
    process.nextTick(() => {
      this.#corked = false
      stream.uncork()
    })
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('a pipelined connection cannot stream')
  }
}

const INT8 = 20
const TIMESTAMPTZ = 1184

/** pg's own typing knows object ids as an enum, the server sends any number. */
const builtinParser = pg.types.getTypeParser as (
  oid: number,
  format: string,
) => (text: string) => unknown

function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === INT8) return Number
  if (oid === TIMESTAMPTZ) return instantOfText
  return builtinParser(oid, format ?? 'text')
}

/** Reads "2023-11-14 22:13:20.123456+00": PostgreSQL's ISO style in UTC. */
function instantOfText(text: string): Instant {
  const seconds = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`) / 1_000
  const fraction = text.charAt(19) === '.' ? text.slice(20, text.indexOf('+', 20)) : ''
  return seconds * MICROSECONDS_PER_SECOND + Number(fraction.padEnd(6, '0'))
}

/** What a timestamptz column takes. */
export function timestampText(instant: Instant): string {
  // The rows of a request mostly name one moment.
  if (instant !== lastInstant) {
    lastText = rfc3339(instant)
    lastInstant = instant
  }
  return lastText
}

let lastInstant: Instant = 0
let lastText = rfc3339(lastInstant)

const LOST = /terminated|timeout|closed|not queryable|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH/i

/** pg reports a lost connection, an exhausted pool and its own timeouts by message only. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof CommitOutcomeUnknown) return true
  const code = sqlState(error)
  if (code !== undefined) return /^(08|57P0)/.test(code)
  return isNativeError(error) && LOST.test(`${error.message} ${String(Reflect.get(error, 'code'))}`)
}

/** The five characters of PostgreSQL's error, or undefined when the error is not from it. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined
  return error.code
}

function toError(error: unknown): Error {
  return isNativeError(error) ? error : new Error(String(error))
}
