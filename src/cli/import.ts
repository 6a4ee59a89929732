import { readFile } from 'node:fs/promises'
import { openServiceClient, type ServiceClient } from '../api/client.ts'
import { ImportIncomplete, ImportUsageError, readArguments, readDateOrder } from './arguments.ts'
import { type FileRow, parseFile } from './import-file.ts'
import { inBatches, type RejectedRow, sendSound, summaryOf } from './rows.ts'

const ROWS_PER_REQUEST = 200

const IMPORT_USAGE = `usage: cli import FILE --user USER [options]
  --target HOST:PORT      the running service; else TARGET
  --dry-run               says what would be recorded, and records nothing
  --account NAME          of rows that name none
  --source NAME           who made the file; row ids are unique for a source (csv)
  --date-order mdy | dmy  of dates such as 03/04/2024, where no date of the file tells
The columns are described in docs/import.md.`

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
  const { file, user, target, dryRun, ...options } = readImport(args)
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

function readImport(args: readonly string[]) {
  const { file, values } = readArguments(args, IMPORT_USAGE, {
    user: { type: 'string' },
    target: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
    account: { type: 'string', default: '' },
    source: { type: 'string', default: 'csv' },
    'date-order': { type: 'string' },
  })
  if (values.user === undefined) throw new ImportUsageError(IMPORT_USAGE)
  return {
    file,
    user: values.user,
    target: values.target,
    dryRun: values['dry-run'],
    account: values.account,
    source: values.source,
    dayFirst: readDateOrder(values['date-order'], IMPORT_USAGE),
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
    const later = undecided === 0 ? '' : `, ${undecided} that depend on rows before them`
    const done = dryRun
      ? `dry run, nothing recorded: ${checked} rows are sound${later}`
      : `${recorded} rows recorded, ${known} had been before`
    return summaryOf(done, this.rejected)
  }

  async #inBatches(
    name: string,
    rows: readonly FileRow[],
    work: (batch: readonly FileRow[]) => Promise<readonly FileRow[]>,
  ): Promise<readonly FileRow[]> {
    const results: FileRow[] = []
    await inBatches(name, rows, ROWS_PER_REQUEST, {
      work: async (batch) => void results.push(...(await work(batch))),
      output: this.#output,
    })
    return results
  }

  async #send(
    batch: readonly FileRow[],
    validateOnly: boolean,
    excuse: (row: FileRow, isOfState: boolean) => boolean,
  ): Promise<{ readonly rows: readonly FileRow[]; readonly replayed: readonly boolean[] }> {
    const sent = await sendSound(
      batch,
      (rows) => {
        const transactions = rows.map((row) => row.transaction)
        return this.#client.recordTransactions(this.#user, transactions, { validateOnly })
      },
      (row, reason, isOfState) => {
        if (!excuse(row, isOfState)) this.rejected.push({ line: row.line, reason })
      },
    )
    return sent === undefined
      ? { rows: [], replayed: [] }
      : { rows: sent.rows, replayed: sent.answer }
  }
}
