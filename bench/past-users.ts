import grpc from '@grpc/grpc-js'
import pg from 'pg'
import { PortfolioService, TransactionType } from '../gen/portfolio/v1/portfolio_service_pb.ts'
import { callUnary } from '../src/api/client.ts'
import { timestampOf } from '../src/api/instant.ts'
import { MICROSECONDS_PER_SECOND } from '../src/domain/time.ts'
import type { Population } from './workload.ts'

const START_SECOND = Date.parse('2021-01-01T00:00:00Z') / 1_000
const DAYS = 1_000
const SECONDS_PER_DAY = 86_400
const SYMBOLS = 20
const TRANSACTIONS_PER_REQUEST = 1_000
/** Before it nothing may be held yet. */
const FIRST_SHARE = 0.02

/** One user with that many transactions over a thousand days. */
export interface PastUser {
  readonly population: Population
  readonly transactions: number
  /** False is the worst case: every lot stays open. */
  readonly sells: boolean
}

export const PAST_USERS: readonly PastUser[] = [
  { size: 100, sells: true },
  { size: 1_000, sells: true },
  { size: 15_000, sells: true },
  { size: 15_000, sells: false },
].map(({ size, sells }) => ({
  population: { prefix: `past-${size}-${sells ? 'traded' : 'kept'}`, users: 1, holdings: SYMBOLS },
  transactions: size,
  sells,
}))

/** A moment of the time that their ledgers cover, seconds since 1970; `share` is from 0 to 1. */
export function pastSecond(share: number): bigint {
  const part = FIRST_SHARE + (1 - FIRST_SHARE) * share
  return BigInt(START_SECOND + Math.floor(part * DAYS * SECONDS_PER_DAY))
}

/** A closing price of each of their symbols for every day. */
export async function seedPastQuotes(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(
    `insert into quote (instrument_id, priced_at, source, price, currency, kind, split_adjusted, recorded_at)
     select 'PAST' || symbol, moment, 'bench', 100 + (day % 50), 'USD', 'CLOSE', true, moment
     from generate_series(0, $1::int - 1) as symbol, generate_series(0, $2::int - 1) as day,
       lateral (select to_timestamp($3::bigint + day * 86400) as moment) as at`,
    [SYMBOLS, DAYS, START_SECOND],
  )
  await client.query('vacuum analyze')
  await client.end()
}

/** Records a user's purchases and, of what there is for sure, sales, through the service. */
export async function seedPastUser(
  address: string,
  userId: string,
  { transactions: size, sells }: PastUser,
): Promise<void> {
  const client = new grpc.Client(address, grpc.credentials.createInsecure())
  const transactions = Array.from({ length: size }, (_, index) => {
    const isSale = sells && index >= 2 * SYMBOLS && index % 5 >= 3
    const second = START_SECOND + Math.floor((index / size) * DAYS * SECONDS_PER_DAY)
    return {
      type: isSale ? TransactionType.SELL : TransactionType.BUY,
      symbol: `PAST${Math.floor(index / 5) % SYMBOLS}`,
      quantity: String(isSale ? 1 : 2),
      price: String(100 + (index % 37)),
      fee: '0.35',
      effectiveAt: timestampOf(second * MICROSECONDS_PER_SECOND),
    }
  })
  for (let start = 0; start < size; start += TRANSACTIONS_PER_REQUEST) {
    await callUnary(client, PortfolioService.method.recordTransactions, {
      userId,
      transactions: transactions.slice(start, start + TRANSACTIONS_PER_REQUEST),
    })
  }
  client.close()
}
