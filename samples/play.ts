// Plays transactions.csv through a running service: npm run sample [-- --target host:port --user name]
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { readIndexCloses, readShareCloses } from './market-prices.ts'
import { type Played, playFile } from './player.ts'
import { showProgress } from '../src/cli/progress.ts'
import { openServiceClient } from './service-client.ts'
import { renderSummary } from './summary-table.ts'

const SERVING_WAIT_MAX_MILLISECONDS = 10_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: process.env['TARGET'] ?? '127.0.0.1:50051' },
      user: { type: 'string', default: 'sample' },
    },
  })
  const client = openServiceClient(values.target)
  try {
    await client.waitUntilServing(SERVING_WAIT_MAX_MILLISECONDS)
    const csv = await readFile(new URL('transactions.csv', import.meta.url), 'utf8')
    const closes = [...readShareCloses(), ...readIndexCloses()]
    const played = await playFile(client, { csv, closes, userId: values.user, showProgress })
    console.log(describe(played, values.user))
    console.log(renderSummary(played.portfolio))
  } finally {
    client.close()
  }
}

function describe(
  { transactions, batches, replayedBatches, quotes }: Played,
  user: string,
): string {
  const outcome =
    replayedBatches === 0
      ? 'all applied'
      : `${replayedBatches} replayed (applied by an earlier run, nothing changed)`
  const prices = `${quotes.accepted} prices taken, ${quotes.quarantined} set aside`
  return `user "${user}": ${transactions} transactions in ${batches} requests, ${outcome}; ${prices}`
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
