import { create, toBinary } from '@bufbuild/protobuf'
import {
  PortfolioUpdateRequest_PortfolioTransaction_TransactionType as TransactionType,
  PortfolioUpdateRequestSchema,
} from '../gen/portfolio/v1/portfolio_update_pb.ts'

/** Users that hold equally many instruments each. */
export interface Population {
  readonly prefix: string
  readonly users: number
  readonly holdings: number
}

export const SYMBOLS: readonly string[] = Array.from(
  { length: 500 },
  (_, index) => `SYM${String(index).padStart(3, '0')}`,
)

/** Odd and not a multiple of five, so that a user's first 500 picks are all different. */
const SYMBOL_STRIDE = 7
const SELL_SHARE = 0.2
const UNITS_MAX = 10
/** A small lot in front, so that sales also close lots and run over into the next; then more than is ever sold. */
export const SEEDED_LOT_UNITS: readonly number[] = [5, 1_000_000]

export function userId({ prefix }: Population, user: number): string {
  return `${prefix}-${String(user).padStart(6, '0')}`
}

export function heldSymbol(user: number, holding: number): string {
  const symbol = SYMBOLS[(user * 31 + holding * SYMBOL_STRIDE) % SYMBOLS.length]
  if (symbol === undefined) throw new Error('no such symbol')
  return symbol
}

/** Per unit, in USD; moves a little with each tick, tick 0 is the opening price. */
export function priceText(symbol: string, tick: number): string {
  const index = Number(symbol.slice(3))
  const cents = 1_000 + ((index * 7_919) % 40_000)
  return ((cents + ((tick * (index + 1)) % 100)) / 100).toFixed(2)
}

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** An encoded request of one user that buys and sells held symbols now, without a timestamp. */
export function randomRequest(
  population: Population,
  transactionCount: number,
  random: () => number,
): Buffer {
  const user = Math.floor(random() * population.users)
  const symbols = Array.from({ length: transactionCount }, () =>
    heldSymbol(user, Math.floor(random() * population.holdings)),
  )
  return encodeRequest(userId(population, user), symbols, random)
}

/** The encoded request with which a user trades every symbol once: always the same for the same user. */
export function wholeRequest(population: Population, user: number): Buffer {
  const symbols = Array.from({ length: population.holdings }, (_, holding) =>
    heldSymbol(user, holding),
  )
  return encodeRequest(userId(population, user), symbols, randomNumbers(user))
}

function encodeRequest(id: string, symbols: readonly string[], random: () => number): Buffer {
  const transactions = symbols.map((symbol) => ({
    symbol,
    type: random() < SELL_SHARE ? TransactionType.SELL : TransactionType.BUY,
    quantity: 1 + Math.floor(random() * UNITS_MAX),
    price: Number(priceText(symbol, Math.floor(random() * 100))),
  }))
  const request = create(PortfolioUpdateRequestSchema, { userId: id, transactions })
  return Buffer.from(toBinary(PortfolioUpdateRequestSchema, request))
}
