import { CsvError, parse } from 'csv-parse/sync'

/** Where each column of a file stands. */
export type Header<Column> = ReadonlyMap<Column, number>

/** A row of a file; `line` is the file's, from 1. */
export interface Line {
  readonly line: number
  readonly cells: readonly string[]
}

/** The file is none that can be read at all. */
export class FileUnreadable extends Error {
  override readonly name = 'FileUnreadable'
}

const DELIMITERS = [',', ';', '\t'] as const
/** Some write who made the file and for which account above the header. */
const LINES_BEFORE_HEADER_MAX = 30

export interface Table<Column> {
  readonly header: Header<Column>
  readonly lines: readonly Line[]
  readonly delimiter: string
}

type HeaderOf<Column> = ((cells: readonly string[]) => Header<Column> | undefined) & {
  readonly required: readonly Column[]
}

/**
 * Reads the columns a line names, whatever their order, capitals, spaces, signs and what stands in parentheses;
 * undefined when one of the `required` is not among them.
 */
export function headerReader<Column extends string>(
  names: Readonly<Record<Column, readonly string[]>>,
  required: readonly Column[],
): HeaderOf<Column> {
  const columns = new Map<string, Column>()
  for (const column of Object.keys(names) as Column[]) {
    for (const name of names[column]) columns.set(name, column)
  }
  const headerOf = (cells: readonly string[]): Header<Column> | undefined => {
    const header = new Map<Column, number>()
    for (const [place, cell] of cells.entries()) {
      const column = columns.get(cell.toLowerCase().replace(/\([^)]*\)|[^a-z]/g, ''))
      // Of two columns that say the same the first counts.
      if (column !== undefined && !header.has(column)) header.set(column, place)
    }
    return required.every((column) => header.has(column)) ? header : undefined
  }
  return Object.assign(headerOf, { required })
}

/** @throws FileUnreadable when it is no CSV, or has no header. */
export function readTable<Column>(text: string, headerOf: HeaderOf<Column>): Table<Column> {
  let found: Table<Column> | undefined
  const failures: CsvError[] = []
  for (const delimiter of DELIMITERS) {
    const lines = splitLines(text, delimiter, failures)
    const place = lines
      .slice(0, LINES_BEFORE_HEADER_MAX)
      .findIndex(({ cells }) => headerOf(cells) !== undefined)
    const header = headerOf(lines[place]?.cells ?? [])
    if (header === undefined || header.size <= (found?.header.size ?? 0)) continue
    found = { header, delimiter, lines: lines.slice(place + 1) }
  }
  const [failure] = failures
  if (found === undefined && failure !== undefined) {
    throw new FileUnreadable(failure.message, { cause: failure })
  }
  if (found === undefined) {
    const least = headerOf.required.map((column) => `a ${String(column)}`).join(' and ')
    throw new FileUnreadable(`no line names the columns: ${least} are the least`)
  }
  return found
}

/** With the wrong delimiter a quote may stand anywhere: a failure counts when no other one does better. */
function splitLines(text: string, delimiter: string, failures: CsvError[]): readonly Line[] {
  try {
    const records = parse(text, {
      delimiter,
      bom: true,
      trim: true,
      info: true,
      relax_column_count: true,
      skip_records_with_empty_values: true,
    }) as unknown as readonly { record: readonly string[]; info: { lines: number } }[]
    return records.map(({ record, info }) => ({ line: info.lines, cells: record }))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    failures.push(error)
    return []
  }
}

export function cellOf<Column>(
  cells: readonly string[],
  header: Header<Column>,
  column: Column,
): string {
  const place = header.get(column)
  return place === undefined ? '' : (cells[place] ?? '')
}
