import { readFile } from 'node:fs/promises'
import { openMarketDataClient } from '../api/market-data-client.ts'
import { ImportIncomplete, readArguments } from './arguments.ts'
import { parseInstruments } from './instrument-file.ts'
import { inBatches, sendSound, summaryOf } from './rows.ts'

const ROWS_PER_REQUEST = 200

const USAGE = `usage: cli import-instruments FILE [options]
  --target HOST:PORT  the running service; else TARGET
The columns are described in docs/market-data.md.`

/**
 * Describes the instruments of a CSV file: what is known is replaced, so the same file again changes nothing, and a run
 * that was ended may be repeated.
 * @returns what was done.
 * @throws ImportUsageError, FileUnreadable, ImportIncomplete naming every rejected row, CallRefused when the service
 * does not take part.
 */
export async function importInstruments(
  args: readonly string[],
  defaultTarget: string,
  output: NodeJS.WriteStream = process.stderr,
): Promise<string> {
  const { file, values } = readArguments(args, USAGE, { target: { type: 'string' } })
  const { rows, rejected: unread } = parseInstruments(await readFile(file, 'utf8'))
  const rejected = [...unread]
  const client = openMarketDataClient(values.target ?? defaultTarget)
  const counts = { created: 0, updated: 0 }
  try {
    await inBatches('instruments', rows, ROWS_PER_REQUEST, {
      async work(batch) {
        const sent = await sendSound(
          batch,
          (sound) => client.upsertInstruments(sound.map(({ instrument }) => instrument)),
          ({ line }, reason) => rejected.push({ line, reason }),
        )
        counts.created += sent?.answer.created ?? 0
        counts.updated += sent?.answer.updated ?? 0
      },
      output,
    })
  } finally {
    client.close()
  }
  const done = `${counts.created} instruments added, ${counts.updated} replaced`
  const summary = summaryOf(done, rejected)
  if (rejected.length > 0) throw new ImportIncomplete(summary)
  return summary
}
