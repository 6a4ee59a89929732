import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { CallRefused, openServiceClient, type ServiceClient } from '../api/client.ts'
import { type FileRow, parseFile, type RejectedRow } from './import-file.ts'
import { type Progress, showProgress } from './progress.ts'

const ROWS_PER_REQUEST = 200
/** A request names at least one row each time it is refused; a batch that is refused more often is given up. */
const ROUNDS_MAX = 50
const REJECTED_SHOWN_MAX = 1_000

const IMPORT_USAGE = `usage: cli import FILE --user USER [options]
  --target HOST:PORT      the running service; else TARGET
  --dry-run               says what would be recorded, and records nothing
  --account NAME          of rows that name none
  --source NAME           who made the file; row ids are unique for a source (csv)
  --date-order mdy | dmy  of dates such as 03/04/2024, where no date of the file tells
The columns are described in docs/import.md.`

/** The command was not given as it has to be. */
export class ImportUsageError extends Error {
  override readonly name = 'ImportUsageError'
}

/** Not everything was recorded; the message says what was and what was not. */
class ImportIncomplete extends Error {
  override readonly name = 'ImportIncomplete'
}

/**
 * Records the rows of a CSV file with a running service, all of them checked first. What an earlier run recorded is
 * passed over, so a run that was ended may be repeated.
 * @returns what was done.
 * @throws ImportUsageError, FileUnreadable, ImportIncomplete naming every rejected row, CallRefused when the service
 * does not take part.
 */
export async function importFile(
  args: readonly string[],
  defaultTarget: string,
  output: NodeJS.WriteStream = process.stderr,
): Promise<string> {
  const { file, user, target, dryRun, ...options } = readArguments(args)
  const parsed = parseFile(await readFile(file, 'utf8'), options)
  const client = openServiceClient(target ?? defaultTarget)
  const importer = new Importer(client, user, parsed.rejected, output)
  try {
    const sound = await importer.check(parsed.rows)
    if (!dryRun) await importer.record(sound)
  } finally {
    client.close()
  }
  const summary = importer.summary(dryRun)
  if (importer.rejected.length > 0) throw new ImportIncomplete(summary)
  return summary
}

function readArguments(args: readonly string[]) {
  const { values, positionals } = parse(args)
  const [file, ...more] = positionals
  const order = values['date-order']
  if (file === undefined || more.length > 0 || values.user === undefined) {
    throw new ImportUsageError(IMPORT_USAGE)
  }
  if (order !== undefined && order !== 'mdy' && order !== 'dmy') {
    throw new ImportUsageError(IMPORT_USAGE)
  }
  return {
    file,
    user: values.user,
    target: values.target,
    dryRun: values['dry-run'],
    account: values.account,
    source: values.source,
    dayFirst: order === undefined ? undefined : order === 'dmy',
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        user: { type: 'string' },
        target: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        account: { type: 'string', default: '' },
        source: { type: 'string', default: 'csv' },
        'date-order': { type: 'string' },
      },
    })
  } catch (error) {
    throw new ImportUsageError(`${(error as Error).message}\n${IMPORT_USAGE}`)
  }
}

class Importer {
  readonly rejected: RejectedRow[]
  readonly #client: ServiceClient
  readonly #user: string
  readonly #output: NodeJS.WriteStream
  readonly #counts = { checked: 0, recorded: 0, known: 0, undecided: 0 }

  constructor(
    client: ServiceClient,
    user: string,
    rejected: readonly RejectedRow[],
    output: NodeJS.WriteStream,
  ) {
    this.#client = client
    this.#user = user
    this.#output = output
    this.rejected = [...rejected]
  }

  /**
   * The rows that the service has nothing against, without recording any. A sale of what an earlier row buys cannot
   * be judged before that one is recorded: it stays.
   */
  async check(rows: readonly FileRow[]): Promise<readonly FileRow[]> {
    const symbols = new Set<string>()
    const undecided: FileRow[] = []
    const sound = await this.#inBatches('checked', rows, async (batch) => {
      const accepted = await this.#send(batch, true, (row, isOfState) => {
        if (!isOfState || !symbols.has(row.transaction.symbol)) return false
        undecided.push(row)
        return true
      })
      for (const { transaction } of batch) symbols.add(transaction.symbol)
      return accepted.rows
    })
    this.#counts.checked = sound.length
    this.#counts.undecided = undecided.length
    const kept = new Set([...sound, ...undecided])
    return rows.filter((row) => kept.has(row))
  }

  async record(rows: readonly FileRow[]): Promise<void> {
    await this.#inBatches('recorded', rows, async (batch) => {
      const { replayed } = await this.#send(batch, false, () => false)
      const known = replayed.filter(Boolean).length
      this.#counts.known += known
      this.#counts.recorded += replayed.length - known
      return []
    })
  }

  summary(dryRun: boolean): string {
    const { checked, recorded, known, undecided } = this.#counts
    const rejected = this.rejected.toSorted((left, right) => left.line - right.line)
    const lines = rejected
      .slice(0, REJECTED_SHOWN_MAX)
      .map(({ line, reason }) => `line ${line}: ${reason}`)
    if (rejected.length > lines.length) {
      lines.push(`and ${rejected.length - lines.length} more`)
    }
    const later = undecided === 0 ? '' : `, ${undecided} that depend on rows before them`
    const done = dryRun
      ? `dry run, nothing recorded: ${checked} rows are sound${later}`
      : `${recorded} rows recorded, ${known} had been before`
    return [...lines, `${done}, ${rejected.length} rejected`].join('\n')
  }

  async #inBatches(
    name: string,
    rows: readonly FileRow[],
    work: (batch: readonly FileRow[]) => Promise<readonly FileRow[]>,
  ): Promise<readonly FileRow[]> {
    if (rows.length === 0) return []
    const progress: Progress = showProgress(name, rows.length, this.#output)
    const results: FileRow[] = []
    try {
      for (let start = 0; start < rows.length; start += ROWS_PER_REQUEST) {
        const batch = rows.slice(start, start + ROWS_PER_REQUEST)
        results.push(...(await work(batch)))
        progress.advance(batch.length)
      }
    } finally {
      progress.end()
    }
    return results
  }

  /** Sends a batch, and again without the rows that the service names, until it takes the rest whole. */
  async #send(
    batch: readonly FileRow[],
    validateOnly: boolean,
    excuse: (row: FileRow, isOfState: boolean) => boolean,
  ): Promise<{ readonly rows: readonly FileRow[]; readonly replayed: readonly boolean[] }> {
    let rows = batch
    for (let round = 0; rows.length > 0; round += 1) {
      try {
        const transactions = rows.map((row) => row.transaction)
        const options = { validateOnly }
        const replayed = await this.#client.recordTransactions(this.#user, transactions, options)
        return { rows, replayed }
      } catch (error) {
        if (!(error instanceof CallRefused) || error.transactions.length === 0) throw error
        if (round === ROUNDS_MAX) {
          this.#rejectAll(rows, `its request was refused too often, at last: ${error.message}`)
          break
        }
        rows = this.#withoutRefused(rows, error, excuse)
      }
    }
    return { rows: [], replayed: [] }
  }

  #withoutRefused(
    rows: readonly FileRow[],
    error: CallRefused,
    excuse: (row: FileRow, isOfState: boolean) => boolean,
  ): readonly FileRow[] {
    const reasons = new Map<FileRow, string[]>()
    for (const { index, reason, description } of error.transactions) {
      const row = rows[index]
      if (row === undefined) throw error
      const own = reasons.get(row) ?? []
      own.push(`${description} (${reason})`)
      reasons.set(row, own)
    }
    for (const [row, texts] of reasons) {
      if (excuse(row, error.code === 'FAILED_PRECONDITION')) continue
      this.rejected.push({ line: row.line, reason: texts.join('; ') })
    }
    return rows.filter((row) => !reasons.has(row))
  }

  #rejectAll(rows: readonly FileRow[], reason: string): void {
    for (const { line } of rows) this.rejected.push({ line, reason })
  }
}
