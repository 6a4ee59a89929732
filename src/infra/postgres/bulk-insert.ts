import { CompiledQuery, type Insertable, type QueryResult, type Transaction } from 'kysely'
import { executePrepared } from './database.ts'
import type { Schema } from './schema.ts'

/**
 * Rows of one statement, at most; smaller ones come in powers of two. So a table has few texts, which are prepared once
 * a connection: parsing them costs the database half as much again as the rows themselves do.
 */
const ROWS_MAX = 64

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

  /**
   * Starts the statements that insert `rows`, each holding its values in the order of the columns; gives back how many
   * were written.
   */
  async execute(
    transaction: Pick<Transaction<Schema>, 'executeQuery'>,
    rows: readonly (readonly unknown[])[],
  ): Promise<number> {
    const statements: Promise<QueryResult<unknown>>[] = []
    let start = 0
    for (let size = ROWS_MAX; start < rows.length; size /= 2) {
      for (; start + size <= rows.length; start += size) {
        const values: unknown[] = []
        for (let row = start; row < start + size; row += 1) values.push(...(rows[row] ?? []))
        const query = CompiledQuery.raw(this.#text(size), values)
        statements.push(executePrepared(transaction, `insert into ${this.#table} ${size}`, query))
      }
    }
    const results = await Promise.all(statements)
    return results.reduce((sum, { numAffectedRows = 0n }) => sum + Number(numAffectedRows), 0)
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
    this.#texts.set(count, text)
    return text
  }
}

/** "do update set a = excluded.a, …": every column but the key's takes the new row's value. */
export function replacing(key: readonly string[], columns: readonly string[]): string {
  const set = columns.filter((column) => !key.includes(column))
  return `(${key.join(', ')}) do update set ${set.map((column) => `${column} = excluded.${column}`).join(', ')}`
}
