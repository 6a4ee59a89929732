import { CompiledQuery, type Insertable, type Transaction } from 'kysely'
import type { Schema } from './schema.ts'

/** PostgreSQL takes at most 65,535 parameters in a statement; well below it, a statement stays cheap to plan. */
const PARAMETERS_MAX = 16_000
/** Texts kept by number of rows, so that the usual batches do not build theirs anew. */
const TEXTS_MAX = 256

/**
 * Inserts rows of one shape as multi-row VALUES, which distributes better than unnest and costs the client a
 * fraction of building each statement's tree.
 */
export class BulkInsert<Table extends keyof Schema> {
  readonly #table: Table
  readonly #columns: readonly (keyof Insertable<Schema[Table]> & string)[]
  readonly #suffix: string
  readonly #texts = new Map<number, string>()

  constructor(
    table: Table,
    columns: readonly (keyof Insertable<Schema[Table]> & string)[],
    onConflict = '',
  ) {
    this.#table = table
    this.#columns = columns
    this.#suffix = onConflict === '' ? '' : ` on conflict ${onConflict}`
  }

  /** Starts the statements that insert `rows`, each holding its values in the order of the columns. */
  async execute(
    transaction: Pick<Transaction<Schema>, 'executeQuery'>,
    rows: readonly (readonly unknown[])[],
  ): Promise<void> {
    const rowsMax = Math.floor(PARAMETERS_MAX / this.#columns.length)
    const statements: Promise<unknown>[] = []
    for (let start = 0; start < rows.length; start += rowsMax) {
      const chunk = rows.slice(start, start + rowsMax)
      const query = CompiledQuery.raw(this.#text(chunk.length), chunk.flat())
      statements.push(transaction.executeQuery(query))
    }
    await Promise.all(statements)
  }

  #text(count: number): string {
    const known = this.#texts.get(count)
    if (known !== undefined) return known
    const width = this.#columns.length
    const tuples = Array.from(
      { length: count },
      (_, row) =>
        `(${this.#columns.map((__, column) => `$${row * width + column + 1}`).join(',')})`,
    )
    const text = `insert into ${this.#table} (${this.#columns.join(', ')}) values ${tuples.join(',')}${this.#suffix}`
    if (count <= TEXTS_MAX) this.#texts.set(count, text)
    return text
  }
}

/** "do update set a = excluded.a, …": every column but the key's takes the new row's value. */
export function replacing(key: readonly string[], columns: readonly string[]): string {
  const set = columns.filter((column) => !key.includes(column))
  return `(${key.join(', ')}) do update set ${set.map((column) => `${column} = excluded.${column}`).join(', ')}`
}
