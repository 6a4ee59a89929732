import { CallRefused } from '../api/client.ts'
import { type Progress, showProgress } from './progress.ts'

/** A row that is not taken, and why; `line` is the file's, from 1. */
export interface RejectedRow {
  readonly line: number
  readonly reason: string
}

/** A request names at least one row each time it is refused; a batch that is refused more often is given up. */
const ROUNDS_MAX = 50
const REJECTED_SHOWN_MAX = 1_000

/** Shows progress while `work` is done for one batch of rows after the other. */
export async function inBatches<Row>(
  name: string,
  rows: readonly Row[],
  sizeMax: number,
  { work, output }: { work: (batch: readonly Row[]) => Promise<void>; output: NodeJS.WriteStream },
): Promise<void> {
  if (rows.length === 0) return
  const progress: Progress = showProgress(name, rows.length, output)
  try {
    for (let start = 0; start < rows.length; start += sizeMax) {
      const batch = rows.slice(start, start + sizeMax)
      await work(batch)
      progress.advance(batch.length)
    }
  } finally {
    progress.end()
  }
}

/**
 * Sends a batch, and again without the rows that the service names, until it takes the rest whole: those, and what it
 * answered, or undefined when none is left. `refuse` is told of each row that was left out.
 * @throws CallRefused when it names none.
 */
export async function sendSound<Row, Answer>(
  batch: readonly Row[],
  send: (rows: readonly Row[]) => Promise<Answer>,
  refuse: (row: Row, reason: string, isOfState: boolean) => void,
): Promise<{ readonly rows: readonly Row[]; readonly answer: Answer } | undefined> {
  let rows = batch
  for (let round = 0; rows.length > 0; round += 1) {
    try {
      return { rows, answer: await send(rows) }
    } catch (error) {
      if (!(error instanceof CallRefused) || error.entries.length === 0) throw error
      if (round === ROUNDS_MAX) {
        const reason = `its request was refused too often, at last: ${error.message}`
        for (const row of rows) refuse(row, reason, false)
        return undefined
      }
      const reasons = reasonsOf(rows, error)
      for (const [row, texts] of reasons) {
        refuse(row, texts.join('; '), error.code === 'FAILED_PRECONDITION')
      }
      rows = rows.filter((row) => !reasons.has(row))
    }
  }
  return undefined
}

function reasonsOf<Row>(
  rows: readonly Row[],
  error: CallRefused,
): ReadonlyMap<Row, readonly string[]> {
  const reasons = new Map<Row, string[]>()
  for (const { index, reason, description } of error.entries) {
    const row = rows[index]
    if (row === undefined) throw error
    const own = reasons.get(row) ?? []
    own.push(`${description} (${reason})`)
    reasons.set(row, own)
  }
  return reasons
}

/** What was done, after the rows that were rejected, the first of the file first. */
export function summaryOf(done: string, rejected: readonly RejectedRow[]): string {
  const lines = rejected
    .toSorted((left, right) => left.line - right.line)
    .slice(0, REJECTED_SHOWN_MAX)
    .map(({ line, reason }) => `line ${line}: ${reason}`)
  if (rejected.length > lines.length) lines.push(`and ${rejected.length - lines.length} more`)
  return [...lines, `${done}, ${rejected.length} rejected`].join('\n')
}
