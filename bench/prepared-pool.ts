import {
  type PostgresCursor,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely'
import type pg from 'pg'

/** A pool for Kysely whose statements with parameters are prepared once on each connection, by their text. */
export class PreparedPool implements PostgresPool {
  readonly #pool: pg.Pool
  readonly #names = new Map<string, string>()
  readonly #clients = new WeakMap<pg.PoolClient, PreparedClient>()

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#pool.connect()
    let prepared = this.#clients.get(client)
    if (prepared === undefined) {
      prepared = new PreparedClient(client, this.#names)
      this.#clients.set(client, prepared)
    }
    return prepared
  }

  end(): Promise<void> {
    return this.#pool.end()
  }
}

class PreparedClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient
  readonly #names: Map<string, string>

  constructor(client: pg.PoolClient, names: Map<string, string>) {
    this.#client = client
    this.#names = names
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>
  query<R>(
    statement: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof statement !== 'string') throw new Error('cursors are not used here')
    const result =
      parameters.length === 0
        ? this.#client.query(statement)
        : this.#client.query({
            name: this.#name(statement),
            text: statement,
            values: [...parameters],
          })
    // What pg calls a result is what Kysely reads of it.
    return result as unknown as Promise<PostgresQueryResult<R>>
  }

  release(): void {
    this.#client.release()
  }

  #name(text: string): string {
    let name = this.#names.get(text)
    if (name === undefined) {
      name = `s${this.#names.size}`
      this.#names.set(text, name)
    }
    return name
  }
}
