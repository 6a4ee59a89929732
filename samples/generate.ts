// Writes transactions.csv from the prices of vega-datasets: npx tsx samples/generate.ts
import { writeFileSync } from 'node:fs'
import { readMonthEnds } from './market-prices.ts'
import { planTransactions } from './savings-plan.ts'
import { formatTransactions } from './transactions-file.ts'

const rows = planTransactions(readMonthEnds())
writeFileSync(new URL('transactions.csv', import.meta.url), formatTransactions(rows))
console.log(`transactions.csv: ${rows.length} transactions`)
