import { readFile } from 'node:fs/promises'
import { openMarketDataClient } from '../api/market-data-client.ts'
import { ImportIncomplete, readArguments, readDateOrder } from './arguments.ts'
import { parsePrices } from './price-file.ts'
import { inBatches, summaryOf } from './rows.ts'

/** The service names the first hundred that it does not take, so each of so few. */
const ROWS_PER_REQUEST = 100

const USAGE = `usage: cli import-prices FILE [options]
  --target HOST:PORT      the running service; else TARGET
  --source NAME           who made the prices, of rows that name none (csv)
  --date-order mdy | dmy  of dates such as 03/04/2024, where no date of the file tells
The columns are described in docs/market-data.md.`

/**
 * Keeps the prices and exchange rates of a CSV file. The same price again is none, so a run that was ended may be
 * repeated.
 * @returns what was done.
 * @throws ImportUsageError, FileUnreadable, ImportIncomplete naming every rejected row, CallRefused when the service
 * does not take part.
 */
export async function importPrices(
  args: readonly string[],
  defaultTarget: string,
  output: NodeJS.WriteStream = process.stderr,
): Promise<string> {
  const { file, values } = readArguments(args, USAGE, {
    target: { type: 'string' },
    source: { type: 'string', default: 'csv' },
    'date-order': { type: 'string' },
  })
  const dayFirst = readDateOrder(values['date-order'], USAGE)
  const { source, target } = values
  const { rows, rejected: unread } = parsePrices(await readFile(file, 'utf8'), { source, dayFirst })
  const rejected = [...unread]
  const client = openMarketDataClient(target ?? defaultTarget)
  try {
    await inBatches('prices', rows, ROWS_PER_REQUEST, {
      async work(batch) {
        for (const { index, reason } of await client.ingestQuotes(
          batch.map(({ quote }) => quote),
        )) {
          rejected.push({ line: batch[index]?.line ?? 0, reason: `quarantined: ${reason}` })
        }
      },
      output,
    })
  } finally {
    client.close()
  }
  const kept = rows.length + unread.length - rejected.length
  const summary = summaryOf(`${kept} prices kept`, rejected)
  if (rejected.length > 0) throw new ImportIncomplete(summary)
  return summary
}
