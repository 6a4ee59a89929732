import type { Transaction } from 'kysely'
import { decimal } from '../src/domain/decimal.ts'
import type { PortfolioChange } from '../src/domain/portfolio/portfolio-change.ts'
import { NO_HISTORIES, recordTransactions } from '../src/domain/portfolio/record-transactions.ts'
import { newPortfolio, type PortfolioState } from '../src/domain/portfolio/state.ts'
import { type Instant, MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND } from '../src/domain/time.ts'
import { BulkInsert } from '../src/infra/postgres/bulk-insert.ts'
import { writeChanges } from '../src/infra/postgres/change-rows.ts'
import { openDatabase } from '../src/infra/postgres/database.ts'
import type { Schema } from '../src/infra/postgres/schema.ts'
import { heldSymbol, type Population, priceText, SEEDED_LOT_UNITS, userId } from './workload.ts'

const MILLISECONDS_PER_DAY = 86_400_000

/**
 * Midnight: every request of the run is later, and no valuation of a past day is owed. What a service in use has kept
 * day by day would be made here of months at once, beside what is measured.
 */
const SEEDED_AT: Instant = Math.floor(Date.now() / MILLISECONDS_PER_DAY) * MICROSECONDS_PER_DAY
const ENTRIES_PER_TRANSACTION = 2_500
const CONNECTIONS = 2

const PORTFOLIO = new BulkInsert('portfolio', ['user_id'])

/**
 * Writes what the service would have written for one request per lot and user: decided by the same domain core,
 * written by the same statements, many users to a transaction.
 */
export async function seedPopulations(
  databaseUrl: string,
  populations: readonly Population[],
): Promise<void> {
  const database = openDatabase({ databaseUrl, poolMax: CONNECTIONS })
  try {
    const known = await database.kysely.selectFrom('portfolio').select('user_id').limit(1).execute()
    if (known.length > 0) throw new Error('only an empty database is seeded')
    const batches = populations.flatMap(batchesOf)
    const work = async (): Promise<void> => {
      for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
        const { population, first, end } = batch
        await database.transaction(async (transaction) => {
          await seedUsers(transaction, population, first, end)
          return { commit: true, result: undefined }
        })
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, work))
  } finally {
    await database.close()
  }
}

function batchesOf(
  population: Population,
): { population: Population; first: number; end: number }[] {
  const size = Math.max(1, Math.floor(ENTRIES_PER_TRANSACTION / population.holdings))
  return Array.from({ length: Math.ceil(population.users / size) }, (_, batch) => ({
    population,
    first: batch * size,
    end: Math.min(population.users, (batch + 1) * size),
  }))
}

async function seedUsers(
  transaction: Transaction<Schema>,
  population: Population,
  first: number,
  end: number,
): Promise<void> {
  const users = Array.from({ length: end - first }, (_, index) => first + index)
  await PORTFOLIO.execute(
    transaction,
    users.map((user) => [userId(population, user)]),
  )
  let states = users.map((user) => newPortfolio(userId(population, user)))
  for (const [round, units] of SEEDED_LOT_UNITS.entries()) {
    const changes = states.map((state, index) =>
      bought(state, { user: first + index, holdings: population.holdings, round, units }),
    )
    await writeChanges(transaction, changes)
    states = changes.map((change) => change.after)
  }
}

function bought(
  state: PortfolioState,
  seed: { user: number; holdings: number; round: number; units: number },
): PortfolioChange {
  const drafts = Array.from({ length: seed.holdings }, (_, holding) => {
    const instrumentId = heldSymbol(seed.user, holding)
    return {
      instrumentId,
      accountId: '',
      type: 'BUY' as const,
      quantity: decimal(seed.units),
      price: decimal(priceText(instrumentId, 50 + seed.round)),
      effectiveAt: undefined,
    }
  })
  const recording = recordTransactions(state, drafts, {
    now: SEEDED_AT + seed.round * MICROSECONDS_PER_SECOND,
    requestId: `seed-${seed.round}`,
    histories: NO_HISTORIES,
  })
  if (recording.kind !== 'recorded') throw new Error('the seed was not recorded')
  return recording.change
}
