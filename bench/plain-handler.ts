import { createHash, randomUUID } from 'node:crypto'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import grpc from '@grpc/grpc-js'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import {
  type PortfolioUpdateRequest,
  PortfolioUpdateRequestSchema,
  PortfolioUpdateRequest_PortfolioTransaction_TransactionType as TransactionType,
  PortfolioUpdateResponseSchema,
} from '../gen/portfolio/v1/portfolio_update_pb.ts'
import {
  type Decimal,
  decimal,
  divide,
  multiply,
  nearestDouble,
  ZERO,
} from '../src/domain/decimal.ts'
import { chainHash } from '../src/domain/portfolio/ledger-chain.ts'
import { instantOfTimestamp, rfc3339 } from '../src/domain/time.ts'
import type { Schema } from '../src/infra/postgres/schema.ts'
import { insertKey, type PlainKey, selectKey } from './plain-keys.ts'
import {
  lockPortfolio,
  type PlainChange,
  type PlainPortfolio,
  type PlainTransaction,
  selectHoldings,
  selectLots,
  writeChange,
} from './plain-rows.ts'
import {
  buy,
  InsufficientQuantity,
  newHolding,
  type PlainHolding,
  type PlainLot,
  type PlainMatch,
  type PlainTrade,
  sell,
} from './plain-trade.ts'
import { PreparedPool } from './prepared-pool.ts'
import { serveUpdates } from './serve.ts'
import { priceText, SYMBOLS } from './workload.ts'

/**
 * Case (b): UpdatePortfolio as one would write it without group commit and without a cache. One request is one
 * transaction: lock, read, decide, write, commit. It keeps the same rows and answers the same summary, and leaves out
 * what the service can do beyond that: transfers, backdated trades, several accounts, other lot methods.
 */
const POOL_MAX = 16
const HUNDRED = decimal(100)

// Counts of this schema stay below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

const [port, databaseUrl] = process.argv.slice(2)
const pool = new pg.Pool({
  ...(databaseUrl === undefined ? {} : { connectionString: databaseUrl }),
  max: POOL_MAX,
  options: '-c TimeZone=UTC -c synchronous_commit=on',
})
const database = new Kysely<Schema>({
  dialect: new PostgresDialect({ pool: new PreparedPool(pool) }),
})
const prices = new Map<string, Decimal>(
  SYMBOLS.map((symbol) => [symbol, decimal(priceText(symbol, 0))]),
)

class RequestRefused extends Error {
  override readonly name = 'RequestRefused'
  readonly code: grpc.status

  constructor(code: grpc.status, message: string) {
    super(message)
    this.code = code
  }
}

async function updatePortfolio(bytes: Buffer, key: string | undefined): Promise<Buffer> {
  const request = fromBinary(PortfolioUpdateRequestSchema, bytes)
  const { userId } = request
  if (userId === '' || userId.length > 128) throw invalid('user_id')
  if (request.transactions.length === 0) throw invalid('transactions')
  const contentHash = (): Buffer => createHash('sha256').update(bytes).digest()
  const sent = key === undefined ? undefined : { userId, key, contentHash: contentHash() }
  return database.transaction().execute(async (transaction) => {
    const portfolio = await lockPortfolio(transaction, userId)
    const stored = sent && (await selectKey(transaction, sent))
    if (stored !== undefined) return replayed(stored, sent?.contentHash)
    const { change, holdings } = await decideChange(transaction, request, portfolio)
    await writeChange(transaction, change)
    const response = summaryOf(holdings)
    if (sent !== undefined) await storeAnswer(transaction, sent, { change, response })
    return response
  })
}

async function decideChange(
  transaction: PlainTransaction,
  request: PortfolioUpdateRequest,
  portfolio: PlainPortfolio,
): Promise<{ change: PlainChange; holdings: ReadonlyMap<string, PlainHolding> }> {
  const { userId } = request
  const requestId: string = randomUUID()
  const recordedAt = Math.max(Date.now() * 1_000, portfolio.lastRecordedAt + 1)
  const trades = request.transactions.map((sent, index) =>
    tradeOf(sent, portfolio.lastSequence + 1 + index, recordedAt),
  )
  const sold = trades.filter((trade) => trade.type === 'SELL').map((trade) => trade.symbol)
  const holdings = await selectHoldings(transaction, userId)
  const lots = await selectLots(transaction, userId, [...new Set(sold)])
  const applied = trades
    .toSorted((left, right) => left.effectiveAt - right.effectiveAt)
    .flatMap((trade) => applyTrade(trade, holdings, lots))
  let hash: Uint8Array = portfolio.chainHead
  const chained = trades.map((trade) => {
    const { symbol, ...rest } = trade
    const entry = { ...rest, instrumentId: symbol, accountId: '', recordedAt, requestId }
    hash = chainHash(userId, { ...entry, version: portfolio.version + 1 }, hash)
    return { trade, hash }
  })
  const change = {
    userId,
    requestId,
    before: portfolio,
    recordedAt,
    trades: chained,
    holdings: [...holdings.values()],
    lots: [...lots.values()].flat(),
    matches: applied,
  }
  return { change, holdings }
}

function tradeOf(
  sent: PortfolioUpdateRequest['transactions'][number],
  sequence: number,
  recordedAt: number,
): PlainTrade {
  if (!/^[A-Z0-9./-]{1,32}$/.test(sent.symbol)) throw invalid('symbol')
  if (!(sent.quantity > 0 && sent.quantity <= 1e15)) throw invalid('quantity')
  if (!(sent.price > 0 && sent.price <= 1e15)) throw invalid('price')
  if (sent.type !== TransactionType.BUY && sent.type !== TransactionType.SELL) throw invalid('type')
  const effectiveAt = sent.timestamp === 0n ? recordedAt : instantOfTimestamp(sent.timestamp)
  if (effectiveAt === undefined) throw invalid('timestamp')
  return {
    sequence,
    symbol: sent.symbol,
    type: sent.type === TransactionType.BUY ? 'BUY' : 'SELL',
    quantity: decimal(sent.quantity),
    price: decimal(sent.price),
    effectiveAt,
  }
}

function applyTrade(
  trade: PlainTrade,
  holdings: Map<string, PlainHolding>,
  lots: Map<string, PlainLot[]>,
): readonly PlainMatch[] {
  let holding = holdings.get(trade.symbol)
  if (holding === undefined) {
    holding = newHolding(trade.symbol)
    holdings.set(trade.symbol, holding)
  }
  if (trade.effectiveAt < holding.lastEffectiveAt) {
    throw new RequestRefused(grpc.status.UNIMPLEMENTED, 'backdated trades')
  }
  let open = lots.get(trade.symbol)
  if (open === undefined) {
    open = []
    lots.set(trade.symbol, open)
  }
  if (trade.type === 'SELL') return sell(holding, trade, open)
  open.push(buy(holding, trade, rfc3339(trade.effectiveAt)))
  return []
}

function summaryOf(holdings: ReadonlyMap<string, PlainHolding>): Buffer {
  let totalValue = ZERO
  let profitLoss = ZERO
  let capital = ZERO
  const assets = []
  const sorted = [...holdings.values()].toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1))
  for (const holding of sorted) {
    capital = capital.plus(holding.capital)
    const price = prices.get(holding.symbol) ?? holding.lastTradePrice
    const value = multiply(holding.quantity, price)
    const result = value.minus(holding.basis).plus(holding.realized)
    totalValue = totalValue.plus(value)
    profitLoss = profitLoss.plus(result)
    if (holding.quantity.isZero()) continue
    assets.push({
      symbol: holding.symbol,
      quantity: nearestDouble(holding.quantity),
      currentValue: nearestDouble(value),
      profitLoss: nearestDouble(result),
    })
  }
  const performance = capital.isZero() ? ZERO : multiply(divide(profitLoss, capital), HUNDRED)
  const updatedPortfolio = {
    totalValue: nearestDouble(totalValue),
    totalProfitLoss: nearestDouble(profitLoss),
    performancePercentage: nearestDouble(performance),
    assets,
  }
  const response = create(PortfolioUpdateResponseSchema, { success: true, updatedPortfolio })
  return Buffer.from(toBinary(PortfolioUpdateResponseSchema, response))
}

function replayed(
  stored: { contentHash: Buffer; answer: string },
  contentHash: Buffer | undefined,
): Buffer {
  if (contentHash?.equals(stored.contentHash) !== true) throw invalid('idempotency-key')
  return Buffer.from(stored.answer, 'base64')
}

async function storeAnswer(
  transaction: PlainTransaction,
  key: PlainKey,
  { change, response }: { change: PlainChange; response: Buffer },
): Promise<void> {
  const { before, recordedAt } = change
  const answer = response.toString('base64')
  await insertKey(transaction, key, { version: before.version + 1, answer, recordedAt })
}

function invalid(field: string): RequestRefused {
  return new RequestRefused(grpc.status.INVALID_ARGUMENT, field)
}

function statusOf(error: unknown): { code: grpc.status; details: string } {
  if (error instanceof RequestRefused) return { code: error.code, details: error.message }
  if (error instanceof InsufficientQuantity) {
    return { code: grpc.status.FAILED_PRECONDITION, details: error.message }
  }
  console.error(error)
  return { code: grpc.status.INTERNAL, details: 'internal error' }
}

await serveUpdates(Number(port), (call, callback) => {
  const [key] = call.metadata.get('idempotency-key')
  updatePortfolio(call.request, key?.toString()).then(
    (response) => callback(null, response),
    (error: unknown) => callback(statusOf(error)),
  )
})
